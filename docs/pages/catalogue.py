"""The catalogue of faults: what can go wrong, what happens then, which tests show it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.pages.markdown import table

FAULTS = Path(__file__).parents[1] / "reliability" / "faults.toml"

INTRODUCTION = "\n".join(
    (
        "# Catalogue of faults",
        "",
        "What can go wrong, what happens then, and the tests that show it.",
        "A fault is *proven* where a test makes it as it is, *stood in for* where a test makes something like it"
        " (the row says what is missing), and *open* where nothing shows it.",
        "A row without a test, a stand-in or the word *open* fails the build, and so does a test that is gone.",
    )
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A row: `tests` as `file::function` below `tests/`; `instead` and `open` say what is missing."""

    id: str
    group: str
    fault: str
    then: str
    tests: tuple[str, ...]
    instead: str = ""
    open: str = ""

    @property
    def standing(self) -> str:
        """How far the row is shown."""
        return "open" if self.open else "stood in for" if self.instead else "proven"


def faults() -> tuple[Fault, ...]:
    """Return every row of `faults.toml`, in its order; raises TypeError where one has a key that is none."""
    rows = tomllib.loads(FAULTS.read_text(encoding="utf-8"))["fault"]
    return tuple(Fault(**{**row, "tests": tuple(row["tests"])}) for row in rows)


def catalogue() -> str:
    """Return the page."""
    return "\n\n".join(_parts(faults()))


def _parts(rows: tuple[Fault, ...]) -> Iterator[str]:
    yield INTRODUCTION
    standings = [row.standing for row in rows]
    yield table(("", "faults"), [(s, str(standings.count(s))) for s in ("proven", "stood in for", "open")])
    for group in dict.fromkeys(row.group for row in rows):
        yield f"## {group}"
        yield table(
            ("#", "fault", "what happens", "shown by"),
            [(row.id, row.fault, row.then, _shown(row)) for row in rows if row.group == group],
        )


def _shown(row: Fault) -> str:
    said = [_link(test) for test in row.tests]
    if row.instead:
        said.append(f"*stood in for*: {row.instead}")
    if row.open:
        said.append(f"*open*: {row.open}")
    return "<br>".join(said)


def _link(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../../tests/{file})"
