"""What a client on a real connection sees of each kind of fault, and what the provider did meanwhile."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from rotator.sandbox import Sandbox

BODY = json.dumps({"name": "wire", "policies": []})


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


class Client:
    """One connection, kept as long as the sandbox keeps it."""

    def __init__(self, sandbox):
        self.address = urlsplit(sandbox.url)
        self.connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=10)
        self.headers = {"Authorization": f"Bearer {sandbox.credentials['user-management']}"}

    def send(self, method="POST", path="/client/v4/user/tokens", body=BODY):
        self.connection.request(method, path, body, self.headers)
        return self.connection.getresponse()

    def control(self, path, body):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=10)
        connection.request("POST", f"/__sandbox__/{path}", json.dumps(body))
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        found = json.loads(answer.read())
        connection.close()
        return found


@pytest.fixture
def client(sandbox):
    client = Client(sandbox)
    yield client
    client.connection.close()


def made(sandbox):
    return sum(token.name == "wire" for token in sandbox.world.tokens.values())


@pytest.mark.parametrize("kind,done", [("lose_request", 0), ("lose_answer", 1)])
def test_a_lost_exchange_ends_without_a_byte(sandbox, client, kind, done):
    client.control("faults", {"operation": "create", "kind": kind})
    with pytest.raises(http.client.RemoteDisconnected):
        client.send()
    assert made(sandbox) == done
    assert sandbox.gateway.faults.list()[0]["hits"] == 1


def test_a_late_request_is_done_after_the_client_was_cut_off(sandbox, client):
    client.control("faults", {"operation": "create", "kind": "late", "seconds": 0.3})
    with pytest.raises(http.client.RemoteDisconnected):
        client.send()
    assert made(sandbox) == 0
    deadline = time.monotonic() + 10
    while made(sandbox) == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert made(sandbox) == 1


def test_a_twin_gives_one_answer_for_two_tokens(sandbox, client):
    client.control("faults", {"operation": "create", "kind": "twin"})
    answer = client.send()
    assert json.loads(answer.read())["success"]
    assert made(sandbox) == 2


def test_a_truncated_answer_breaks_off_in_the_middle(sandbox, client):
    client.control("faults", {"operation": "create", "kind": "truncate"})
    answer = client.send()
    assert answer.status == 200
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    assert 0 < len(caught.value.partial) < int(answer.headers["Content-Length"])
    assert made(sandbox) == 1


def test_garbage_is_html_with_200(sandbox, client):
    client.control("faults", {"operation": "create", "kind": "garbage"})
    answer = client.send()
    assert (answer.status, answer.headers.get_content_type()) == (200, "text/html")
    assert answer.read().startswith(b"<!DOCTYPE html>")
    assert made(sandbox) == 1


def test_a_status_keeps_the_connection(sandbox, client):
    client.control("faults", {"operation": "create", "kind": "status", "status": 429, "retry_after": 7})
    answer = client.send()
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert json.loads(answer.read())["errors"][0]["code"] == 971
    assert made(sandbox) == 0
    socket = client.connection.sock
    assert client.send().status == 200
    assert client.connection.sock is socket


def test_a_delayed_request_is_done_and_answered(sandbox, client):
    client.control("faults", {"operation": "create", "kind": "delay", "seconds": 0.1})
    assert client.send().status == 200
    assert made(sandbox) == 1


def test_a_delay_holds_nobody_else_up(sandbox, client):
    """Seen by order, not by time: the delayed request is still not done when another one has been answered."""
    client.control("faults", {"operation": "create", "kind": "delay", "seconds": 2})
    client.connection.request("POST", "/client/v4/user/tokens", BODY, client.headers)
    other = Client(sandbox)
    deadline = time.monotonic() + 10
    while sandbox.gateway.faults.list()[0]["hits"] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert other.send("GET", body=None).status == 200
    assert made(sandbox) == 0
    other.connection.close()


def test_a_connection_carries_many_requests(sandbox, client):
    first = client.send("GET", "/client/v4/user/tokens/verify", None)
    first.read()
    socket = client.connection.sock
    for _ in range(50):
        answer = client.send("GET", "/client/v4/user/tokens/verify", None)
        assert json.loads(answer.read())["result"]["status"] == "active"
    assert client.connection.sock is socket


def test_bytes_that_are_no_request_are_answered_and_the_connection_closed(sandbox, client):
    client.connection.connect()
    client.connection.sock.sendall(b"nonsense\r\n\r\n")
    assert client.connection.sock.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_defect_in_the_sandbox_is_an_answer_and_prints_no_value(sandbox, client, monkeypatch, capsys):
    secret = sandbox.credentials["user-management"]

    def broken(*_):
        raise RuntimeError(secret)

    monkeypatch.setattr(sandbox.gateway, "perform", broken)
    answer = client.send()
    assert answer.status == 500
    assert secret.encode() not in answer.read()
    printed = capsys.readouterr()
    assert "RuntimeError" in printed.err
    assert secret not in printed.out + printed.err


def test_stopping_closes_connections_that_are_open(sandbox, client):
    client.send("GET", "/client/v4/user/tokens/verify", None).read()
    sandbox.stop()
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        client.send("GET", "/client/v4/user/tokens/verify", None)
