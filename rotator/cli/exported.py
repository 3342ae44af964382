"""What an audit export proves, as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator.cli.layout import Line, Span, text, wrapped


def verdict(document: Mapping[str, Any], width: int | None) -> list[Line]:
    """Return what `audit verify --export` found; the document is that of `-o json`."""
    lines: list[Line] = []
    for found in document["problems"]:
        lines += wrapped(Span(f"{found['file']}:{found['line']}: {found['message']}", "bad"), width, hang=2)
    if (more := document["problem_count"] - len(document["problems"])) > 0:
        lines.append(text(f"and {more} more", "bad"))
    good = document["ok"]
    summary = f"{_number(document['facts'], 'fact')} of {_number(document['streams'], 'stream')} in "
    summary += f"{_number(document['lines'], 'line')}: {'nothing is missing' if good else 'not to be trusted'}"
    lines += wrapped(Span(summary, "good" if good else "bad"), width, hang=2)
    for said in _remarks(document):
        lines += wrapped(Span(said), width, hang=2)
    return lines


def _remarks(document: Mapping[str, Any]) -> list[str]:
    said = []
    if document["signed_until"]:
        said.append(
            f"signed until {document['signed_until']} by key {document['key']}, instance {document['instance']}"
        )
    if document["unsigned"]:
        said.append(f"{_number(document['unsigned'], 'fact')} behind the last checkpoint: nobody speaks for them yet")
    if document["duplicates"]:
        said.append(f"{_number(document['duplicates'], 'line')} told once more, after a kill or a lost answer")
    if document["half_lines"]:
        said.append(f"{_number(document['half_lines'], 'half line')} left by a kill or a full disk, and told again")
    if document["rewritten"]:
        said.append(f"{_number(document['rewritten'], 'fact')} in the place of others: the journal was restored")
    if document["lines"] and not document["whole"]:
        said.append("it begins in the middle: what came before is in an earlier file")
    return said


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
