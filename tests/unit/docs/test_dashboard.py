"""The dashboard: the committed file is the generated one, and its queries name what a daemon exports."""

from __future__ import annotations

import json
import re

from docs.dashboard import FILE, PANELS, dashboard
from rotator.observability.families import FAMILIES
from rotator.observability.process import PROCESS as OF_THE_PROCESS

EXPORTED = {family.name for family in FAMILIES} | set(OF_THE_PROCESS)
EXPORTED |= {f"{family.name}_{part}" for family in FAMILIES if family.kind == "histogram" for part in ("sum", "count")}


def test_the_dashboard_is_the_generated_one() -> None:
    assert FILE.read_text() == dashboard(), "run `make docs`"


def test_every_query_asks_for_metrics_that_exist_and_for_the_chosen_job_alone() -> None:
    for panel in PANELS:
        for query in panel.queries:
            asked = re.findall(r"\b(\w+)\{([^}]*)\}", query.expression)
            assert asked, panel.title
            assert {name for name, _ in asked} <= EXPORTED, panel.title
            assert all('job=~"$job"' in labels for _, labels in asked), panel.title


def test_no_two_panels_lie_on_each_other() -> None:
    places = [panel["gridPos"] for panel in json.loads(dashboard())["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_every_panel_says_which_question_it_answers() -> None:
    assert all(re.search(r"[?.]$", panel.question) for panel in PANELS)
    assert len({panel.title for panel in PANELS}) == len(PANELS)
