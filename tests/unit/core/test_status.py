"""The one value that everybody renders: every state, every need of an operator, and what people read."""

import json
from dataclasses import asdict, replace

import pytest

from rotator.core.credential import DAY, HOUR, NEVER, Policy, State, Strategy, TargetRef
from rotator.core.durations import human
from rotator.core.facts import Draft, Kind, Unknown
from rotator.core.notes import Note, Trouble, Waits
from rotator.core.protocol.fold import fold
from rotator.core.protocol.rules import Operator
from rotator.core.protocol.view import Mark
from rotator.core.reasons import RETIREMENT_WAITS, OperatorCode, Reason
from rotator.core.sentences import Told, held_up
from rotator.core.status import Accepted, CredentialStatus, credential_status
from tests.unit.core.story import LIFE, START, Story, credential, published

K = Kind
TARGET = TargetRef(name="vault", type="t", place="q")


def said(until: float, why: str, subject: str = "") -> Waits:
    return Waits(until=until, why=Reason(why), subject=subject)


def asked(code: OperatorCode, since: float = START) -> Waits:
    return Waits(until=NEVER, code=code, since=since)


def status(story: Story, **waits: Waits) -> CredentialStatus:
    return credential_status(story.credential, story.view, story.at, Note(waits=waits))


def rejected() -> Story:
    story = Story().planned()
    for _ in range(5):
        story.minted().of_rotation(K.ABANDONED, detail={"rejected": True})
    return story


def unmanaged() -> Story:
    story = published()
    story.credential = credential(managed=False)
    return story


STORIES = {
    State.UNINITIALIZED: Story,
    State.IDLE: published,
    State.ROTATING: lambda: published().planned(),
    State.FAILING: lambda: published().planned().failed("mint"),
    State.PAUSED: lambda: published().tell(K.PAUSED, detail={"reason": "freeze"}),
    State.NEEDS_OPERATOR: lambda: published().tell(K.OVERRIDDEN, target="env", fingerprint="x"),
    State.UNMANAGED: unmanaged,
}


def test_every_state_has_a_story():
    assert set(STORIES) == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_is_reached_and_can_be_written_as_json(state):
    found = status(STORIES[state]())

    assert found.state is state
    assert found.message
    assert json.loads(json.dumps(asdict(found)))["state"] == state.value


# --- which state wins


def test_what_left_the_configuration_is_unmanaged_whatever_else():
    story = published().planned().tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.PAUSED)
    story.credential = credential(managed=False)

    assert status(story).state is State.UNMANAGED
    assert status(story).next_rotation is None
    assert status(story).message == "somebody else changed the managed key at env", "what is open is still said"
    assert status(unmanaged()).message == "gone from the configuration; nothing is revoked"


def test_what_left_the_configuration_with_nothing_open_needs_no_operator():
    story = published().tell(K.OVERRIDDEN, target="env", fingerprint="x")
    story.credential = credential(managed=False)

    assert status(story).needs_operator is None
    assert status(story).message == "gone from the configuration; nothing is revoked"


def test_an_operator_is_needed_since_the_first_foreign_value_whatever_followed_it():
    story = published().tell(K.OVERRIDDEN, target="env", fingerprint="x").later(60)
    story.tell(K.OVERRIDDEN, target="env", fingerprint="y")
    again = published().tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.OVERRIDE_ENDED, target="env")
    again.later(60).tell(K.OVERRIDDEN, target="env", fingerprint="x")

    assert status(story).needs_operator.since == START
    assert status(again).needs_operator.since == START + 60


def test_an_operators_need_goes_before_a_pause():
    assert status(STORIES[State.NEEDS_OPERATOR]().tell(K.PAUSED)).state is State.NEEDS_OPERATOR


def test_a_pause_goes_before_failing():
    assert status(published().planned().failed("mint").tell(K.PAUSED)).state is State.PAUSED


def test_a_pause_that_is_over_is_none():
    story = published().tell(K.PAUSED, detail={"until": START + 60, "reason": "x"}).later(60)

    assert status(story).state is State.IDLE
    assert status(story).paused is None


def test_a_rotation_that_works_again_fails_no_more():
    story = published().planned().failed("mint").minted().verified().publishing().written().read_back().confirmed()

    assert status(story).state is State.IDLE
    assert status(story).failing_since is None


# --- needs_operator


def newer(story: Story) -> Story:
    """A newer version worked on it, and then the older one came back."""
    fact = Draft(what=Unknown(word="teleported", passed_over=False), at=story.at)
    story.view = fold(story.view, fact)
    return story


NEEDS = {
    "target_occupied": (
        lambda: Story().tell(K.OVERRIDDEN, target="env", fingerprint="x"),
        {},
        "a value that is not ours stands at env",
    ),
    "target_overridden": (
        STORIES[State.NEEDS_OPERATOR],
        {},
        "somebody else changed the managed key at env",
    ),
    "rejected": (rejected, {}, "5 minted tokens were turned down in a row"),
    "management_token": (
        published,
        {"rotation": asked(OperatorCode.MANAGEMENT_TOKEN)},
        "the management token cannot do this",
    ),
    "mass_death": (
        published,
        {"start": asked(OperatorCode.MASS_DEATH)},
        "so many tokens of the connection died at once that the answers are not believed",
    ),
    "exposed_again": (
        published,
        {"start": asked(OperatorCode.EXPOSED_AGAIN)},
        "a value of it was found in public twice within a day: a target itself may be the leak",
    ),
    "newer_version": (
        lambda: newer(published()),
        {},
        "a newer version of rotator wrote `teleported` into its journal, which this one does not know",
    ),
    "restored_journal": (
        lambda: published().tell(K.AHEAD),
        {},
        "something outside is ahead of the journal: it was lost or restored",
    ),
}


def test_every_code_has_a_story():
    assert set(NEEDS) == set(OperatorCode)


@pytest.mark.parametrize("code", NEEDS)
def test_every_code_says_what_is_wrong_since_when_and_what_to_do(code):
    story, waits, message = NEEDS[code]
    found = status(story(), **waits).needs_operator

    assert found is not None
    assert (found.code, found.message, found.since) == (code, message, START)
    assert found.remedy == OperatorCode(code).remedy
    assert "{" not in found.message


@pytest.mark.parametrize("code", OperatorCode)
def test_only_what_keeps_it_from_being_fresh_is_its_state(code):
    story, waits, message = NEEDS[code]
    found = status(story(), **waits)

    assert (found.state is State.NEEDS_OPERATOR) == code.blocks
    assert (found.message == message) == code.blocks


def test_a_need_that_an_earlier_version_noted_without_a_time_counts_from_now():
    found = status(published().later(9), start=asked(OperatorCode.MASS_DEATH, since=0.0)).needs_operator

    assert found is not None
    assert found.since == START + 9


def test_a_restored_journal_that_was_confirmed_needs_nobody():
    story = published().tell(K.AHEAD).later(1).tell(K.RESOLVED, detail={"how": "retry"})

    assert status(story).needs_operator is None


# --- times


def test_a_credential_before_its_first_value_has_no_times():
    found = status(Story())

    assert (found.expires_on, found.next_rotation, found.rotation_deadline, found.last_success) == (None,) * 4
    assert (found.token_id, found.token_name, found.next_attempt) == (None, None, None)
    assert not found.ready


def test_a_published_credential_says_when_it_expires_and_rotates():
    found = status(published())

    assert found.expires_on == START + LIFE
    assert START < found.next_rotation < found.rotation_deadline < found.expires_on
    assert found.last_success == START
    assert found.token_name == "deploy~i.r1.1.1"


def test_a_token_without_expiry_never_rotates_by_itself():
    story = Story(credential(policy=Policy(lifetime=NEVER))).seen_first().rotated(life=NEVER)

    assert status(story).next_rotation == NEVER
    assert status(story).message == "fresh; never expires"


def test_an_expired_value_is_not_ready():
    assert not status(published().later(LIFE)).ready


def test_what_is_due_says_so():
    found = status(published().later(LIFE - 10 * DAY))

    assert (found.reason, found.message) == (None, "due for rotation")


def test_a_fresh_one_says_when_it_rotates():
    assert status(published()).message.startswith("fresh; rotates in ")


def test_drift_that_waits_to_be_healed_says_where_and_when():
    story = published().tell(K.SEEN, target="env", token_id="")

    found = status(story, start=said(story.at + 9, "drift"))

    assert (found.reason, found.message) == (Reason.DRIFT, "out of sync: env; healed again in 9 s")


@pytest.mark.parametrize("why", [Reason.PACING, Reason.CLOCK_SUSPECT])
def test_what_is_due_and_held_back_says_why(why):
    story = published().later(LIFE - 10 * DAY)
    found = status(story, start=said(story.at + 300, why))

    assert (found.reason, found.message) == (why, f"due for rotation ({why.text})")


def test_what_waits_for_another_of_its_group_says_for_which():
    waits = said(0.0, Reason.GROUP, subject="web-2")
    due, asked = published().later(LIFE - 10 * DAY), published().tell(K.REQUEST, detail={"request_id": "q"})

    assert status(due, start=waits).message == f"due for rotation ({Reason.GROUP.text}: web-2)"
    found = status(asked, start=waits)
    assert (found.reason, found.message) == (Reason.GROUP, f"a rotation is requested ({Reason.GROUP.text}: web-2)")


def test_what_was_due_and_is_fresh_again_says_nothing_of_an_old_wait():
    assert status(published(), start=said(START + 300, "pacing")).reason is Reason.FRESH


# --- rotation


def test_the_open_rotation_says_what_it_waits_for():
    story = published().planned().intent()
    found = status(story, rotation=said(story.at + 61, "settle"))

    assert found.rotation is not None
    assert (found.rotation.step, found.rotation.reason) == ("intent", "settle")
    assert found.rotation.waiting_until == story.at + 61
    assert found.next_attempt is None, "nothing failed"
    assert found.message == "rotating: intent (a request may still be under way)"


def test_a_rotation_that_nobody_waited_for_yet_says_why_it_was_planned():
    found = status(published().planned())

    assert found.rotation is not None
    assert found.rotation.waiting_until is None
    assert found.message == "rotating: planned"


def test_a_failing_rotation_says_the_last_error_and_when_it_tries_again():
    story = published().planned().minted().verified().publishing()
    story.failed("write", "env", why="disk full").later(5).failed("write", "vault", why="sealed")
    found = status(story, rotation=said(story.at + 30, "failed", "env"))

    assert found.message == "rotating: publishing (sealed)"
    assert found.next_attempt == story.at + 30
    assert found.failing_since == story.at - 5


@pytest.mark.parametrize("why", ["target_unwritable", "journal_unsafe"])
def test_a_rotation_that_may_not_start_fails_although_nothing_was_tried(why):
    story = published().planned()
    found = status(story, rotation=said(story.at + 60, why))

    assert found.state is State.FAILING
    assert found.message == f"rotating: planned ({Reason(why).text})"
    assert found.next_attempt == story.at + 60
    assert found.failing_since is None


def test_an_error_without_words_says_what_it_waits_for():
    story = published().planned().failed("mint", why="")

    found = status(story, rotation=said(story.at + 30, "failed"))

    assert found.message == "rotating: planned (the last try failed and is repeated)"


def test_the_strategy_is_the_rotations_own_except_for_a_republish():
    assert status(published().planned(Strategy.ROLL)).strategy == "roll"
    assert status(published().planned(Strategy.REPUBLISH)).strategy == "recreate"


# --- targets that could not be used

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


# --- targets


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


# --- retirements, pause


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


# --- words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"), (0, "0 s"), (45, "45 s"), (119, "119 s"), (120, "2 min"), (HOUR, "60 min"), (2 * HOUR, "2 h"),
        (DAY - 1, "24 h"), (DAY, "1 d"), (61 * DAY, "61 d"), (NEVER, "never"),
    ],
)  # fmt: skip
def test_durations_in_human_words(seconds, words):
    assert human(seconds) == words


def test_a_wait_is_not_an_operators_need():
    assert Operator(OperatorCode.REJECTED, 0.0).subject == ""


# --- what the provider refused


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


def test_a_credential_that_is_only_watched_says_so():
    story = published()
    story.credential = credential(targets=())

    assert status(story).message == "watched only: it has no targets, so nothing is minted"


def test_a_retirement_that_nobody_waited_for_yet_says_nothing():
    story = published().rotated()

    assert held_up(Told(story.credential, story.view, story.at, Note(), {}), "t1") is None
