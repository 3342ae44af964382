"""The page of what falls without each rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docs.pages.markdown import code, sentence, table


def proof() -> str:
    """Return the page of what falls without each rule, guard and legal fact."""
    from rotator.testing.laws import Law
    from tests.simulation.caught import read

    told = read()
    rows = [
        (code(name), code(row["law"]), _way(row), ", ".join(map(code, row.get("twins", ()))))
        for name, row in told["caught"].items()
    ]
    return (
        "# What falls without each rule\n\n"
        "Each row leaves out one rule of a row of the [protocol](protocol.md), one guard of a fact (`legal`) or one"
        " fact that may follow a step (`after`).\n"
        "The way leads from the first state of a family of the [state cover](../testing.md#the-state-cover) to a state"
        " that breaks the law: so many moves of a quiet world, then a trouble.\n"
        "Where a twin does the same, both are left out, and leaving out the twin alone breaks nothing on that way.\n"
        "`tests/simulation/test_caught.py` walks each way, with and without what it is about.\n\n"
        + table(("left out", "law that falls", "way", "twin"), rows)
        + "\n## Not shown yet\n\n"
        "The searches that were made so far show no state that misses these; unit tests of the rows and of"
        " `core/protocol/steps.py` hold them.\n\n"
        + "".join(f"- {code(name)}\n" for name in told["open"])
        + "\n## The laws\n\n"
        + table(("law", "what must hold"), [(code(law.name), sentence(law.value)) for law in Law])
    )


def _way(row: Mapping[str, Any]) -> str:
    """The family, and its troubles."""
    troubles = [f"after {quiet} moves {label}" for quiet, label in row["troubles"]]
    return "; ".join([row["family"], *troubles])
