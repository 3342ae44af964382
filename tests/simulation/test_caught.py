"""No rule, no guard and no legal fact is there for nothing: without each of them a named law falls."""

from __future__ import annotations

import pytest

from rotator.testing.cover.slots import slots
from tests.simulation.caught import Row, table, unseen

ROWS = table()


def test_every_rule_of_every_row_and_every_entry_of_the_legal_facts_is_in_the_table_once() -> None:
    assert sorted([*ROWS, *unseen()]) == sorted(slots())


@pytest.mark.parametrize(("name", "row"), ROWS.items(), ids=ROWS)
def test_a_law_falls_without_it_and_none_with_it(name: str, row: Row) -> None:
    assert row.way(name), f"{row.law} does not fall there: `python -m tests.simulation.caught` looks for another way"
