"""`python -m rotator`, and the console script: hands over to the command line."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the program and end the process with its exit code."""
    from rotator.host.init import split_if_first

    split_if_first()
    # Nobody else's package gets to see what a configuration holds; and looking for them takes every start 20 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from rotator.cli.main import main as program

        program()
    except (MemoryError, ImportError, RuntimeError, OSError) as error:
        from rotator.host.threads import exhaustion

        limit = exhaustion(error)
        if limit is None:
            raise
        sys.stderr.write(f"error: {limit.message}\ndo: {limit.remedy}\n")
        sys.exit(limit.exit_code)


if __name__ == "__main__":
    main()
