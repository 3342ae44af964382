"""One pass to quiescence: what is waited for, and the exit code."""

from dataclasses import replace

import pytest

from rotator.app.once import Once
from rotator.app.survey import survey
from rotator.core.credential import State
from rotator.core.errors import Unavailable
from rotator.core.ports.source import Login
from rotator.core.protocol.rules import Wait
from rotator.core.reasons import OperatorCode, Reason
from rotator.core.schedule.agenda import Step
from rotator.core.status import NeedsOperator
from rotator.engine.driver import End, Pass
from rotator.registry import SOURCES


@pytest.fixture
def once(app):
    return Once(app)


@pytest.fixture
def stream(app):
    return app.ids["workers-deploy"]


def waiting(app, why, seconds):
    waits = {"rotation": Wait(app.queries.now("prod") + seconds, Reason(why))}
    return Pass(End.WAITING, 0.0, Step(actions=(), until=0.0, why=waits))


def again(once, stream, ended, *, wait=100.0, busy=100.0):
    once._ends[stream] = ended
    return once._again([stream], 1000.0, 1000.0 + wait, 1000.0 + busy)


def test_a_first_creation_is_done_at_once(app, once, place):
    assert once.run(30.0) == 0
    assert place.value()
    assert app.queries.statuses()[0].ready


def test_work_that_somebody_else_holds_is_asked_for_again_for_a_while(once, stream):
    assert again(once, stream, Pass(End.BUSY, 0.0)) == ([stream], 0.5)
    assert again(once, stream, Pass(End.BUSY, 0.0), busy=0.0) == ([], 0.0)


def test_what_failed_is_tried_again_within_the_time_given(once, stream):
    assert again(once, stream, Pass(End.FAILED, 0.0)) == ([stream], 1.0)
    assert again(once, stream, Pass(End.FAILED, 0.0), wait=0.5) == ([], 0.0)


@pytest.mark.parametrize("why", ["settle", "drift"])
def test_a_deadline_of_open_work_is_waited_for(app, once, stream, why):
    todo, pause = again(once, stream, waiting(app, why, 20))

    assert todo == [stream]
    assert pause == pytest.approx(20, abs=2)


def test_a_deadline_beyond_the_time_given_is_not(app, once, stream):
    assert again(once, stream, waiting(app, "settle", 20), wait=10.0) == ([], 0.0)


@pytest.mark.parametrize("why", ["fresh", "paused", "pacing", "restored_journal", "clock_suspect"])
def test_a_next_due_date_is_not_waited_for(app, once, stream, why):
    assert again(once, stream, waiting(app, why, 1)) == ([], 0.0)


def test_a_pass_that_was_cut_short_goes_on(once, stream):
    assert again(once, stream, Pass(End.WAITING, 0.0))[0] == [stream]
    assert again(once, stream, Pass(End.STOPPED, 0.0))[0] == []


def test_a_stream_that_never_ran_is_not_waited_for(once):
    assert once._again(["unknown"], 0.0, 9.0, 9.0) == ([], 0.0)


def test_an_error_that_should_not_exist_is_said_and_fails_the_run(app, once, said, monkeypatch):
    def broken(stream):
        raise ValueError("a bug")

    monkeypatch.setattr(app.driver, "run", broken)

    assert once.run(0.0) == 1
    assert app.queries.credentials[0].name in [
        fields["credential"] for name, fields in said if name == "internal_error"
    ]


def test_work_that_stays_busy_fails_the_run(app, once, monkeypatch):
    monkeypatch.setattr(app.driver, "run", lambda stream: Pass(End.BUSY, 0.0))
    monkeypatch.setattr("rotator.app.once.BUSY_PATIENCE", 0.0)

    assert once.run(0.0) == 1


def test_a_run_that_is_stopped_lets_what_is_under_way_finish(app, once, monkeypatch):
    def slow(stream):
        app.stop.set()
        app.stop.wait()
        return Pass(End.STOPPED, 0.0)

    monkeypatch.setattr(app.driver, "run", slow)
    once.run(60.0)

    assert app.stop.is_set()


def shaped(app, monkeypatch, **more):
    """Let the only status be of a shape."""
    (found,) = app.queries.statuses()
    monkeypatch.setattr(app.queries, "statuses", lambda: [replace(found, **more)])


@pytest.mark.parametrize(("code", "exit_code"), [("rejected", 3), ("target_occupied", 3), ("restored_journal", 0)])
def test_an_operators_need_is_three_except_a_restored_journal_alone(app, once, stream, monkeypatch, code, exit_code):
    needs = NeedsOperator(code=OperatorCode(code), message="m", remedy="r", since=0.0)
    shaped(app, monkeypatch, needs_operator=needs, state=State.IDLE)

    assert once._code([stream]) == exit_code


def test_a_failing_credential_is_one(app, once, stream, monkeypatch):
    shaped(app, monkeypatch, state=State.FAILING, ready=False)

    assert once._code([stream]) == 1


def test_an_outage_with_time_left_and_a_live_value_is_no_failure_but_is_said(app, once, stream, said, monkeypatch):
    app.fleet.reachable["prod"] = False
    shaped(app, monkeypatch, state=State.FAILING, ready=True, rotation_deadline=app.queries.now("prod") + 1e6)

    assert once._code([stream]) == 0
    assert said[-1][0] == "provider_unavailable"


def test_what_was_not_chosen_does_not_count(app, once, monkeypatch):
    shaped(app, monkeypatch, state=State.FAILING, ready=False)

    assert once._code([]) == 0


# --- survey


def test_a_connection_is_noted_with_what_is_known_of_it(app):
    note = survey(app, "prod")

    assert note.reachable is True
    assert set(note.token_expires_on) >= {"management"}
    assert note.rate_remaining > 0
    assert app.queries.connection_note("prod") == note


def test_a_connection_that_does_not_answer_is_noted_too(app, said, monkeypatch):
    def away(connection):
        raise Unavailable("asking the provider: no answer")

    monkeypatch.setitem(SOURCES, "cloudflare", replace(SOURCES["cloudflare"], inspect=away))
    note = survey(app, "prod")

    assert note.reachable is False
    assert note.problem == "asking the provider: no answer"
    assert said[-1][0] == "provider_unavailable"


def test_a_management_token_that_is_not_accepted_is_noted_before_anything_is_due(app, said, monkeypatch):
    refused = Login(
        role="management", accepted=False, problem="not accepted: token of prod (file /x)", remedy="put one"
    )
    before = survey(app, "prod")
    monkeypatch.setitem(SOURCES, "cloudflare", replace(SOURCES["cloudflare"], inspect=lambda connection: [refused]))
    note = survey(app, "prod")

    assert before.accepted == {"management": True}
    assert note.accepted == {"management": False}
    assert (note.problem, note.remedy) == (refused.problem, "put one")
    assert said[-1][0] == "login_refused"


def test_what_was_known_of_the_logins_stays_while_the_provider_is_away(app, monkeypatch):
    before = survey(app, "prod")

    def away(connection):
        raise Unavailable("asking the provider: no answer", "wait")

    monkeypatch.setitem(SOURCES, "cloudflare", replace(SOURCES["cloudflare"], inspect=away))
    note = survey(app, "prod")
    assert note.token_expires_on == before.token_expires_on
    assert note.accepted == before.accepted
