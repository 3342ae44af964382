"""Every configured credential has its series from the first scrape; counters follow events; labels are closed."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rotator.core.credential import State
from rotator.core.errors import JournalUnsafe
from rotator.core.events import Event
from rotator.core.reasons import RETIREMENT_WAITS, KeepCode, OperatorCode, Reason
from rotator.core.status import CredentialStatus, NeedsOperator, OpenRetirement, TargetStatus, Trouble
from rotator.observability.connection_samples import ConnectionRow
from rotator.observability.credential_samples import STEPS
from rotator.observability.families import FAMILIES, metrics_reference
from rotator.observability.metrics import Metrics
from rotator.observability.process import PROCESS
from rotator.observability.tally import RESULTS, WRITES

TARGETS = (
    TargetStatus(name="vault:ci", type="vault", required=True, in_sync=True, generation=3, ends=1.7e9),
    TargetStatus(name="file", type="env_file", required=False, in_sync=None, generation=0),
)
IDLE = CredentialStatus(
    name="dns",
    connection="prod",
    owner="account",
    strategy="recreate",
    state=State.IDLE,
    ready=True,
    generation=3,
    token_id="0123456789abcdef0123456789abcdef",
    token_name="dns~i.r.1.1",
    expires_on=1800000000.0,
    next_rotation=1790000000.0,
    rotation_deadline=1799999000.0,
    last_success=1780000000.0,
    next_attempt=None,
    failing_since=None,
    rotation=None,
    retirements=(),
    paused=None,
    needs_operator=None,
    message="",
    targets=TARGETS,
)
NEW = dataclasses.replace(
    IDLE,
    state=State.UNINITIALIZED,
    ready=False,
    generation=0,
    expires_on=None,
    next_rotation=None,
    rotation_deadline=None,
    last_success=None,
)


class Clock:
    """Both clocks of a page."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Page:
    """A page over statuses that the test may change, with every sample by name and labels."""

    def __init__(self, *statuses: CredentialStatus, rows: Sequence[ConnectionRow] = (), **options: Any) -> None:
        self.statuses, self.rows, self.clock = list(statuses), list(rows), Clock()
        self.looks, self.lost, self.error = 0, 0, None
        self.metrics = Metrics(
            self._look,
            lambda: self.rows,
            version="1.2.3",
            dropped=lambda: self.lost,
            now=self.clock,
            monotonic=self.clock,
            **options,
        )

    def _look(self) -> list[CredentialStatus]:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return self.statuses

    def say(self, event: Event, **fields: object) -> None:
        self.metrics.observe_event(event, fields)

    def scrape(self) -> Mapping[str, float]:
        self.clock.seconds += 10
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(self.metrics.render().decode()):
            for sample in family.samples:
                labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
                key = f"{sample.name}{{{labels}}}" if labels else sample.name
                assert key not in found, f"{key} stands twice on the page"
                found[key] = sample.value
        return found


def names(samples: Mapping[str, float]) -> set[str]:
    return {key.split("{")[0] for key in samples}


# ------------------------------------------------------------------------------------------------------- one credential
def test_a_target_shows_how_long_the_last_roll_left_it_without_a_living_value() -> None:
    targets = (dataclasses.replace(TARGETS[0], outage=12.0), TARGETS[1])
    page = Page(dataclasses.replace(IDLE, targets=targets)).scrape()

    assert page["rotator_target_roll_outage_seconds{credential=dns,target=vault:ci}"] == 12
    assert page["rotator_target_roll_outage_seconds{credential=dns,target=file}"] == 0


def test_each_label_of_a_credential_is_a_series_to_join_with() -> None:
    page = Page(dataclasses.replace(IDLE, labels={"team": "web", "tier": "1"})).scrape()

    shown = {key for key in page if key.startswith("rotator_credential_label_info")}
    assert shown == {
        "rotator_credential_label_info{credential=dns,label=team,value=web}",
        "rotator_credential_label_info{credential=dns,label=tier,value=1}",
    }


def test_a_credential_shows_what_its_status_says() -> None:
    page = Page(IDLE).scrape()

    assert page["rotator_credential_info{connection=prod,credential=dns,owner=account,strategy=recreate}"] == 1
    assert page["rotator_credential_ready{credential=dns}"] == 1
    assert page["rotator_credential_paused{credential=dns}"] == 0
    assert page["rotator_credential_expiration_timestamp_seconds{credential=dns}"] == 1800000000
    assert page["rotator_credential_renewal_timestamp_seconds{credential=dns}"] == 1790000000
    assert page["rotator_credential_rotation_deadline_timestamp_seconds{credential=dns}"] == 1799999000
    assert page["rotator_credential_last_success_timestamp_seconds{credential=dns}"] == 1780000000
    assert page["rotator_credential_failing_since_timestamp_seconds{credential=dns}"] == 0
    assert page["rotator_target_in_sync{credential=dns,required=true,target=vault:ci}"] == 1
    assert page["rotator_target_in_sync{credential=dns,required=false,target=file}"] == 0
    assert page["rotator_target_value_ends_timestamp_seconds{credential=dns,target=vault:ci}"] == 1.7e9
    assert page["rotator_target_value_ends_timestamp_seconds{credential=dns,target=file}"] == float("inf")


@pytest.mark.parametrize("state", [s for s in State if s is not State.UNMANAGED])
def test_exactly_the_present_state_is_one(state: State) -> None:
    page = Page(dataclasses.replace(IDLE, state=state)).scrape()

    assert {s: page[f"rotator_credential_state{{credential=dns,state={s.value}}}"] for s in State} == {
        s: float(s is state) for s in State
    }


def test_a_credential_without_a_token_has_every_series_but_its_times() -> None:
    page = Page(NEW).scrape()

    assert page["rotator_credential_ready{credential=dns}"] == 0
    assert page["rotator_credential_failing_since_timestamp_seconds{credential=dns}"] == 0
    assert not {name for name in names(page) if "expiration" in name or "renewal" in name or "deadline" in name}


def test_never_is_infinite() -> None:
    page = Page(dataclasses.replace(IDLE, expires_on=math.inf, next_rotation=math.inf)).scrape()

    assert page["rotator_credential_expiration_timestamp_seconds{credential=dns}"] == math.inf
    assert page["rotator_credential_renewal_timestamp_seconds{credential=dns}"] == math.inf


def test_closed_lists_stand_at_zero_before_anything_happened() -> None:
    page = Page(NEW, rows=[ConnectionRow(name="prod")]).scrape()

    assert {page[f"rotator_rotations_total{{credential=dns,result={result}}}"] for result in RESULTS} == {0}
    assert {page[f"rotator_retirement_blocked{{credential=dns,reason={reason}}}"] for reason in RETIREMENT_WAITS} == {0}
    assert {page[f"rotator_target_writes_total{{result={result},target_type=vault}}"] for result in WRITES} == {0}
    assert {page[f"rotator_retirements{{state={step}}}"] for step in STEPS} == {0}
    assert {page[f"rotator_events_total{{event={event.value}}}"] for event in Event} == {0}
    assert page["rotator_dead_value_seconds_total{credential=dns,target=vault:ci}"] == 0
    assert page["rotator_orphans{connection=prod}"] == 0
    assert page["rotator_provider_requests_total{connection=prod,operation=create,status=429}"] == 0


def test_pause_and_failure_are_shown() -> None:
    status = dataclasses.replace(IDLE, paused={"since": 1.0}, failing_since=1785000000.0, ready=False)
    page = Page(status).scrape()

    assert page["rotator_credential_paused{credential=dns}"] == 1
    assert page["rotator_credential_failing_since_timestamp_seconds{credential=dns}"] == 1785000000
    assert page["rotator_credentials_not_ready"] == 1


def test_retirements_count_by_step_and_by_what_blocks_them() -> None:
    def retirement(step: str, blocked: Reason | None) -> OpenRetirement:
        return OpenRetirement(token_id="t", step=step, until=None, blocked=blocked, last_used_on=None)

    status = dataclasses.replace(
        IDLE,
        retirements=(
            retirement("open", Reason.STILL_USED),
            retirement("open", None),
            retirement("disabled", Reason.SOAK),
        ),
    )
    page = Page(status).scrape()

    assert (page["rotator_retirements{state=open}"], page["rotator_retirements{state=disabled}"]) == (2, 1)
    assert page["rotator_retirement_blocked{credential=dns,reason=still_used}"] == 1
    assert page["rotator_retirement_blocked{credential=dns,reason=soak}"] == 1
    assert page["rotator_retirement_blocked{credential=dns,reason=grace}"] == 0


def test_one_that_left_the_configuration_is_named_and_raises_nothing() -> None:
    page = Page(dataclasses.replace(IDLE, state=State.UNMANAGED, ready=False)).scrape()

    assert page["rotator_credential_state{credential=dns,state=unmanaged}"] == 1
    assert page["rotator_credentials{state=unmanaged}"] == 1
    assert page["rotator_credentials_not_ready"] == 0
    assert not {key for key in page if "credential=dns" in key and "_info{" not in key and "_state{" not in key}


@pytest.mark.parametrize("order", [1, -1])
def test_a_name_taken_over_from_one_that_left_stands_once(order: int) -> None:
    gone = dataclasses.replace(IDLE, state=State.UNMANAGED, ready=False)
    page = Page(*(IDLE, gone)[::order]).scrape()

    assert page["rotator_credential_ready{credential=dns}"] == 1


def test_a_credential_that_is_gone_takes_its_series_along() -> None:
    page = Page(IDLE)
    page.say(Event.ROTATION_CONFIRMED, credential="dns")
    page.scrape()
    page.statuses.clear()

    assert not {key for key in page.scrape() if "credential=dns" in key}


# -------------------------------------------------------------------------------------------------- counted from events
def test_a_confirmed_rotation_counts_with_its_duration() -> None:
    page = Page(IDLE)
    page.say(Event.ROTATION_CONFIRMED, credential="dns", strategy="recreate", duration=4.0)
    page.say(Event.ROTATION_CONFIRMED, credential="dns", duration=90)
    found = page.scrape()

    assert found["rotator_rotations_total{credential=dns,result=confirmed}"] == 2
    assert found["rotator_rotation_duration_seconds_count"] == 2
    assert found["rotator_rotation_duration_seconds_sum"] == 94
    assert found["rotator_rotation_duration_seconds_bucket{le=2.5}"] == 0
    assert found["rotator_rotation_duration_seconds_bucket{le=5.0}"] == 1
    assert found["rotator_rotation_duration_seconds_bucket{le=120.0}"] == 2


def test_a_republication_counts_apart_and_without_a_duration() -> None:
    page = Page(IDLE)
    page.say(Event.ROTATION_CONFIRMED, credential="dns", strategy="republish", duration=4.0)
    found = page.scrape()

    assert found["rotator_rotations_total{credential=dns,result=confirmed}"] == 0
    assert found["rotator_rotations_total{credential=dns,result=republished}"] == 1
    assert found["rotator_rotation_duration_seconds_count"] == 0


def test_a_displaced_rotation_counts() -> None:
    page = Page(IDLE)
    page.say(Event.ROTATION_DISPLACED, credential="dns")

    assert page.scrape()["rotator_rotations_total{credential=dns,result=displaced}"] == 1


@pytest.mark.parametrize("duration", [None, "4", -1.0, math.inf, math.nan])
def test_an_odd_duration_counts_the_rotation_only(duration: object) -> None:
    page = Page(IDLE)
    page.say(Event.ROTATION_CONFIRMED, credential="dns", duration=duration)
    found = page.scrape()

    assert found["rotator_rotations_total{credential=dns,result=confirmed}"] == 1
    assert found["rotator_rotation_duration_seconds_count"] == 0


def test_a_rotation_longer_than_the_last_bound_counts_as_infinite() -> None:
    page = Page(IDLE)
    page.say(Event.ROTATION_CONFIRMED, credential="dns", duration=7200)
    found = page.scrape()

    assert found["rotator_rotation_duration_seconds_bucket{le=3600.0}"] == 0
    assert found["rotator_rotation_duration_seconds_bucket{le=+Inf}"] == 1


@pytest.mark.parametrize(
    ("event", "result"),
    [(Event.TARGET_WRITTEN, "written"), (Event.TARGET_FAILED, "failed"), (Event.OUTCOME_UNKNOWN, "unknown")],
)
def test_writes_count_by_the_type_of_their_target(event: Event, result: str) -> None:
    page = Page(IDLE)
    page.scrape()
    page.say(event, credential="dns", target="vault:ci")
    page.say(event, credential="dns", target="elsewhere", target_type="env_file")
    page.say(event, credential="unheard of", target="vault:ci")
    page.say(event, credential="dns")
    found = page.scrape()

    assert found[f"rotator_target_writes_total{{result={result},target_type=vault}}"] == 1
    assert found[f"rotator_target_writes_total{{result={result},target_type=env_file}}"] == 1
    assert found[f"rotator_target_writes_total{{result={result},target_type=other}}"] == 1


@pytest.mark.parametrize(("act", "count"), [("write", 1), ("read_back", 0), ("read", 0), ("check", 1)])
def test_only_a_write_that_failed_counts_as_one(act: str, count: int) -> None:
    page = Page(IDLE)
    page.say(Event.TARGET_FAILED, credential="dns", target="vault:ci", target_type="vault", act=act)

    assert page.scrape()["rotator_target_writes_total{result=failed,target_type=vault}"] == count


def test_every_event_counts_and_an_unknown_one_does_not() -> None:
    page = Page(IDLE)
    page.say(Event.INCIDENT, connection=object())
    page.metrics.observe_event("incident", {})
    page.metrics.observe_event("never heard of", {})
    found = page.scrape()

    assert found["rotator_events_total{event=incident}"] == 2
    assert sum(value for key, value in found.items() if key.startswith("rotator_events_total")) == 2


# ---------------------------------------------------------------------------------------------------------- dead values
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


# ---------------------------------------------------------------------------------------------- connections and process
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


# ------------------------------------------------------------------------------------------------------ the page itself
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


# --- what lasts is a gauge, so that its alert ends with it


def test_a_dead_value_is_shown_while_it_stands_there() -> None:
    page = Page(IDLE)
    page.scrape()
    page.say(Event.VALUE_DEAD, credential="dns")
    assert page.scrape()["rotator_target_value_dead{credential=dns,target=vault:ci}"] == 1
    page.say(Event.TARGET_WRITTEN, credential="dns", target="vault:ci", target_type="vault")
    assert page.scrape()["rotator_target_value_dead{credential=dns,target=vault:ci}"] == 0
    assert page.scrape()["rotator_target_value_dead{credential=dns,target=file}"] == 1


def test_targets_that_fail_are_counted_by_their_type_at_every_fleet_size() -> None:
    troubled = dataclasses.replace(TARGETS[0], problem=Trouble(act="check", message="read-only"))
    page = Page(dataclasses.replace(IDLE, targets=(troubled, TARGETS[1])), IDLE, limit=0)
    page.statuses[1] = dataclasses.replace(IDLE, name="other")
    found = page.scrape()
    assert found["rotator_targets_failing{target_type=vault}"] == 1
    assert found["rotator_targets_failing{target_type=env_file}"] == 0


def test_a_refused_preflight_is_a_failed_publication() -> None:
    page = Page(IDLE)
    page.say(Event.TARGET_FAILED, credential="dns", target="vault:ci", target_type="vault", act="check")
    page.say(Event.TARGET_FAILED, credential="dns", target="vault:ci", target_type="vault", act="read")
    assert page.scrape()["rotator_target_writes_total{result=failed,target_type=vault}"] == 1


def test_an_incident_a_restored_journal_and_a_roll_over_its_budget_are_shown() -> None:
    needs = NeedsOperator(code=OperatorCode.RESTORED_JOURNAL, message="", remedy="", since=1.0)
    restored = dataclasses.replace(IDLE, needs_operator=needs, over_budget=True)
    found = Page(restored, rows=[ConnectionRow(name="prod", incident=True)]).scrape()
    assert found["rotator_credentials_restored"] == 1
    assert found["rotator_credential_outage_over_budget{credential=dns}"] == 1
    assert found["rotator_connection_incident{connection=prod}"] == 1


def test_what_a_channel_has_not_taken_and_what_became_of_each_try_is_shown() -> None:
    page = Page(IDLE, backlogs=lambda: {"team": 3})
    page.metrics.notified("team", "failed")
    found = page.scrape()
    assert found["rotator_notification_backlog{channel=team}"] == 3
    assert found["rotator_notifications_total{channel=team,result=failed}"] == 1
    assert found["rotator_notifications_total{channel=team,result=sent}"] == 0


def test_what_a_sink_of_the_audit_export_has_not_taken_is_shown_as_of_the_last_answer_of_the_journal() -> None:
    lags = {"siem": 3, "lake": 0}
    page = Page(IDLE, exports=lambda: dict(lags))
    shown = page.metrics.render().decode()
    assert 'rotator_audit_export_lag_facts{sink="siem"} 3.0' in shown
    assert 'rotator_audit_export_lag_facts{sink="lake"} 0.0' in shown
    page.error = RuntimeError("no answer")
    lags.clear()
    page.clock.seconds += 10
    assert 'rotator_audit_export_lag_facts{sink="siem"} 3.0' in page.metrics.render().decode()
