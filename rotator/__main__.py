"""`python -m rotator`, and the console script: hands over to the command line."""

from __future__ import annotations

import os


def main() -> None:
    """Run the program and end the process with its exit code."""
    # Nobody else's package gets to see what a configuration holds; and looking for them takes every start 20 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from rotator.cli.main import main as program

    program()


if __name__ == "__main__":
    main()
