"""Events of OCSF against the published schema of the class (see the fixture's `$comment` for its origin)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rotator.audit import ocsf
from rotator.audit.ocsf import Activity
from rotator.audit.plain import Checkpoint, Entry, Reason
from rotator.core.facts import Kind
from tests.unit.audit.bench import SIGNER, Bench

FIXTURE = Path(__file__).parents[2] / "data" / "ocsf-1.5.0-entity-management.json"


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    found = json.loads(FIXTURE.read_text())
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


def entry(kind: str, **more) -> Entry:
    document = {"credential": "deploy", "kind": kind, "rotation": None, "epoch": 3, "actor": "daemon", "detail": {}}
    return Entry(
        stream="9f2c", position=7, fact_id="5b1d", at=1764583200.25, document=document | more, instance="c0ffee00"
    )


@pytest.mark.parametrize("kind", sorted(Kind))
@pytest.mark.parametrize("actor", ["daemon", "anna"])
@pytest.mark.parametrize("rotation", [None, "k3v9"])
def test_every_kind_of_fact_is_an_event_that_the_schema_takes(schema, kind, actor, rotation):
    event = ocsf.fact(entry(kind, actor=actor, rotation=rotation, detail={"reason": "leak", "attempt": 1}))
    assert [error.message for error in schema.iter_errors(event)] == []
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]


@pytest.mark.parametrize("reason", Reason)
def test_a_checkpoint_is_an_event_that_the_schema_takes(schema, reason):
    told = Checkpoint(at=1.0, sink="siem", reason=reason, settled=True, instance="c0ffee00", key="k")
    assert [error.message for error in schema.iter_errors(ocsf.checkpoint(told))] == []


def test_a_whole_export_is_what_the_schema_takes_chain_and_signatures_included(schema):
    bench = Bench(form=ocsf)
    bench.book.add("a", 3)
    bench.settle()
    for line in bench.sink.lines:
        assert [error.message for error in schema.iter_errors(json.loads(line))] == []
        assert list(json.loads(line))[-1] == "unmapped"
    assert bench.verdict(key=SIGNER.public).intact


def test_the_schema_refuses_what_is_none(schema):
    event = ocsf.fact(entry("captured"))
    for broken in (
        {**event, "severity_id": 17},
        {**event, "invented": 1},
        {k: v for k, v in event.items() if k != "time"},
    ):
        assert list(schema.iter_errors(broken))


def test_a_fact_says_what_was_done_to_which_entity_by_whom():
    event = ocsf.fact(entry("disabled", actor="anna", rotation="k3v9", detail={"reason": "leak"}))
    assert (event["activity_id"], event["activity_name"]) == (Activity.DISABLE, "Disable")
    assert event["entity"] == {"name": "deploy", "uid": "9f2c", "type": "Credential", "type_id": 99}
    assert event["actor"] == {"user": {"name": "anna"}}
    assert event["comment"] == "leak"
    assert event["time"] == 1764583200250
    assert (event["metadata"]["uid"], event["metadata"]["sequence"]) == ("5b1d", 7)
    assert event["metadata"]["correlation_uid"] == "k3v9"


def test_what_failed_and_what_leaked_is_louder():
    assert (ocsf.fact(entry("failed"))["status"], ocsf.fact(entry("failed"))["severity"]) == ("Failure", "Medium")
    assert ocsf.fact(entry("revoked"))["severity"] == "High"
    assert ocsf.fact(entry("written"))["severity"] == "Informational"


def test_a_kind_of_a_newer_version_is_other_and_named():
    event = ocsf.fact(entry("beamed_up"))
    assert (event["activity_id"], event["activity_name"]) == (99, "beamed_up")
