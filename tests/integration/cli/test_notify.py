"""Notifications by `once` and `notify test`, to a real server; the address is a secret and is shown nowhere."""

import http.server
import json
import threading

import pytest

CANARY = "T000-canary-B000"


@pytest.fixture
def hook():
    """A server that takes everything; `got` holds the bodies."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            server.got.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format, *args):
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.got, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def channel(place, hook):
    """The configuration has a channel `team` that leads to the server."""
    file = place.folder / "hook"
    file.write_text(f"http://127.0.0.1:{hook.server_address[1]}/services/{CANARY}\n")
    file.chmod(0o600)
    place.write(notify=[{"name": "team", "type": "slack", "url": {"file": "hook"}, "on": ["rotated", "failing"]}])
    return place


def test_a_test_message_arrives_and_its_channel_is_named_by_host_alone(channel, rotator, hook):
    shown = rotator("notify", "test", "team")
    assert (shown.code, "team took the test message" in shown.out) == (0, True)
    [(path, body)] = hook.got
    assert path == f"/services/{CANARY}"
    assert "this is a test" in body["text"]


def test_a_channel_that_refuses_is_a_no_with_a_reason_and_what_to_do(channel, rotator, hook):
    hook.status = 404
    shown = rotator("notify", "test", "team")
    assert shown.code == 1
    assert "HTTP 404" in shown.err
    assert "do: make a new address" in shown.err
    assert CANARY not in shown.out + shown.err
    document = rotator("notify", "test", "team", "-o", "json").json
    assert (document["taken"], document["problem"]["message"]) == (False, "posting to 127.0.0.1: HTTP 404")


def test_a_channel_that_is_not_configured_is_a_mistake_on_the_command_line(channel, rotator):
    shown = rotator("notify", "test", "teem")
    assert shown.code == 2
    assert "the configuration has: team" in shown.err


def test_a_rotation_is_told_at_the_end_of_once_and_not_again(channel, rotator, hook):
    assert rotator("once").code == 0
    first = len(hook.got)
    name = rotator("status", "-o", "json").json["credentials"][0]["name"]
    assert rotator("rotate", name).code == 0
    assert rotator("once").code == 0
    told = [body["text"] for _, body in hook.got[first:]]
    assert [text.splitlines()[0] for text in told] == [f"*rotator: {name}: has a fresh value*"]
    assert channel.value() not in str(hook.got)
    assert rotator("once").code == 0
    assert len(hook.got) == first + 1


@pytest.mark.parametrize("kind", ["webhook", "pagerduty"])
def test_every_kind_of_channel_is_sent_with_its_secrets_read_anew(channel, rotator, hook, kind):
    (channel.folder / "key").write_text("whsec_plJ3nmyCDGBKInavdOK15jsl\n")
    (channel.folder / "key").chmod(0o600)
    stanza = {"name": "team", "type": kind, "url": {"file": "hook"}, "secret": {"file": "key"}}
    channel.write(notify=[stanza])
    assert rotator("notify", "test", "team").code == 0
    [(_, body)] = hook.got
    assert body["type" if kind == "webhook" else "event_action"] == {"webhook": "rotator.rotated"}.get(kind, "trigger")
    (channel.folder / "key").unlink()
    shown = rotator("notify", "test", "team")
    assert (shown.code, len(hook.got)) == (1, 1)
    assert "key" in shown.err


def test_a_key_that_is_none_of_standard_webhooks_is_said_and_not_shown(channel, rotator, hook):
    (channel.folder / "key").write_text("whsec_%canary%\n")
    (channel.folder / "key").chmod(0o600)
    channel.write(notify=[{"name": "team", "type": "webhook", "url": {"file": "hook"}, "secret": {"file": "key"}}])
    shown = rotator("notify", "test", "team")
    assert (shown.code, hook.got) == (1, [])
    assert "no secret of Standard Webhooks" in shown.err
    assert "canary" not in shown.err
