"""Every configured credential has its series from the first scrape; counters follow events; labels are closed."""

import dataclasses
import math

import pytest

from rotator.core.credential import State
from rotator.core.events import Event
from rotator.core.reasons import RETIREMENT_WAITS, OperatorCode, Reason
from rotator.core.status import NeedsOperator, OpenRetirement, Trouble
from rotator.observability.connection_samples import ConnectionRow
from rotator.observability.credential_samples import STEPS
from rotator.observability.tally import RESULTS, WRITES
from tests.unit.observability.measured import IDLE, NEW, TARGETS, Page, names


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
