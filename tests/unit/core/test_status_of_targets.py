"""What the status says of targets."""

from dataclasses import replace

import pytest

from rotator.core.credential import DAY, Policy, State, Strategy, TargetRef
from rotator.core.notes import Note, Trouble
from rotator.core.status import Accepted, CredentialStatus, credential_status
from tests.unit.core.story import START, Story, credential, published
from tests.unit.core.told import K, said, status

TARGET = TargetRef(name="vault", type="t", place="q")


NO_WRITE = Trouble(act="check", message="/srv/.env may not be written", remedy="give the right to write it")


def troubled(story: Story, why: str = "target_unwritable", **troubles: Trouble) -> CredentialStatus:
    found = {(name, trouble.act): trouble for name, trouble in troubles.items()}
    waits = {"rotation": said(story.at + 60, why)}
    return credential_status(story.credential, story.view, story.at, Note(waits=waits, troubles=found))


def test_a_target_that_takes_no_write_is_named_with_why_and_what_to_do():
    found = troubled(published().planned(), env=NO_WRITE)

    assert found.message == "rotating: planned (a target cannot be written: env)"
    assert [t.problem for t in found.targets] == [NO_WRITE, None]


def test_a_required_target_is_named_before_an_optional_one():
    story = published().planned()
    story.credential = credential(targets=(TargetRef(name="env", type="t", place="p", required=False), TARGET))
    found = troubled(story, env=NO_WRITE, vault=NO_WRITE)

    assert found.message == "rotating: planned (a target cannot be written: vault)"


def test_a_failed_preflight_is_past_once_the_target_is_written_or_the_rotation_has_ended():
    publishing = published().planned().minted().verified().publishing()

    assert troubled(publishing.written("env"), env=NO_WRITE).targets[0].problem is None
    assert troubled(published(), env=NO_WRITE).targets[0].problem is None


def test_the_last_failed_act_of_an_open_rotation_is_the_targets_problem():
    story = published().planned().minted().verified().publishing()
    story.failed("write", "env", why="disk full").later(5).failed("read_back", "env", why="gone")

    assert status(story).targets[0].problem == Trouble(act="read_back", message="gone")


def test_a_target_that_cannot_be_read_is_named_before_anything_was_published():
    unread = Trouble(act="read", message="Vault is sealed", remedy="unseal it")
    found = troubled(Story(), vault=unread)

    assert found.message == "nothing was published yet (vault cannot be read)"
    assert [t.problem for t in found.targets] == [None, unread]


def test_a_value_of_somebody_else_that_is_being_verified_is_said():
    story = Story()
    message = status(story, start=said(story.at + 45, "verification")).message

    assert message == "nothing was published yet (a value that stands at a target is being verified)"


def test_a_target_that_was_never_seen_is_neither_in_sync_nor_out():
    assert [t.in_sync for t in status(Story()).targets] == [None, None]


def test_targets_with_the_current_value_are_in_sync():
    found = status(published())

    assert [(t.name, t.in_sync, t.generation) for t in found.targets] == [("env", True, 1), ("vault", True, 1)]
    assert found.ready


def test_while_publishing_both_values_count():
    story = published().planned().minted().verified().publishing().written("env")

    assert all(t.in_sync for t in status(story).targets)


def test_a_drifted_target_is_out_of_sync_and_the_credential_not_ready():
    found = status(published().tell(K.SEEN, target="env", token_id=""))

    assert [(t.in_sync, t.generation) for t in found.targets] == [(False, 0), (True, 1)]
    assert not found.ready


def test_an_optional_target_does_not_decide_readiness():
    optional = (
        TargetRef(name="env", type="f", place="e"),
        TargetRef(name="vault", type="f", place="v", required=False),
    )
    story = Story(credential(targets=optional)).seen_first().rotated().tell(K.SEEN, target="vault", token_id="")

    assert status(story).ready


def test_a_target_shows_the_generation_that_was_written_there():
    story = published().planned().minted().verified().publishing().written("env").failed("write", "vault")
    found = status(story)

    assert found.generation == 2
    assert [(t.name, t.generation) for t in found.targets] == [("env", 2), ("vault", 1)]


def test_an_optional_target_that_was_left_behind_keeps_the_generation_that_it_holds():
    optional = (
        TargetRef(name="env", type="f", place="e"),
        TargetRef(name="vault", type="f", place="v", required=False),
    )
    story = Story(credential(targets=optional)).seen_first().rotated()
    story.planned().minted().verified().publishing().written("env").read_back("env").confirmed()

    assert [(t.in_sync, t.generation) for t in status(story).targets] == [(True, 2), (False, 1)]


@pytest.mark.parametrize("act", ["check", "write", "read_back"])
def test_a_target_of_which_an_act_failed_is_not_in_sync_while_the_value_that_lives_there_counts_for_readiness(act):
    story = published().planned().minted().verified().publishing().failed(act, "vault", why="read-only")
    found = status(story)

    assert [t.in_sync for t in found.targets] == [True, False]
    assert found.ready, "a live value of ours stands there all the same"
    assert found.failing_since == story.at


@pytest.mark.parametrize(("name", "ready"), [("env", False), ("vault", True)])
def test_a_credential_is_not_ready_while_nobody_can_read_a_required_target(name, ready):
    refs = (TargetRef(name="env", type="f", place="e"), TargetRef(name="vault", type="f", place="v", required=False))
    story = Story(credential(targets=refs)).seen_first().rotated()
    note = Note(troubles={(name, "read"): Trouble(act="read", message="no")})
    found = credential_status(story.credential, story.view, story.at, note)

    assert found.ready is ready
    assert {t.name: t.in_sync for t in found.targets}[name] is False


def test_a_target_that_will_delete_what_stands_there_says_when():
    story = published()
    note = Note(ends={"vault": START + DAY})

    assert [t.ends for t in credential_status(story.credential, story.view, story.at, note).targets] == [
        None,
        START + DAY,
    ]


def test_a_failed_preflight_is_forgotten_when_the_rotation_goes_on():
    story = published().planned().failed("check", "env", why="read-only")
    assert status(story).targets[0].problem == Trouble(act="check", message="read-only")

    assert status(story.intent()).targets[0].problem is None
    captured = published().planned().minted().verified().failed("check", "env", why="read-only")
    assert status(captured.publishing()).targets[0].problem is None


def test_a_failure_says_what_to_do_where_that_is_known():
    detail = {"act": "mint", "why": "no slot is free", "remedy": "delete a token"}
    story = published().planned().tell(K.FAILED, detail=detail)

    assert status(story).problem == Trouble(act="mint", message="no slot is free", remedy="delete a token")


def test_inside_a_roll_only_what_was_written_and_read_back_counts():
    rolling = published().planned(Strategy.ROLL).intent()
    assert not status(rolling).ready, "the old value may be dead since the roll was sent"

    written = rolling.captured(value="v9").verified().publishing().written()
    assert status(written).ready
    assert not status(written.failed("read_back", "env")).ready


def test_a_value_that_died_is_not_ready_until_its_successor_stands_there():
    story = published()
    story.planned()
    story.view = replace(
        story.view, rotation=replace(story.view.opened, terms=replace(story.view.opened.terms, why="dead"))
    )
    assert not status(story).ready
    assert [t.in_sync for t in status(story).targets] == [False, False]

    assert status(story.minted().verified().publishing().written()).ready


def test_a_request_that_no_rotation_serves_is_shown_until_one_does():
    story = published().tell(K.REQUEST, actor="alice", detail={"request_id": "q1", "reason": "leak"})
    asked = status(story).request

    assert asked is not None
    assert (asked.id, asked.by, asked.at, asked.reason) == ("q1", "alice", START, "leak")
    assert status(story.planned(request_id="q1")).request is None


def test_a_roll_that_lasts_longer_than_its_owner_accepts_says_so():
    story = published(policy=Policy(outage_budget=60.0)).planned(Strategy.ROLL).intent().later(60)
    assert not status(story).over_budget
    assert status(story.later(1)).over_budget
    assert not status(published()).over_budget


def test_a_target_whose_value_nobody_knows_is_out_of_sync_although_the_token_is_not_known_to_be_another():
    story = published().tell(K.SEEN, target="env", fingerprint="x")

    assert [t.in_sync for t in status(story).targets] == [False, True]


def test_a_target_that_holds_an_older_value_of_the_same_token_is_out_of_sync():
    story = published()
    story.tell(K.SEEN, target="env", token_id=story.view.current, fingerprint="before the roll")

    assert [t.in_sync for t in status(story).targets] == [False, True]


@pytest.mark.parametrize("detail", [{"amiss": ["ID"]}, {"strange": {"ID": "x"}}])
def test_a_target_where_something_else_stands_beside_the_value_is_out_of_sync(detail):
    story = published()
    ours = {"token_id": story.view.current, "fingerprint": story.view.fingerprint}
    story.tell(K.SEEN, target="env", **ours, detail=detail)

    assert [t.in_sync for t in status(story).targets] == [False, True]
    assert not status(story).ready
    assert status(story).state is not State.IDLE


def test_a_strangers_content_beside_the_value_is_said_to_a_person():
    story = published()
    ours = {"token_id": story.view.current, "fingerprint": story.view.fingerprint}
    story.tell(K.SEEN, target="env", **ours, detail={"strange": {"ID": "x"}})

    assert status(story).message == "somebody else changed the managed key at env (ID)"
    story.tell(K.RESOLVED, detail={"how": "accept"})
    assert status(story).needs_operator is None
    assert not status(story).ready


def test_a_target_that_was_seen_by_an_older_version_is_known_by_its_token():
    story = published()
    story.tell(K.SEEN, target="env", token_id="").tell(K.SEEN, target="env", token_id=story.view.current)

    assert [t.in_sync for t in status(story).targets] == [True, True]


def test_a_target_that_cannot_be_read_is_not_known_to_be_in_sync():
    found = troubled(published(), env=Trouble(act="read", message="sealed"))

    assert [t.in_sync for t in found.targets] == [False, True]
    assert found.state is State.FAILING
    assert found.message == "out of sync: env"


def test_what_is_out_of_sync_with_nothing_open_is_never_idle_or_fresh():
    found = status(published().tell(K.SEEN, target="env", fingerprint="x"))

    assert (found.state, found.message) == (State.FAILING, "out of sync: env")


def accepted() -> Story:
    story = published().tell(K.OVERRIDDEN, target="env", fingerprint="x").later(60)
    return story.tell(K.RESOLVED, detail={"how": "accept"}, actor="alice")


def test_what_an_operator_accepted_is_shown_with_who_and_when_and_is_never_in_sync():
    found = status(accepted())

    assert [t.in_sync for t in found.targets] == [False, True]
    assert found.targets[0].accepted == Accepted(by="alice", at=START + 60)
    assert not found.ready
    assert found.state is State.IDLE, "a person decided so"
    assert found.message.endswith("left alone as accepted: env")


def test_what_was_accepted_is_asked_about_again_once_that_is_undone():
    found = status(accepted().later(60).tell(K.RESOLVED, detail={"how": "undo"}))

    assert found.needs_operator.code == "target_overridden"
    assert found.needs_operator.since == START + 120
    assert found.targets[0].accepted is None
