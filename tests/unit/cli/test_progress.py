"""What `rotate --wait` says that it waits for."""

from dataclasses import replace

import pytest

from rotator.cli.following import Served
from rotator.cli.progress import UNTAKEN, waits_for
from rotator.core.facts import Kind
from rotator.core.notes import Note, Trouble, Waits
from rotator.core.reasons import Reason
from rotator.core.status import credential_status
from tests.unit.core.story import Story, published

K = Kind
END = 1_000_060.0


def said(story: Story, served: Served, olds: tuple[str, ...] = (), troubles: object = None, **waits: Waits) -> str:
    note = Note(waits=waits, troubles=troubles or {})
    status = credential_status(story.credential, story.view, story.at, note)
    return waits_for(served, status, note, olds, story.at)


def test_a_request_that_nobody_took_says_so() -> None:
    assert said(published(), Served.REQUESTED) == UNTAKEN
    fresh = Waits(until=END, why=Reason.FRESH)
    assert said(published(), Served.REQUESTED, start=fresh) == UNTAKEN, "that word is from before the request"


def test_a_start_that_is_held_back_says_why() -> None:
    paced = Waits(until=END, why=Reason.PACING)
    assert said(published(), Served.REQUESTED, start=paced) == f"{Reason.PACING.text}, until 13:47:40 UTC"
    clock = Waits(until=END, why=Reason.CLOCK_SUSPECT)
    assert f"(do: {Reason.CLOCK_SUSPECT.remedy})" in said(published(), Served.REQUESTED, start=clock)


def test_a_pause_names_the_verb_that_ends_it() -> None:
    assert said(published().tell(K.PAUSED), Served.REQUESTED) == "paused; `rotator resume deploy` ends that"


def test_a_pause_that_was_ended_is_not_said_any_more() -> None:
    stale = Waits(until=END, why=Reason.PAUSED)
    assert said(published(), Served.REQUESTED, start=stale) == UNTAKEN
    assert said(published().planned(), Served.ROTATING, rotation=stale) == ""
    assert said(published(), Served.CONFIRMED, ("t1",), t1=stale) == "the old token is not retired yet"


def test_what_to_do_names_the_credential() -> None:
    story = published().planned()
    trouble = Trouble(act="check", message="DB_NAME is there", remedy="`rotator resolve NAME --retry`")
    assert (
        said(story, Served.ROTATING, troubles={("vault", "check"): trouble})
        == "vault: DB_NAME is there (do: `rotator resolve deploy --retry`)"
    )


def test_an_open_rotation_says_the_reason_with_its_target_and_its_end() -> None:
    story = published().planned()
    assert said(story, Served.ROTATING) == ""
    waits = Waits(until=END, why=Reason.FAILED, subject="vault")
    assert said(story, Served.ROTATING, rotation=waits) == f"{Reason.FAILED.text} (vault), until 13:47:40 UTC"


def test_a_target_in_the_way_is_named_with_what_to_do() -> None:
    story = published().planned()
    troubles = {("vault", "check"): Trouble(act="check", message="Vault is sealed", remedy="unseal it")}
    assert said(story, Served.ROTATING, troubles=troubles) == "vault: Vault is sealed (do: unseal it)"


def test_what_the_provider_refused_is_said_with_what_to_do() -> None:
    story = published().planned().tell(K.FAILED, detail={"act": "mint", "why": "no", "remedy": "free a slot"})
    assert said(story, Served.ROTATING) == "no (do: free a slot)"


@pytest.mark.parametrize("subject", ["", "vault"])
def test_a_retirement_says_what_it_waits_for(subject: str) -> None:
    waits = Waits(until=END, why=Reason.STILL_PUBLISHED, subject=subject)
    found = said(published(), Served.CONFIRMED, ("t1",), t1=waits)
    assert found.startswith(f"the old token is not retired yet: {Reason.STILL_PUBLISHED.text}")
    assert ("(vault)" in found) is bool(subject)
    assert said(published(), Served.CONFIRMED, ("t1",)) == "the old token is not retired yet"


def test_a_reason_without_an_end_names_none() -> None:
    waits = Waits(until=float("inf"), why=Reason.VERIFICATION)
    assert said(published().planned(), Served.ROTATING, rotation=replace(waits)) == Reason.VERIFICATION.text
