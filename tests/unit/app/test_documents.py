"""JSON documents: times, one status of each shape, one fact."""

import json

import pytest

from rotator.app.documents import credential_document, fact_document
from rotator.core.credential import NEVER, Policy
from rotator.core.facts import Adopted, Captured, Configured, Fact, Kind, Paused, ReadBack, TargetReleased, Written
from rotator.core.instants import rfc3339 as moment
from rotator.core.status import credential_status
from tests.unit.core.story import START, Story, published

K = Kind


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (None, None),
        (NEVER, None),
        (-NEVER, None),
        (1e15, None),
        (0.0, "1970-01-01T00:00:00Z"),
        (1e9 + 0.9, "2001-09-09T01:46:40Z"),
    ],
)
def test_moments_are_utc_in_whole_seconds(at, text):
    assert moment(at) == text


STORIES = {
    "nothing": Story,
    "published": published,
    "rotating": lambda: published().planned().intent(),
    "retiring": lambda: published().rotated(),
    "paused": lambda: published().tell(K.PAUSED, detail={"until": START + 60}),
    "overridden": lambda: published().tell(K.OVERRIDDEN, target="env", fingerprint="x"),
}


@pytest.mark.parametrize("story", STORIES)
def test_every_status_has_the_same_keys_and_is_strict_json(story):
    made = STORIES[story]()
    document = credential_document(credential_status(made.credential, made.view, made.at))
    blank = credential_document(credential_status(Story().credential, Story().view, START))

    assert list(document) == list(blank)
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_what_is_open_is_a_document_of_its_own():
    def document(name):
        story = STORIES[name]()
        return credential_document(credential_status(story.credential, story.view, story.at))

    assert document("rotating")["rotation"]["step"] == "intent"
    assert document("retiring")["retirements"][0]["step"] == "open"
    assert document("paused")["paused"]["until"] == moment(START + 60)
    assert document("overridden")["needs_operator"]["since"] == moment(START)


def fact(what):
    return Fact(what=what, at=START, fact_id="f", stream="c", position=3, epoch=2, writer="w", sealed_id="s")


def test_times_within_a_fact_are_written_as_everywhere_else():
    captured = fact(Captured(attempt=1, token_id="t", born=0.0, expires_at=NEVER))
    paused = fact(Paused(until=60.9))

    assert fact_document("a", captured)["detail"]["born"] == "1970-01-01T00:00:00Z"
    assert fact_document("a", captured)["detail"]["expires_at"] is None
    assert fact_document("a", paused)["detail"]["until"] == "1970-01-01T00:01:00Z"


def test_a_fact_shows_no_value_and_no_digest():
    written = Written(target="env", token_id="t1", generation=2, fingerprint="f1", old="t0", keys={"K": "f1"})
    document = fact_document("deploy", fact(written))

    assert document["detail"] == {"old": "t0", "token_id": "t1", "target": "env", "generation": 2}
    assert "f1" not in json.dumps(document)
    assert (document["credential"], document["kind"], document["epoch"]) == ("deploy", "written", 2)


@pytest.mark.parametrize(
    "what",
    [
        TargetReleased(target="env", stanza={"a": 1}),
        Configured(spec={"stanza": {"a": 1}, "account_id": "a", "targets": {}}),
        Adopted(token_id="t", policy=Policy()),
    ],
)
def test_nothing_bulky_is_shown(what):
    shown = fact_document("deploy", fact(what))["detail"]

    assert not shown.keys() & {"stanza", "policy", "account_id", "targets"}


def test_a_fact_outside_a_rotation_belongs_to_none():
    assert fact_document("deploy", fact(Paused()))["rotation"] is None


@pytest.mark.parametrize(("outage", "shown"), [(0.0, False), (12.0, True)])
def test_the_outage_of_a_roll_is_told_where_there_was_one(outage, shown):
    what = ReadBack(target="env", token_id="t1", generation=2, fingerprint="v2", outage=outage)
    detail = fact_document("deploy", fact(what))["detail"]

    assert ("outage" in detail) is shown
