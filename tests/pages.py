"""The blocks of commands in the pages, and what each page says of them: which test runs it, or why none does.

A mark is a comment before the block: `<!-- run by tests/... -->` or `<!-- not run: REASON -->`; one directly below the
title holds for the whole page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("sh", "console", "python", "sql", "hcl")
"""What somebody runs or pastes; the others are read."""

_MARK = r"<!-- ((?:run by |not run: ).+?) -->\n"
_BLOCK = re.compile(rf"(?:^{_MARK})?^```({'|'.join(LANGUAGES)})\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WHOLE = re.compile(rf"\A# .+\n\n{_MARK}\n")


@dataclass(frozen=True)
class Block:
    """One block; `page` is a path from the root, `mark` is empty where the page says nothing."""

    page: str
    line: int
    language: str
    text: str
    mark: str

    @property
    def commands(self) -> str:
        """What is typed: in a `console` block the lines after a prompt."""
        if self.language != "console":
            return self.text
        return "".join(line[2:] + "\n" for line in self.text.splitlines() if line.startswith("$ "))


def blocks() -> Iterator[Block]:
    """Every block of every page that a person wrote."""
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
        text = path.read_text()
        whole = _WHOLE.match(text)
        for found in _BLOCK.finditer(text):
            mark, language, code = found.groups()
            line = text.count("\n", 0, found.start(2)) + 1
            yield Block(str(path.relative_to(ROOT)), line, language, code, mark or (whole[1] if whole else ""))


def block(page: str, containing: str) -> Block:
    """The first block of a page with that text in it."""
    return next(one for one in blocks() if one.page == page and containing in one.text)
