"""The program, with somebody who saves the file in the one instant that matters: right before our first exchange.

Run as `python interloper.py FILE -- ARGUMENTS`; nothing else is changed. What an editor does in that instant by bad
luck is done here each time.
"""

import sys
from pathlib import Path

from rotator.__main__ import main
from rotator.host import files

SAVED = "SAVED_IN_BETWEEN=1\n"


def interlope(file: Path) -> None:
    """Save `file` once, as editors do, between the program's last look at it and its exchange."""
    untouched = files.exchange

    def exchange(*arguments: str, dir_fd: int) -> None:
        files.exchange = untouched
        beside = file.with_name("editor-swap")
        beside.write_text(file.read_text() + SAVED)
        beside.chmod(0o600)
        beside.replace(file)
        untouched(*arguments, dir_fd=dir_fd)

    files.exchange = exchange


if __name__ == "__main__":
    interlope(Path(sys.argv[1]))
    sys.argv = ["rotator", *sys.argv[3:]]
    main()
