"""`rotator run`: what is around the daemon, with the daemon's own loop in the hand of the test."""

import io
import json
import urllib.error
import urllib.request

import pytest

from rotator.app import run
from rotator.config.load import load
from rotator.core.errors import JournalUnsafe
from rotator.observability.logs import configure
from rotator.registry import kinds


@pytest.fixture
def ran(place, monkeypatch):
    """Runs the daemon; `during(daemon)` is called in place of its loop. Returns exit code and log lines."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("HOME", str(place.folder))
    out = io.StringIO()
    log = configure(format="json", stream=out)

    def start(during):
        class Hand:
            def __init__(self, **parts):
                self.__dict__.update(parts)

            def run(self):
                self.announced()
                during(self)

        monkeypatch.setattr(run, "Daemon", Hand)
        code = run.run_daemon(load(place.folder / "rotator.yaml", kinds()), log)
        return code, [json.loads(line) for line in out.getvalue().splitlines()]

    yield start
    log.close()


def events(lines):
    return [line["event"] for line in lines]


def fetched(daemon, path):
    address = daemon.journal.processes()[0].listener
    with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
        return answer.status, answer.read().decode()


def test_it_says_when_it_is_ready_and_when_it_has_ended(ran):
    code, lines = ran(lambda daemon: None)

    assert code == 0
    assert events(lines)[-3:] == ["config_loaded", "daemon_ready", "daemon_stopped"]


def test_its_listener_answers_health_readiness_and_metrics_before_the_first_tick(ran):
    answers = {}

    def during(daemon):
        for path in ("/healthz", "/readyz", "/metrics"):
            answers[path] = fetched(daemon, path)

    ran(during)

    assert [status for status, _ in answers.values()] == [200, 200, 200]
    assert 'rotator_credential_ready{credential="workers-deploy"} 0' in answers["/metrics"][1]
    assert '"credentials":1' in answers["/readyz"][1].replace(" ", "")


def test_a_journal_that_cannot_be_read_is_not_ready(ran):
    seen = []

    def during(daemon):
        def broken():
            raise JournalUnsafe("the disk is gone")

        daemon.journal.counts = broken
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetched(daemon, "/readyz")
        seen.append((caught.value.code, caught.value.read().decode()))
        caught.value.close()

    ran(during)

    assert seen[0][0] == 503
    assert "the disk is gone" in seen[0][1]


def test_a_journal_that_was_removed_under_the_daemon_is_not_ready(ran, place):
    seen = []

    def during(daemon):
        (place.folder / "state.db").rename(place.folder / "elsewhere.db")
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetched(daemon, "/readyz")
        seen.append((caught.value.code, caught.value.read().decode()))
        caught.value.close()

    ran(during)

    assert seen[0][0] == 503
    assert "removed or replaced" in seen[0][1]


def test_a_changed_configuration_is_loaded_and_a_wrong_one_is_refused_once(ran, place):
    def during(daemon):
        daemon.reload()
        place.write(place.credential("workers-deploy"), place.credential("other"))
        daemon.reload()
        (place.folder / "rotator.yaml").write_text("version: 1\n")
        daemon.reload()
        daemon.reload()

    _, lines = ran(during)

    assert events(lines).count("config_loaded") == 2
    assert events(lines).count("config_rejected") == 1


def test_connections_are_cared_for_as_long_as_they_are_configured(ran):
    noted = []

    def during(daemon):
        daemon.heartbeat()
        daemon.care("prod")
        noted.append(daemon.connections())
        noted.append(daemon.now("prod") > 0)
        daemon.ticked()

    _, lines = ran(during)

    assert noted == [["prod"], True]
    assert "internal_error" not in events(lines)


def test_the_management_token_is_scrubbed_wherever_it_turns_up(ran, place):
    value = (place.folder / "account-management").read_text()

    def during(daemon):
        daemon.care("prod")
        daemon.say("tick_failed", reason=f"it said {value}")

    _, lines = ran(during)

    assert value not in json.dumps(lines)


def test_a_daemon_that_ends_by_an_error_still_says_so(ran):
    def during(daemon):
        raise JournalUnsafe("gone")

    with pytest.raises(JournalUnsafe):
        ran(during)
