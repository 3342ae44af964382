"""Metrics of values that died, of connections and the process, and the page itself."""

import dataclasses
import math
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rotator.core.errors import JournalUnsafe
from rotator.core.events import Event
from rotator.core.reasons import KeepCode
from rotator.core.status import CredentialStatus
from rotator.observability.connection_samples import ConnectionRow
from rotator.observability.families import FAMILIES, metrics_reference
from rotator.observability.process import PROCESS
from tests.unit.observability.measured import IDLE, NEW, Page, names

DEAD = "rotator_dead_value_seconds_total{credential=dns,target=vault:ci}"


DEAD_FILE = "rotator_dead_value_seconds_total{credential=dns,target=file}"


def test_a_dead_value_costs_seconds_until_each_target_is_written() -> None:
    page = Page(IDLE)
    page.scrape()
    page.say(Event.VALUE_DEAD, credential="dns")
    page.clock.seconds += 30
    page.say(Event.VALUE_DEAD, credential="dns")
    page.say(Event.TARGET_WRITTEN, credential="dns", target="vault:ci")
    page.clock.seconds += 30
    page.say(Event.ROTATION_CONFIRMED, credential="dns")
    page.clock.seconds += 500
    found = page.scrape()

    assert (found[DEAD], found[DEAD_FILE]) == (30, 60)


def test_a_value_that_is_still_dead_grows_at_every_scrape() -> None:
    page = Page(IDLE)
    page.scrape()
    page.say(Event.VALUE_DEAD, credential="dns", target="vault:ci")

    assert [page.scrape()[DEAD], page.scrape()[DEAD]] == [10, 20]
    assert page.scrape()[DEAD_FILE] == 0


def test_a_second_death_adds_to_the_first() -> None:
    page = Page(IDLE)
    page.scrape()
    for _ in range(2):
        page.say(Event.VALUE_DEAD, credential="dns")
        page.clock.seconds += 7
        page.say(Event.VALUE_ADOPTED, credential="dns", target="vault:ci")

    assert page.scrape()[DEAD] == 14


def test_a_roll_makes_the_old_value_dead_from_its_capture_on() -> None:
    page = Page(dataclasses.replace(IDLE, strategy="roll"))
    page.scrape()
    page.say(Event.ROTATION_CAPTURED, credential="dns", strategy="roll")
    page.clock.seconds += 2
    page.say(Event.TARGET_WRITTEN, credential="dns", target="vault:ci")

    assert page.scrape()[DEAD] == 2


@pytest.mark.parametrize(
    "status", [IDLE, dataclasses.replace(NEW, strategy="roll")], ids=["recreate", "the first creation of a roll"]
)
def test_a_capture_that_kills_nothing_costs_no_seconds(status: CredentialStatus) -> None:
    page = Page(status)
    page.scrape()
    page.say(Event.ROTATION_CAPTURED, credential="dns", strategy=status.strategy)

    assert page.scrape()[DEAD] == 0


def test_a_connection_shows_what_is_known_of_it() -> None:
    row = ConnectionRow(
        name="prod",
        reachable=False,
        rate_remaining=288,
        token_expires_on={"management": 1800000000.0, "standby": math.inf},
        quota_used=31,
        quota_limit=500,
        orphans=2,
    )
    page = Page(rows=[row]).scrape()

    assert page["rotator_connection_reachable{connection=prod}"] == 0
    assert page["rotator_rate_limit_remaining_requests{connection=prod}"] == 288
    assert page["rotator_token_quota_used{connection=prod}"] == 31
    assert page["rotator_token_quota_limit{connection=prod}"] == 500
    assert page["rotator_orphans{connection=prod}"] == 2
    expiry = "rotator_connection_token_expiration_timestamp_seconds{connection=prod,role="
    assert (page[expiry + "management}"], page[expiry + "standby}"]) == (1800000000, math.inf)


def test_a_management_token_that_is_not_accepted_is_seen_on_the_page():
    page = Page(rows=[ConnectionRow(name="prod", accepted={"management": False, "standby": True})]).scrape()

    accepted = "rotator_connection_token_accepted{connection=prod,role="
    assert (page[accepted + "management}"], page[accepted + "standby}"]) == (0, 1)


def test_what_a_management_token_needs_and_how_often_it_was_renewed_is_on_the_page():
    row = ConnectionRow(name="prod", token_renewal={"standby": 7.0}, needs={"standby": {KeepCode.MEMBER_UNABLE}})
    page = Page(rows=[row])
    for event in ("login_renewed", "login_renewed", "login_unrenewed"):
        page.metrics.observe_event(event, {"connection": "prod", "role": "standby"})
    page.metrics.observe_event("login_unrenewed", {"connection": "prod"})
    found = page.scrape()

    assert found["rotator_connection_token_renewal_timestamp_seconds{connection=prod,role=standby}"] == 7
    needs = {
        code: found[f"rotator_management_token_needs{{code={code},connection=prod,role=standby}}"] for code in KeepCode
    }
    assert {code for code, is_so in needs.items() if is_so} == {"member_unable"}
    renewals = "rotator_management_token_renewals_total{connection=prod,result=%s,role=standby}"
    assert (found[renewals % "renewed"], found[renewals % "failed"]) == (2, 1)


def test_a_target_s_connection_has_no_requests_quota_or_orphans() -> None:
    page = Page(rows=[ConnectionRow(name="vault", source=False, token_expires_on={"login": 5.0})]).scrape()

    assert {key for key in page if "connection=vault" in key} == {
        "rotator_connection_token_expiration_timestamp_seconds{connection=vault,role=login}"
    }


def test_requests_count_by_operation_and_status() -> None:
    page = Page(rows=[ConnectionRow(name="prod")])
    for status in ("200", "200", "503", "lost", "no status at all", "999"):
        page.metrics.provider_request("prod", "create", status)
    page.metrics.provider_request("prod", "GET /user/tokens/0123", "200")
    page.metrics.provider_request("not configured", "create", "200")
    found = page.scrape()

    series = "rotator_provider_requests_total{connection=prod,operation="
    assert found[series + "create,status=200}"] == 2
    assert found[series + "create,status=503}"] == 1
    assert found[series + "create,status=lost}"] == 1
    assert found[series + "create,status=other}"] == 2
    assert found[series + "other,status=200}"] == 1
    assert not {key for key in found if "not configured" in key or "0123" in key}


def test_the_process_shows_its_tick_its_configuration_and_its_build() -> None:
    page = Page()
    before = page.scrape()
    page.metrics.tick()
    page.lost = 7
    page.say(Event.CONFIG_REJECTED)
    rejected = page.scrape()
    page.say(Event.CONFIG_LOADED)
    loaded = page.scrape()

    assert before["rotator_scheduler_last_tick_timestamp_seconds"] == 0
    assert rejected["rotator_scheduler_last_tick_timestamp_seconds"] == page.metrics.last_tick == 1010
    assert rejected["rotator_log_lines_dropped_total"] == 7
    key = "rotator_config_last_reload_successful"
    assert (before[key], rejected[key], loaded[key]) == (1, 0, 1)
    assert loaded["rotator_config_last_reload_success_timestamp_seconds"] == 1020
    assert any(key.startswith("rotator_build_info{") and "version=1.2.3" in key for key in loaded)


def test_a_journal_that_does_not_answer_leaves_the_last_picture_and_says_so() -> None:
    page = Page(IDLE)
    good = page.scrape()
    page.error = JournalUnsafe("the disk is full")
    bad = page.scrape()

    assert (good["rotator_journal_readable"], bad["rotator_journal_readable"]) == (1, 0)
    assert bad["rotator_credential_ready{credential=dns}"] == 1
    page.error = None
    assert page.scrape()["rotator_journal_readable"] == 1


def test_a_page_that_never_saw_the_journal_still_shows_the_process() -> None:
    page = Page(IDLE)
    page.error = JournalUnsafe("the disk is full")

    assert {"rotator_build_info", "rotator_scheduler_last_tick_timestamp_seconds"} <= names(page.scrape())


def test_a_storm_of_scrapes_looks_at_the_journal_once_a_second() -> None:
    page = Page(IDLE)
    pages = {page.metrics.render() for _ in range(100)}
    page.clock.seconds += 1
    page.metrics.render()

    assert (len(pages), page.looks) == (1, 2)


def test_a_slow_page_is_kept_longer() -> None:
    page = Page(IDLE)

    def slow() -> list[CredentialStatus]:
        page.clock.seconds += 4
        page.looks += 1
        return [IDLE]

    page.metrics._snapshot = slow
    page.metrics.render()
    page.clock.seconds += 19
    page.metrics.render()
    assert page.looks == 1
    page.clock.seconds += 1
    page.metrics.render()
    assert page.looks == 2


def test_a_large_fleet_gives_way_to_sums_and_the_soonest_to_expire() -> None:
    fleet = [dataclasses.replace(IDLE, name=f"c{i}", expires_on=2e9 - i) for i in range(20)]
    fleet.append(dataclasses.replace(NEW, name="new"))
    page = Page(*fleet, limit=10, soonest=3).scrape()

    shown = {key for key in page if key.startswith("rotator_credential_ready{")}
    assert shown == {f"rotator_credential_ready{{credential=c{i}}}" for i in (17, 18, 19)}
    assert page["rotator_credentials{state=idle}"] == 20
    assert page["rotator_credentials{state=uninitialized}"] == 1
    assert page["rotator_credentials_not_ready"] == 1


def test_a_fleet_at_the_limit_keeps_every_series() -> None:
    fleet = [dataclasses.replace(IDLE, name=f"c{i}") for i in range(10)]

    assert len([key for key in Page(*fleet, limit=10).scrape() if key.startswith("rotator_credential_ready{")]) == 10


def test_odd_names_are_escaped() -> None:
    page = Page(dataclasses.replace(IDLE, name='a"b\\c\nd'))

    assert b'credential="a\\"b\\\\c\\nd"' in page.metrics.render()


def test_no_series_says_when_it_was_created_and_none_holds_a_token_id() -> None:
    page = Page(IDLE, rows=[ConnectionRow(name="prod")]).metrics.render().decode()

    assert "_created" not in page
    assert IDLE.token_id not in page
    assert IDLE.token_name not in page


def test_the_page_and_its_reference_name_the_same_metrics_types_and_labels() -> None:
    row = ConnectionRow(
        name="prod",
        reachable=True,
        rate_remaining=1,
        quota_used=1,
        quota_limit=1,
        token_expires_on={"management": 1.0},
        accepted={"management": True},
        token_renewal={"management": 1.0},
        needs={"management": {KeepCode.MEMBER_DEAD}},
    )
    page = Page(
        dataclasses.replace(IDLE, labels={"team": "web"}),
        rows=[row],
        exports=lambda: {"siem": 2},
        backlogs=lambda: {"team": 1},
    )
    found = {}
    for family in text_string_to_metric_families(page.metrics.render().decode()):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = (family.type, labels)

    of_the_process = {name for name in found if name.startswith("process_")}
    assert of_the_process == (set(PROCESS) if Path("/proc/self/stat").exists() else set())
    for name in of_the_process:
        assert not found.pop(name)[1], "no labels"
    assert found == {family.name: (family.kind, set(family.labels)) for family in FAMILIES}
    assert [line["name"] for line in metrics_reference()] == list(found)
    assert all(line["meaning"].endswith(".") for line in metrics_reference())
