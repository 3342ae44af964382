"""`python -m rotator`, and the console script: hands over to the command line."""

from __future__ import annotations


def main() -> None:
    """Run the program and end the process with its exit code."""
    from rotator.cli.main import main as program

    program()


if __name__ == "__main__":
    main()
