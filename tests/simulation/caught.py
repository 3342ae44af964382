"""What falls without each rule, guard and legal fact: `caught.json`, each row with the way that shows it.

`python -m tests.simulation.caught [FAMILY ...]` looks for everything that has no row, or whose way leads nowhere now,
and writes it down. What no family shows with one trouble needs a row by hand, or stays in `open`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path as File
from typing import Any, Final

from rotator.testing.cover.families import EVENTS, FAMILIES, Family
from rotator.testing.cover.path import Elsewhere, Path
from rotator.testing.cover.slots import slots
from rotator.testing.cover.survey import Survey
from rotator.testing.simulation.state import Mutation

TABLE: Final = File(__file__).with_name("caught.json")

SLACK: Final = 12
"""Moves by which a trouble may have shifted since the table was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How something that is left out is caught.

    Attributes:
        path: what happens, from the first state of a family.
        law: name of the law that falls.
        twins: habits of ports and journal that do the same, and are left out with it.
    """

    path: Path
    law: str
    twins: tuple[str, ...] = ()

    def way(self, name: str) -> Path | None:
        """Where its law falls without it and its twins, and none without its twins alone: there, or near there.

        A change elsewhere may move a trouble by some moves; the nearest place counts.
        """
        without = replace(slots()[name], names=frozenset(self.twins))
        whole = Mutation(names=frozenset(self.twins))
        ways = (path for path in near(self.path) if _falls(path, without) == self.law and not _falls(path, whole))
        return next(ways, None)


def _falls(path: Path, mutation: Mutation) -> str:
    """Name of the law that falls on the way; empty where none does, or the way is none."""
    try:
        found = path.walk(mutation)
    except Elsewhere:
        return ""
    return found.law.name if found else ""


def near(path: Path) -> Iterator[Path]:
    """A path, and those like it whose troubles come some moves earlier or later, nearest first."""
    slack = SLACK // len(path.troubles) if path.troubles else 0
    moved = sorted(product(range(-slack, slack + 1), repeat=len(path.troubles)), key=lambda by: sum(map(abs, by)))
    for by in moved:
        troubles = tuple((quiet + n, label) for n, (quiet, label) in zip(by, path.troubles, strict=True))
        if all(quiet >= 0 for quiet, _ in troubles):
            yield replace(path, troubles=troubles)


def read() -> dict[str, Any]:
    """The file as it is."""
    found: dict[str, Any] = json.loads(TABLE.read_text())
    return found


def table() -> dict[str, Row]:
    """What is left out -> how it is caught."""
    return {name: _row(row) for name, row in read()["caught"].items()}


def unseen() -> Sequence[str]:
    """What nothing was shown to miss yet."""
    names: Sequence[str] = read()["open"]
    return names


def _row(row: Mapping[str, Any]) -> Row:
    named = next(f for f in FAMILIES if f.name == row["family"])
    more = {name: EVENTS[name] for name in row.get("events", ())}
    family = replace(named, most=row["most"], faults=frozenset(), events={**named.events, **more})
    troubles = tuple((quiet, label) for quiet, label in row["troubles"])
    return Row(path=Path(family, troubles), law=row["law"], twins=tuple(row.get("twins", ())))


def look_for(family: Family, missing: list[str]) -> dict[str, Any]:
    """Rows of what one family shows with one trouble."""
    survey = Survey(replace(family, most=1))
    survey.run()
    found = {name: caught for name in missing if (caught := survey.without(name))}
    return {
        name: {"family": family.name, "most": 1, "troubles": caught.path.troubles, "law": caught.violation.law.name}
        for name, caught in found.items()
    }


def main(families: list[str]) -> int:
    """Mend the table."""
    told, known = read(), table()
    ways = {name: known[name].way(name) for name in slots() if name in known}
    rows = {name: {**told["caught"][name], "troubles": way.troubles} for name, way in ways.items() if way}
    for family in FAMILIES:
        missing = [name for name in slots() if name not in rows]
        if missing and (not families or family.name in families):
            rows |= look_for(family, missing)
    told["caught"] = {name: rows[name] for name in slots() if name in rows}
    told["open"] = [name for name in slots() if name not in rows]
    TABLE.write_text(json.dumps(told, indent=1) + "\n")
    sys.stdout.write("".join(f"not caught: {name}\n" for name in told["open"]))
    return 1 if told["open"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
