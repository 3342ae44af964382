"""Windows, freezes and groups in the configuration: what they mean, and what is said of a wrong one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rotator.config.explain import ConfigErrors
from rotator.config.load import read_stanza
from rotator.config.models import Config
from rotator.config.policy import to_credential
from rotator.core.calendar import ALWAYS, Group, Hours
from rotator.core.durations import DAY
from rotator.core.ids import CredentialId
from tests.unit.config.conftest import Load, credential
from tests.unit.config.fake_kinds import KINDS


def hours(config: Config) -> Hours:
    stanza = config.credentials[0]
    return to_credential(stanza, config.advanced, CredentialId("c"), calendar=config.calendar).hours


def refused(loads: Load, text: str) -> str:
    with pytest.raises(ConfigErrors) as caught:
        loads(text)
    return "\n".join(caught.value.messages)


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def windows(text: str) -> str:
    return credential(f"    rotation: {{windows: [{text}]}}\n")


# -------------------------------------------------------------------------------------------------------------- windows
def test_a_window_has_days_times_and_a_zone(loads: Load) -> None:
    (found,) = hours(loads(windows('{days: [mon, tue], from: "22:00", to: "05:00", zone: Europe/Berlin}'))).windows

    assert (found.days, found.start, found.end, found.zone_name) == ({0, 1}, 22 * 60, 5 * 60, "Europe/Berlin")
    assert found.holds(utc("2026-11-30T21:30"))


def test_without_days_and_zone_it_is_every_day_in_utc(loads: Load) -> None:
    (found,) = hours(loads(windows('{from: "0:30", to: "24:00"}'))).windows

    assert (found.days, found.start, found.end, found.zone_name) == (set(range(7)), 30, 1440, "UTC")


def test_what_the_journal_keeps_of_a_stanza_with_windows_is_the_same_stanza(loads: Load) -> None:
    config = loads(windows('{days: [sat], from: "22:00", to: "24:00", zone: Asia/Tokyo}'))
    (stanza,) = config.credentials

    assert read_stanza(stanza.spec(), KINDS, config.connections) == stanza


def test_a_stanza_without_them_reads_in_the_journal_as_it_always_did(loads: Load) -> None:
    spec = loads(credential()).credentials[0].spec()

    assert "windows" not in spec["rotation"]
    assert "group" not in spec


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{from: "22:00", to: "22:00"}', "the window begins when it ends"),
        ('{from: "25:00", to: "26:00"}', "this is not a time of day"),
        ('{from: "10pm", to: "11:00"}', "this is not a time of day"),
        ("{from: 22, to: 5}", "this is not a time of day"),
        ('{from: "22:00"}', "the key `to` is missing"),
        ('{from: "22:00", to: "05:00", zone: Europe/Bärlin}', "this is no time zone that this machine knows"),
        ('{from: "22:00", to: "05:00", zone: ../../etc/passwd}', "this is no time zone that this machine knows"),
        ('{from: "22:00", to: "05:00", days: [monday]}', "does not have that choice"),
        ('{from: "22:00", to: "05:00", days: []}', "expected at least 1 entry"),
        ("", "expected at least 1 entry"),
    ],
)
def test_a_wrong_window_is_refused_at_its_place(loads: Load, written: str, said: str) -> None:
    assert f": {said}" in refused(loads, windows(written)) or said in refused(loads, windows(written))


# -------------------------------------------------------------------------------------------------------------- freezes
def test_a_freeze_holds_for_the_credentials_that_it_names(loads: Load) -> None:
    freeze = "freezes:\n  - {from: 2026-12-20T00:00:00Z, to: 2027-01-04T00:00:00+01:00, reason: year end, "

    (found,) = hours(loads(credential() + freeze + 'credentials: ["a*"]}\n')).freezes
    assert (found.since, found.until, found.reason) == (utc("2026-12-20"), utc("2027-01-03T23:00"), "year end")
    assert hours(loads(credential() + freeze + "credentials: [b]}\n")) is ALWAYS


def test_a_moment_without_an_offset_is_that_of_the_zone(loads: Load) -> None:
    (found,) = hours(
        loads(credential() + "freezes: [{from: 2026-12-20, to: 2026-12-20T18:00, zone: Europe/Berlin}]\n")
    ).freezes

    assert (found.since, found.until) == (utc("2026-12-19T23:00"), utc("2026-12-20T17:00"))


@pytest.mark.parametrize(
    ("start", "end", "since", "until"),
    [
        ("2026-10-25T02:30", "2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T01:30"),  # the hour comes twice
        ("2026-03-29T02:30", "2026-03-29T02:30", "2026-03-29T00:30", "2026-03-29T01:30"),  # it does not exist
    ],
)
def test_where_a_clock_is_set_a_freeze_takes_the_longer_way(
    loads: Load, start: str, end: str, since: str, until: str
) -> None:
    (found,) = hours(loads(credential() + f"freezes: [{{from: {start}, to: {end}, zone: Europe/Berlin}}]\n")).freezes

    assert (found.since, found.until) == (utc(since), utc(until))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{from: 2026-12-20, to: 2026-12-19}", "the freeze ends before it begins"),
        ("{from: tomorrow, to: 2026-12-19}", "this is no moment"),
        ("{from: 20261220, to: 2026-12-19}", "this is no moment"),
        ("{to: 2026-12-19}", "the key `from` is missing"),
    ],
)
def test_a_wrong_freeze_is_refused_at_its_place(loads: Load, written: str, said: str) -> None:
    assert said in refused(loads, credential() + f"freezes: [{written}]\n")


def test_a_freeze_of_nobody_is_worth_a_warning(loads: Load) -> None:
    text = credential() + "freezes: [{from: 2026-12-20, to: 2026-12-24, credentials: [typo]}]\n"

    assert "freeze_of_nobody" in [warned.code for warned in loads(text).warnings]


# --------------------------------------------------------------------------------------------------------------- groups
def test_a_group_has_a_gap(loads: Load) -> None:
    config = loads(credential("    group: apps\n") + "groups: {apps: {min_gap: 24h}}\n")

    assert hours(config).group == Group(name="apps", min_gap=DAY)


def test_a_group_may_stand_empty(loads: Load) -> None:
    assert hours(loads(credential("    group: apps\n") + "groups: {apps: }\n")).group == Group(name="apps")


def test_a_group_that_is_not_there_is_an_error_with_the_nearest(loads: Load) -> None:
    said = refused(loads, credential("    group: aps\n") + "groups: {apps: {min_gap: 24h}}\n")

    assert "there is no group `aps`; expected one of apps; write `apps`" in said


def test_a_group_in_which_the_last_one_comes_too_late_is_worth_a_warning(loads: Load) -> None:
    one = (
        "  - {name: b, connection: prod, group: apps, grants: [{permissions: [DNS Write]}], "
        "targets: [{type: env_file, path: .b}]}\n"
    )
    text = credential("    group: apps\n    lifetime: 60d\n") + one + "groups: {apps: {min_gap: 25d}}\n"

    assert [(w.code, w.subject.name) for w in loads(text).warnings] == [("group_too_slow", "a")]


@pytest.mark.parametrize("written", ["groups: [apps]", "freezes: {a: b}", "groups: {apps: {gap: 24h}}", "freezes: [a]"])
def test_sections_of_another_shape_are_refused(loads: Load, written: str) -> None:
    assert refused(loads, credential() + written + "\n")
