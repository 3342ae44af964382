"""Posting to real servers that behave and that do not; and nothing of an address in any message."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from rotator.config.notify import Topic
from rotator.core.secret import Secret
from rotator.host.network.dial import Network
from rotator.notify.decide import Message, Notice
from rotator.notify.errors import ChannelDown
from rotator.notify.post import post
from rotator.notify.wire import Request, document, pagerduty, signature, slack, title, webhook

CANARY = "T000-canary-B000"


def message(count: int = 1, *, over: bool = False, left: int = 1, topic: Topic = Topic.FAILING) -> Message:
    made = [
        Notice(key=f"k{n}", topic=topic, credential=f"c{n}", since=0.0, text="a <!channel> & b", labels={"team": "web"})
        for n in range(count)
    ]
    return Message(id="msg_1", topic=topic, at=0.0, notices=tuple(made), over=over, left=left)


@dataclass
class Hook:
    """A server that keeps what came and answers as it is told."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    size: int = 0
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> Secret:
        return Secret(f"http://127.0.0.1:{self.port}/services/{CANARY}")


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append((self.path, {key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(made.status)
            for key, value in made.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(made.size))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def refused(url: Secret, within: float = 60.0) -> ChannelDown:
    with pytest.raises(ChannelDown) as found:
        post(url, Request(b"{}"), Network(), within)
    assert CANARY not in f"{found.value.message} {found.value.remedy} {found.value!r}"
    assert found.value.remedy
    return found.value


def test_a_message_arrives_with_its_headers(hook: Hook) -> None:
    post(hook.url, Request(b'{"a":1}', {"webhook-id": "msg_1"}), Network())
    [(path, headers, body)] = hook.got
    assert (path, headers["webhook-id"], body) == (f"/services/{CANARY}", "msg_1", b'{"a":1}')
    assert headers["content-type"] == "application/json"


def test_a_redirect_is_not_followed(hook: Hook) -> None:
    hook.status, hook.headers = 302, {"Location": f"http://127.0.0.1:{hook.port}/elsewhere"}
    assert "redirects" in refused(hook.url).remedy
    assert len(hook.got) == 1


def test_the_body_of_an_answer_is_not_waited_for(hook: Hook) -> None:
    hook.size = 10**9
    post(hook.url, Request(b"{}"), Network())
    assert len(hook.got) == 1


@pytest.mark.parametrize(("said", "rest"), [("120", 120.0), ("9999999", 3600.0), ("soon", 0.0), ("-5", 0.0)])
def test_a_channel_may_say_when_it_wants_to_be_tried_again_within_reason(hook: Hook, said: str, rest: float) -> None:
    hook.status, hook.headers = 429, {"Retry-After": said}
    assert (refused(hook.url).rest, refused(hook.url).for_good) == (rest, False)


@pytest.mark.parametrize(("status", "for_good"), [(400, True), (413, True), (401, False), (404, False), (500, False)])
def test_what_a_refusal_is_about_decides_whether_the_message_is_put_aside(
    hook: Hook, status: int, for_good: bool
) -> None:
    hook.status = status
    found = refused(hook.url)
    assert (found.for_good, found.message) == (for_good, f"posting to 127.0.0.1: HTTP {status}")


@pytest.mark.parametrize("drips", [False, True])
def test_a_channel_that_never_ends_its_answer_is_given_up(drips: bool) -> None:
    ends = threading.Event()

    def serve() -> None:
        wire, _ = listener.accept()
        with wire:
            try:
                wire.sendall(b"HTTP/1.1 200 OK\r\nx: ")
                while not ends.wait(0.02):
                    if drips:
                        wire.sendall(b"x")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = Secret(f"http://127.0.0.1:{listener.getsockname()[1]}/{CANARY}")
        assert refused(url, 0.3).message == "posting to 127.0.0.1: no answer in time"
        ends.set()
        thread.join()


def test_a_channel_that_is_not_there_or_speaks_nonsense_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "no connection" in refused(Secret(f"http://127.0.0.1:{port}/{CANARY}")).message


@pytest.mark.parametrize(
    "url",
    [
        f"http://hooks.example.com/{CANARY}",
        f"http://169.254.169.254/{CANARY}",
        f"file:///etc/{CANARY}",
        f"https://user:{CANARY}@hooks.example.com/",
        f"https://[{CANARY}",
        CANARY,
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent_and_not_quoted(url: str) -> None:
    refused(Secret(url))


def test_a_signature_is_that_of_standard_webhooks() -> None:
    key = Secret("whsec_plJ3nmyCDGBKInavdOK15jsl")  # the example of the Standard Webhooks libraries
    said = signature("msg_loFOjxBNrRLzqYUf", "1731705121", b'{"event_type":"ping","data":{"success":true}}', key)
    assert said == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


def test_a_webhook_is_signed_over_the_body_that_is_sent() -> None:
    key = Secret("whsec_plJ3nmyCDGBKInavdOK15jsl")
    request = webhook(message(), "i1", key, 1731705121.7)
    head = request.headers
    assert (head["webhook-id"], head["webhook-timestamp"]) == ("msg_1", "1731705121")
    assert head["webhook-signature"] == signature("msg_1", "1731705121", request.body, key)
    assert json.loads(request.body)["type"] == "rotator.failing"


def test_a_key_that_is_no_key_is_an_error_that_does_not_quote_it() -> None:
    with pytest.raises(ValueError, match=r"^not base64$"):
        webhook(message(), "i1", Secret("whsec_%%%"), 0.0)


def test_nothing_in_a_message_to_slack_becomes_a_mention() -> None:
    text = json.loads(slack(message(60), "i1").body)["text"]
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; &amp; b" in text
    assert "60 credentials" in text
    assert "and 10 more" in text
    assert "(team=web)" in text


def test_an_incident_ends_when_no_trouble_of_its_topic_is_left() -> None:
    key = Secret("R0UT1NG")
    began, left, over = (
        json.loads(pagerduty(one, "i1", key).body)
        for one in (message(), message(over=True, left=2), message(over=True, left=0))
    )
    assert [one["event_action"] for one in (began, left, over)] == ["trigger", "trigger", "resolve"]
    assert len({one["dedup_key"] for one in (began, left, over)}) == 1


def test_a_document_says_what_when_and_of_whom() -> None:
    data = document(message(2, over=True), "i1")
    assert data["type"] == "rotator.failing.over"
    assert [one["name"] for one in data["data"]["credentials"]] == ["c0", "c1"]


def test_two_things_of_one_credential_are_of_one_credential() -> None:
    one = message().notices[0]
    twice = replace(message(), notices=(one, replace(one, key="another")))
    assert title(twice).startswith("rotator: c0: ")
