"""`rotator run`: what is around the daemon, with the daemon's own loop in the hand of the test."""

import io
import json
import urllib.error
import urllib.request

import pytest

from rotator.app import run
from rotator.config.load import load
from rotator.core.errors import JournalUnsafe
from rotator.engine.work import Tuning
from rotator.observability.logs import configure
from rotator.registry import kinds


@pytest.fixture
def ran(place, monkeypatch):
    """Runs the daemon; `during(host)` is called in place of the loop. Returns exit code and log lines."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("HOME", str(place.folder))
    out = io.StringIO()
    log = configure(format="json", stream=out)

    def start(during):
        class Hand:
            def __init__(self, host):
                self.host = host

            def run(self):
                self.host.announce()
                during(self.host)

        monkeypatch.setattr(run, "Daemon", Hand)
        code = run.run_daemon(load(place.folder / "rotator.yaml", kinds()), log)
        return code, [json.loads(line) for line in out.getvalue().splitlines()]

    yield start
    log.close()


def events(lines):
    return [line["event"] for line in lines]


def fetched(host, path):
    address = host.listener.address
    with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
        return answer.status, answer.read().decode()


def test_it_says_when_it_is_ready_and_when_it_has_ended(ran):
    code, lines = ran(lambda daemon: None)

    assert code == 0
    assert events(lines)[-3:] == ["config_loaded", "daemon_ready", "daemon_stopped"]


def test_its_listener_answers_health_readiness_and_metrics_before_the_first_tick(ran):
    answers = {}

    def during(host):
        for path in ("/healthz", "/readyz", "/metrics"):
            answers[path] = fetched(host, path)

    ran(during)

    assert [status for status, _ in answers.values()] == [200, 200, 200]
    assert 'rotator_credential_ready{credential="workers-deploy"} 0' in answers["/metrics"][1]
    assert '"credentials":1' in answers["/readyz"][1].replace(" ", "")


def refused(host):
    """Status and document of /readyz where that is no 200."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetched(host, "/readyz")
    found = caught.value.code, json.loads(caught.value.read())
    caught.value.close()
    return found


def full(*_):
    raise JournalUnsafe("writing to the journal /srv/state.db: the disk is full")


@pytest.mark.parametrize("broken", ["counts", "in_place"])
def test_a_journal_that_cannot_be_read_is_not_ready_and_the_answer_holds_no_error_text(ran, broken, monkeypatch):
    seen = []

    def during(host):
        monkeypatch.setattr(host._app.writable, broken, full)
        seen.append(refused(host))

    ran(during)

    assert seen == [(503, {"status": "fail", "journal": "unreadable", "credentials": 1})]


def test_a_journal_that_takes_no_heartbeat_is_not_ready_until_it_takes_one(ran, monkeypatch):
    seen = []

    def during(host):
        with monkeypatch.context() as broken:
            broken.setattr(host._app.writable, "heartbeat", full)
            with pytest.raises(JournalUnsafe):
                host.heartbeat()
            seen.append(refused(host))
        host.heartbeat()
        seen.append(fetched(host, "/readyz")[0])

    ran(during)

    assert seen == [(503, {"status": "fail", "journal": "unwritable", "credentials": 1}), 200]


def test_a_journal_that_was_removed_under_the_daemon_is_not_ready(ran, place):
    seen = []

    def during(host):
        (place.folder / "state.db").rename(place.folder / "elsewhere.db")
        seen.append(refused(host))

    ran(during)

    assert seen[0][0] == 503


def test_a_wall_clock_that_is_set_back_changes_no_health(ran, monkeypatch):
    seen = []

    def during(host):
        monkeypatch.setattr(host._metrics, "_now", lambda: 1000.0)
        monkeypatch.setattr(host._app.clock, "utc", lambda: 1000.0)
        seen.append(fetched(host, "/healthz"))

    ran(during)

    status, document = seen[0]
    assert status == 200
    assert 0 <= json.loads(document)["age_seconds"] < 60


@pytest.mark.parametrize("age", [-1.0, 61.0])
def test_a_tick_that_is_long_ago_or_in_the_future_is_unhealthy(ran, age, monkeypatch):
    seen = []

    def during(host):
        monkeypatch.setattr(type(host._metrics), "tick_age", age)
        seen.append(host.health()[0])

    ran(during)

    assert seen == [False]


def test_a_changed_configuration_is_loaded_and_a_wrong_one_is_refused_once(ran, place):
    def during(host):
        host.reload()
        place.write(place.credential("workers-deploy"), place.credential("other"))
        host.reload()
        (place.folder / "rotator.yaml").write_text("version: 1\n")
        host.reload()
        host.reload()

    _, lines = ran(during)

    assert events(lines).count("config_loaded") == 2
    assert events(lines).count("config_rejected") == 1


def test_a_changed_inventory_is_loaded_and_a_wrong_one_is_refused_once(ran, place):
    inventory = place.folder / "fleet.jsonl"
    inventory.write_text('{"name": "first"}\n')
    place.write(fleet={"inventory": "fleet.jsonl", "template": place.credential("{name}")})

    def during(host):
        host.reload()
        inventory.write_text('{"name": "first"}\n{"name": "second"}\n')
        host.reload()
        inventory.write_text("not a row\n")
        host.reload()
        host.reload()

    _, lines = ran(during)

    loaded = [line["credentials"] for line in lines if line["event"] == "config_loaded"]
    assert loaded == [2, 3]
    assert events(lines).count("config_rejected") == 1


def successful(host):
    host._metrics._fresh_until = 0.0  # a page is served again for a second
    return "rotator_config_last_reload_successful 1.0" in fetched(host, "/metrics")[1]


def test_the_old_file_that_is_put_back_after_a_typo_is_loaded_and_the_metric_says_so(ran, place):
    seen = []

    def during(host):
        file = place.folder / "rotator.yaml"
        right = file.read_bytes()
        file.write_text("version: 1\n  typo")
        host.reload()
        seen.append(successful(host))
        file.write_bytes(right)
        host.reload()
        host.reload()
        seen.append(successful(host))

    _, lines = ran(during)

    assert seen == [False, True]
    assert events(lines).count("config_loaded") == 2


def test_what_a_running_daemon_cannot_change_is_named_with_what_to_do(ran, place):
    def during(host):
        place.write(http={"listen": "127.0.0.1:1"})
        host.reload()

    _, lines = ran(during)

    [rejected] = [line for line in lines if line["event"] == "config_rejected"]
    assert "http.listen changed, which takes effect at a start only" in rejected["reason"]


def test_every_pace_and_the_level_of_the_log_are_taken_by_a_reload(ran, place):
    seen = []

    def during(host):
        pace = {"settle": "3s", "propagation": "5s", "retry": "4s", "evaluate": "7s", "watch": "8s", "sweep": "9s"}
        place.write(advanced=pace, log={"level": "error"})
        host.reload()
        app = host._app
        seen.append((host.cadence().evaluate, host.cadence().watch))
        seen.append(app.driver._tuning)
        seen.append(app.fleet.times["prod"].settle)
        seen.append([getattr(app.queries.credentials[0].policy, name) for name in ("settle", "propagation", "retry")])

    _, lines = ran(during)

    assert seen == [(7.0, 8.0), Tuning(watch=8.0, sweep=9.0, doubt=6.0), 3.0, [3.0, 5.0, 4.0]]
    assert "daemon_stopped" not in events(lines)


def test_a_change_of_the_format_of_the_log_says_that_it_waits_for_the_next_start(ran, place):
    def during(host):
        place.write(log={"format": "console"})
        host.reload()

    _, lines = ran(during)

    assert [line["code"] for line in lines if line["event"] == "config_warning" and line.get("subject") == "log"] == [
        "restart_needed"
    ]


def test_connections_are_looked_at_as_long_as_they_are_configured(ran):
    noted = []

    def during(host):
        host.heartbeat()
        host.survey("prod")
        noted.append(host.sources())
        noted.append([due.stream for due in host.due("prod", 9)])
        host.ticked()

    _, lines = ran(during)

    assert noted[0] == ["prod"]
    assert len(noted[1]) == 1
    assert "internal_error" not in events(lines)


def test_the_management_token_is_scrubbed_wherever_it_turns_up(ran, place):
    value = (place.folder / "account-management").read_text()

    def during(host):
        host.survey("prod")
        host.say("tick_failed", reason=f"it said {value}")

    _, lines = ran(during)

    assert value not in json.dumps(lines)


def test_a_daemon_that_ends_by_an_error_still_says_so(ran):
    def during(host):
        raise JournalUnsafe("gone")

    with pytest.raises(JournalUnsafe):
        ran(during)
