"""Small pieces of Markdown that several generated pages need."""

from __future__ import annotations

import re
from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped."""
    lines = [list(head), ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def code(text: str) -> str:
    """Return inline code, or nothing for nothing."""
    return f"`{text}`" if text else ""


def sentence(text: str) -> str:
    """Return the text with a full stop and, unless it begins with something that is quoted, a capital letter."""
    text = text.strip()
    begins = text[:1].upper() + text[1:] if re.match(r"[a-z]+ ", text) else text
    return begins + ("" if not text or text[-1] in ".:!?" else ".")
