"""Words and plain values: facts, errors, events, policies, findings."""

import json
import pickle
from pathlib import Path

import pytest

from rotator.core import errors
from rotator.core.credential import NEVER, Policy, Strategy, Terms
from rotator.core.events import Event
from rotator.core.facts import UNFENCED
from rotator.core.findings import STATE, Finding, Level
from rotator.core.ports.source import TokenState
from rotator.core.reasons import OperatorCode
from tests.unit.core.story import credential

TREE = [
    (errors.ConfigError("m", "r"), 2),
    (errors.Absent("m", "r"), 2),
    (errors.JournalUnsafe("m", "r"), 1),
    (errors.Fenced("m", "r"), 1),
    (errors.IllegalFact("m", "r"), 1),
    (errors.OperatorNeeded(OperatorCode.REJECTED, "m", "r"), 3),
    (errors.Refused("m", "r"), 1),
    (errors.Unavailable("m", "r"), 1),
    (errors.Barred("m", "r"), 1),
    (errors.OutcomeUnknown("m", "r"), 1),
    (errors.Conflict("m", "r"), 1),
]


@pytest.mark.parametrize(("error", "code"), TREE, ids=lambda found: type(found).__name__)
def test_every_error_says_what_went_wrong_what_to_do_and_how_to_exit(error, code):
    assert isinstance(error, errors.RotatorError)
    assert (str(error), error.message, error.remedy, error.exit_code) == ("m", "m", "r", code)


def test_the_tree_is_drawn_completely():
    drawn = {type(error) for error, _ in TREE} | {errors.RateLimited, errors.RotatorError}
    defined = {e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.RotatorError)}

    assert defined == drawn
    assert all(e.__name__ in str(errors.__doc__) for e in defined)


def test_a_rate_limit_is_a_certain_no_that_says_when():
    error = errors.RateLimited("minting", 300.0)

    assert isinstance(error, errors.Refused)
    assert (error.code, error.retry_after) == ("rate_limited", 300.0)
    assert error.remedy


@pytest.mark.parametrize("event", Event)
def test_every_event_has_a_level_and_a_meaning(event):
    assert event.level in ("debug", "info", "warning", "error")
    assert event.text
    assert event.value == event.name.lower()


def test_every_event_is_said_somewhere():
    rotator = Path(__file__).parents[3] / "rotator"
    program = "".join(file.read_text() for file in rotator.rglob("*.py"))

    assert [event for event in Event if f"Event.{event.name}" not in program] == []


def test_only_a_capture_an_operator_and_another_credentials_driver_need_no_lease():
    operators = {"request", "paused", "resumed", "resolved", "ack", "forgotten", "revoked"}
    assert {k.value for k in UNFENCED} == operators | {"captured", "held"}


@pytest.mark.parametrize("policy", [Policy(), Policy(lifetime=NEVER), Policy(strategy=Strategy.ROLL, every=5.0)])
def test_a_policy_survives_json(policy):
    plain = json.loads(json.dumps(policy.to_json(), allow_nan=False))

    assert Policy.from_json(plain) == policy


def test_terms_survive_json():
    terms = Terms(policy=Policy(), targets=frozenset("ab"), required=frozenset("a"), digest="d", why="renewal")

    assert Terms.from_json(json.loads(json.dumps(terms.to_json(), allow_nan=False))) == terms


def test_terms_of_an_older_machine_lack_what_was_added_since():
    plain = {"policy": Policy().to_json(), "targets": ["a"], "required": ["a"]}

    assert Terms.from_json(plain).why == Terms.from_json(plain).digest == ""


def test_a_credential_names_its_targets():
    assert credential().all == credential().required == {"env", "vault"}


def test_a_finding_is_a_plain_value():
    found = Finding(level=Level.WARN, subject=STATE, code="c", message="m")

    assert pickle.loads(pickle.dumps(found)) == found
    assert found.remedy == ""


@pytest.mark.parametrize(("status", "active"), [("active", True), ("disabled", False), ("revoked (exposed)", False)])
def test_only_an_active_token_is_alive(status, active):
    assert TokenState(id="t", name="n", status=status, issued_at=0, modified_at=0).active is active
