"""What the status says of retirements, pauses and refusals."""

from dataclasses import replace

import pytest

from rotator.core.credential import NEVER
from rotator.core.notes import Note, Trouble
from rotator.core.protocol.view import Mark
from rotator.core.reasons import RETIREMENT_WAITS, Reason
from rotator.core.sentences import Told, held_up
from rotator.core.status import credential_status
from tests.unit.core.story import START, published
from tests.unit.core.told import K, said, status


def test_a_retirement_names_the_target_that_holds_it_up_and_what_failed():
    story = published().rotated()
    held = status(story, t1=said(story.at + 9, "still_published", "vault")).retirements[0]
    assert (held.blocked, held.subject, held.problem) == ("still_published", "vault", None)

    story.retired_to(K.SUPERSEDED, "t1")
    story.tell(K.FAILED, token_id="t1", detail={"act": "disable", "why": "no", "remedy": "x"})
    assert status(story).retirements[0].problem == Trouble(act="disable", message="no", remedy="x")


def changed(view, **fields):
    """The view with something else known of the target `vault`."""
    return replace(view, targets={**view.targets, "vault": replace(view.at("vault"), **fields)})


@pytest.mark.parametrize(
    ("troubles", "last", "message"),
    [
        (["vault"], {}, "vault cannot be read, so nobody knows whether the old value still stands there"),
        ([], {"vault": "t1"}, "vault still holds the old value"),
        (["env"], {"vault": "t1"}, "vault still holds the old value"),
        ([], {}, "either vault may still hold the old value or receive it, or it cannot be read"),
    ],
)
def test_a_retirement_tells_a_target_that_holds_the_old_value_from_one_that_cannot_be_read(troubles, last, message):
    story = published().rotated()
    found = {(name, "read"): Trouble(act="read", message="no") for name in troubles}
    note = Note(waits={"t1": said(story.at + 9, "still_published", "vault")}, troubles=found)
    view = changed(story.view, token_id=last.get("vault", "t2"))

    assert credential_status(story.credential, view, story.at, note).retirements[0].message == message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", Reason.PROVIDER_SILENT.text),
        ("vault", "an unknown value stands at vault, and the provider has not said whose it is"),
    ],
)
def test_a_retirement_that_waits_for_the_providers_answer_says_so(name, message):
    story = published().rotated()
    waits = {"t1": said(story.at + 9, "provider_silent", name)}

    (found,) = credential_status(story.credential, story.view, story.at, Note(waits=waits)).retirements
    assert (found.blocked, found.message) == ("provider_silent", message)


def test_a_retirement_says_where_another_write_may_arrive_and_which_other_credentials_target_holds_its_value():
    story = published().rotated()
    waits = {"t1": said(story.at + 9, "still_published", "vault")}
    under_way = changed(story.view, open_writes={"t1": ("v",)})
    guest = replace(story.view, held={"t1": {"vault": frozenset({"env_file:/b", "env_file:/a"})}})

    def message(view):
        return credential_status(story.credential, view, story.at, Note(waits=waits)).retirements[0].message

    shown = Mark(marker="m", token_id="t2", fingerprint="f2", at=story.at)
    left_alone = changed(story.view, mark=shown, heeded="somebody else's")
    assert message(under_way) == "a write of the old value to vault may still arrive there"
    assert message(left_alone).startswith("what stands at vault was accepted and cannot be read, so it may be the old")
    assert "`rotator ack`" in message(left_alone)
    assert message(guest) == "it stands at another credential's target (env_file:/a, env_file:/b)"


def test_a_retirement_that_waits_for_a_consumers_word_says_how_it_is_given():
    story = published().rotated()
    found = status(story, t1=said(story.at + 9, "unacknowledged", "vault"))

    assert "`rotator ack deploy --target vault --generation 2` says so" in found.retirements[0].message


def test_a_retirement_says_what_it_waits_for_and_when_it_was_used():
    story = published().rotated()
    note = Note(waits={"t1": said(story.at + 60, "still_used")})
    found = credential_status(story.credential, story.view, story.at, note, {"t1": START - 9})

    (retirement,) = found.retirements
    assert (retirement.token_id, retirement.step) == ("t1", "open")
    assert (retirement.blocked, retirement.until, retirement.last_used_on) == ("still_used", story.at + 60, START - 9)


@pytest.mark.parametrize(
    ("waits", "blocked"),
    [(None, None), ("verification", None), *((word, word) for word in sorted(RETIREMENT_WAITS))],
)
def test_the_reason_of_a_retirement_is_one_of_a_closed_list(waits, blocked):
    story = published().rotated().retired_to(K.SUPERSEDED, "t1")
    found = status(story, **({"t1": said(NEVER, waits)} if waits else {}))

    assert found.retirements[0].blocked == blocked
    assert found.retirements[0].step == "superseded"
    assert found.retirements[0].until is None


def test_a_pause_says_who_why_and_how_long():
    story = published().tell(K.PAUSED, actor="ann", detail={"reason": "freeze"})
    found = status(story)

    assert found.paused == {"since": START, "until": None, "reason": "freeze", "actor": "ann"}
    assert found.message == "paused: freeze"
    assert status(published().tell(K.PAUSED, detail={"until": START + 60})).message == "paused"


def test_what_the_provider_refused_is_told_with_what_to_do():
    story = published().planned().intent()
    story.failed("mint", token_name=story.view.opened.attempt_name, why="creating: quota", remedy="delete one")

    found = status(story)
    assert found.problem == Trouble(act="mint", message="creating: quota", remedy="delete one")
    assert found.message == "rotating: planned (creating: quota)"
    assert all(t.problem is None for t in found.targets)


def test_a_refused_retirement_is_told_with_what_to_do():
    story = published().rotated().later(100)
    old = next(iter(story.view.retirements))
    story.failed("disable", token_id=old, why="disabling: no", remedy="ask")

    (retirement,) = status(story).retirements
    assert retirement.problem == Trouble(act="disable", message="disabling: no", remedy="ask")


@pytest.mark.parametrize(
    ("troubles", "holds", "message"),
    [
        (["vault"], "v2", "vault cannot be read, so nobody knows whether it holds the current value"),
        ([], "v1", "vault does not hold the current value"),
        ([], "v2", "either vault does not hold the current value, or it cannot be read"),
    ],
)
def test_a_retirement_tells_a_target_without_the_current_value_from_one_that_cannot_be_read(troubles, holds, message):
    story = published().rotated()
    found = {(name, "read"): Trouble(act="read", message="no") for name in troubles}
    note = Note(waits={"t1": said(story.at + 9, "targets_not_in_sync", "vault")}, troubles=found)
    view = changed(story.view, holds=holds)

    assert credential_status(story.credential, view, story.at, note).retirements[0].message == message


def test_a_retirement_that_nobody_waited_for_yet_says_nothing():
    story = published().rotated()

    assert held_up(Told(story.credential, story.view, story.at, Note(), {}), "t1") is None
