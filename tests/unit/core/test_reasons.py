"""The closed lists: every word says what it means, and the words never change."""

import pytest

from rotator.core.reasons import RETIREMENT_WAITS, Effect, OperatorCode, Reason


@pytest.mark.parametrize("member", [*Reason, *OperatorCode])
def test_every_member_says_what_it_means_without_a_blank(member):
    said = member.say(subject="env") if isinstance(member, OperatorCode) else member.text

    assert said
    assert "{" not in said
    assert "{" not in member.remedy


def test_what_may_not_begin_has_a_remedy():
    assert {reason.value for reason in Reason if reason.blocks} == {"target_unwritable", "journal_unsafe"}
    assert all(reason.remedy for reason in Reason if reason.blocks)


def test_what_rests_is_a_due_date_or_ends_with_a_person_or_an_hour():
    resting = {reason.value for reason in Reason if reason.effect is Effect.RESTS}

    calendar = {"window", "freeze", "group", "group_gap"}
    assert (
        resting == {"watch", "fresh", "paused", "pacing", "restored_journal", "clock_suspect", "staggered"} | calendar
    )


def test_every_code_has_a_remedy_and_only_a_restored_journal_keeps_nothing_from_being_fresh():
    assert all(code.remedy for code in OperatorCode)
    assert [code.value for code in OperatorCode if not code.blocks] == ["restored_journal"]


def test_what_is_shown_as_blocking_a_retirement_is_the_documented_list():
    assert {
        *("grace", "still_used", "still_published", "targets_not_in_sync", "soak", "paused", "restored_journal"),
        *("failed", "unacknowledged", "provider_silent", "successor_first"),
    } == RETIREMENT_WAITS


def test_a_word_that_this_version_does_not_know_is_none():
    assert Reason.of("odd") is Reason.of(None) is OperatorCode.of("odd") is None
    assert Reason.of("soak") is Reason.SOAK
    assert OperatorCode.of("rejected") is OperatorCode.REJECTED
