"""One request on the wire, whole answers only, and the right kind of doubt: the HTTP client against raw sockets."""

import gzip
import itertools
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rotator.core.secret import Secret
from rotator.host.network.dial import Network
from rotator.sources.cloudflare.http import BODY_CAP, USER_AGENT, AnswerLost, Http, NotSent
from tests.integration.cloudflare.raw_server import RawServer, http, raw_server, say
from tests.servers.certificates import certificate

BEARER = Secret("cfut_CANARYCANARYCANARYCANARYCANARYCANARYCANARY00000000")
OK = {"success": True, "errors": [], "messages": [], "result": {"id": "1"}}


@contextmanager
def client(url: str, deadline: float = 5.0, ca_file: Path | None = None) -> Iterator[Http]:
    http_client = Http(url, Network(ca_file=ca_file), deadline)
    try:
        yield http_client
    finally:
        http_client.close()


def lost(script, deadline: float = 5.0, **more: object) -> tuple[str, RawServer]:
    """What is said of a POST whose answer is that; it must have been sent once and be known to have been sent."""
    with raw_server(script) as server, client(server.url, deadline) as wire:
        with pytest.raises(AnswerLost) as caught:
            wire.send("POST", "/x", BEARER, body={}, effect=True, **more)
        assert len(server.requests) == 1
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "CANARY" not in str(caught.value)
    return str(caught.value), server


def test_a_whole_answer_comes_back_with_its_status_and_headers_whatever_they_are():
    said = say(http(b"nope", "418 I'm a teapot", "Date: Sun, 22 Nov 2026 10:00:00 GMT"))
    with raw_server(said) as server, client(server.url) as wire:
        answer = wire.send("GET", "/y", BEARER, query={"page": "1"})

    assert (answer.status, answer.body) == (418, b"nope")
    assert answer.headers["date"] == "Sun, 22 Nov 2026 10:00:00 GMT"
    head = server.requests[0].decode()
    assert head.startswith("GET /client/v4/y?page=1 HTTP/1.1\r\n")
    assert f"Authorization: Bearer {BEARER.reveal()}" in head
    assert f"User-Agent: {USER_AGENT}" in head
    assert "nope" not in repr(answer)


def test_nothing_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with raw_server(say(http(OK))) as server, client(server.url) as wire:
        assert wire.send("GET", "/y", BEARER).status == 200


# ----------------------------------------------------------------------------------------------------------- never sent
def test_a_server_that_is_not_there_means_nothing_was_sent():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with client(f"http://127.0.0.1:{port}") as wire, pytest.raises(NotSent, match="refused") as caught:
        wire.send("POST", "/x", BEARER, body={}, effect=True)

    assert caught.value.__context__ is None


def test_a_name_that_does_not_resolve_means_nothing_was_sent():
    with client("https://nobody.invalid") as wire, pytest.raises(NotSent, match="does not resolve"):
        wire.send("POST", "/x", BEARER, body={}, effect=True)


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "ümlaut", "x" * 600])
def test_a_value_that_cannot_stand_in_a_header_is_never_sent_and_never_quoted(value: str):
    with raw_server(say(http(OK))) as server, client(server.url) as wire:
        with pytest.raises(NotSent) as caught:
            wire.send("GET", "/x", Secret(value))
        assert server.connections == 0

    assert value not in str(caught.value)


def test_a_certificate_that_nobody_vouches_for_means_nothing_was_sent(tmp_path: Path):
    context, _ = certificate(tmp_path)
    with raw_server(say(http(OK)), context) as server, client(server.url) as wire:
        with pytest.raises(NotSent, match="is not trusted") as caught:
            wire.send("POST", "/x", BEARER, body={}, effect=True)
        assert server.requests == []
    assert "ca_file" in caught.value.remedy


def test_a_certificate_of_the_given_file_is_trusted(tmp_path: Path):
    context, ca_file = certificate(tmp_path)
    with raw_server(say(http(OK)), context) as server, client(server.url, ca_file=ca_file) as wire:
        assert wire.send("POST", "/x", BEARER, body={}, effect=True).status == 200


def test_a_certificate_file_that_cannot_be_read_means_nothing_was_sent_and_is_named(tmp_path: Path):
    context, _ = certificate(tmp_path)
    absent = tmp_path / "absent.pem"
    with raw_server(say(http(OK)), context) as server, client(server.url, ca_file=absent) as wire:
        with pytest.raises(NotSent, match="`ca_file` cannot be used: No such file") as caught:
            wire.send("POST", "/x", BEARER, body={}, effect=True)
        assert server.requests == []
    assert "ca_file" in caught.value.remedy


def test_after_the_deadline_nothing_is_sent_any_more():
    """A name look-up cannot be interrupted; what comes after it is not begun."""
    with raw_server(say(http(OK))) as server, client(server.url, deadline=0.0) as wire:
        with pytest.raises(NotSent, match="in time"):
            wire.send("POST", "/x", BEARER, body={}, effect=True)
        assert server.requests == []


# ------------------------------------------------------------------------------------------------------ sent, no answer
def test_a_connection_that_is_closed_without_an_answer_is_a_lost_answer():
    said, _ = lost(lambda connection: None)

    assert "closed" in said


def test_a_connection_that_is_reset_is_a_lost_answer():
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    lost(reset)


@pytest.mark.parametrize("cut", range(0, len(http(OK)), 3))
def test_an_answer_that_is_cut_off_at_any_byte_is_a_lost_answer(cut: int):
    lost(say(http(OK)[:cut]))


def test_a_body_that_drips_ends_at_the_deadline_of_the_whole_request():
    with raw_server(say(b"")) as server:

        def drip(connection: socket.socket) -> None:
            connection.sendall(http(b"", length=1000))
            while not server.wait(0.02):
                connection.sendall(b" ")

        server.script = drip
        with client(server.url, deadline=1.0) as wire, pytest.raises(AnswerLost, match="in time"):
            wire.send("POST", "/x", BEARER, body={}, effect=True)


def test_headers_that_drip_end_at_the_deadline_of_the_whole_request():
    with raw_server(say(b"")) as server:

        def drip(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not server.wait(0.02):
                connection.sendall(b"x")

        server.script = drip
        with client(server.url, deadline=1.0) as wire, pytest.raises(AnswerLost, match="in time"):
            wire.send("POST", "/x", BEARER, body={}, effect=True)


def test_silence_ends_at_the_deadline():
    with raw_server(say(b"")) as server:
        server.script = lambda connection: server.wait(10) and None
        with client(server.url, deadline=1.0) as wire, pytest.raises(AnswerLost, match="in time"):
            wire.send("POST", "/x", BEARER, body={}, effect=True)


def test_an_endless_body_is_given_up_at_the_cap():
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        block = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(2 * BODY_CAP // 0x10000):
            connection.sendall(block)

    said, _ = lost(flood)
    assert "MiB" in said


def test_a_small_body_that_unpacks_to_a_gigantic_one_is_given_up_at_the_cap():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(8)) + packer.flush()
    said, _ = lost(say(http(bomb, "200 OK", "Content-Encoding: gzip")))

    assert "MiB" in said


@pytest.mark.parametrize("body", [gzip.compress(b"{}", mtime=0)[:-9], b"not gzip at all"])
def test_a_broken_coding_is_a_lost_answer(body: bytes):
    said, _ = lost(say(http(body, "200 OK", "Content-Encoding: gzip")))

    assert "coding" in said


def test_a_body_that_something_on_the_way_has_packed_is_unpacked():
    packed = say(http(gzip.compress(b'{"a":1}', mtime=0), "200 OK", "Content-Encoding: gzip"))
    with raw_server(packed) as server, client(server.url) as wire:
        assert wire.send("GET", "/x", BEARER).body == b'{"a":1}'
    assert b"Accept-Encoding: identity" in server.requests[0]


def test_what_is_no_http_at_all_is_a_lost_answer():
    lost(say(b"SSH-2.0-OpenSSH_9.2\r\n"))


def test_a_hook_that_fails_after_sending_leaves_a_lost_answer_and_not_another_error():
    def broken(headers: object) -> None:
        raise RuntimeError(BEARER.reveal())

    lost(say(http(OK)), on_head=broken)


# --------------------------------------------------------------------------------------------------------- once, not on
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed_and_the_token_not_sent_on(status: str):
    with raw_server(say(http(OK))) as elsewhere:
        redirect = http(b"", status, f"Location: {elsewhere.url}/stolen")
        with raw_server(say(redirect)) as server, client(server.url) as wire:
            answer = wire.send("POST", "/x", BEARER, body={}, effect=True)
            assert len(server.requests) == 1

        assert answer.status == int(status[:3])
        assert elsewhere.connections == 0


def test_reads_keep_their_connection_and_effects_never_share_one():
    def keep(connection: socket.socket) -> None:
        connection.sendall(http(OK, kept=True))
        while connection.recv(65536):
            connection.sendall(http(OK, kept=True))

    with raw_server(keep) as server, client(server.url) as wire:
        for _ in range(3):
            wire.send("GET", "/x", BEARER)
        assert server.connections == 1
        for _ in range(3):
            wire.send("POST", "/x", BEARER, body={}, effect=True)
        assert server.connections == 4


def test_a_kept_connection_that_the_server_ends_is_closed_though_nobody_needs_it_any_more():
    asked, answered = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]
    end, ended, closed = threading.Event(), threading.Event(), threading.Event()
    numbers = itertools.count()

    def keep(connection: socket.socket) -> None:
        number = next(numbers)
        asked[number].set()
        answered[number].wait(20)
        connection.sendall(http(OK, kept=True))
        if number == 0:
            end.wait(20)
            connection.shutdown(socket.SHUT_WR)
            ended.set()
            connection.recv(65536)
            closed.set()
        while connection.recv(65536):
            connection.sendall(http(OK, kept=True))

    with raw_server(keep) as server, client(server.url) as wire:
        threads = [threading.Thread(target=wire.send, args=("GET", "/x", BEARER)) for _ in range(2)]
        for thread, event in zip(threads, asked, strict=True):
            thread.start()
            assert event.wait(20)
        for thread, event in zip(threads, answered, strict=True):
            event.set()
            thread.join(20)
        end.set()
        assert ended.wait(20)
        wire.send("GET", "/x", BEARER)
        assert closed.wait(20)
        assert server.connections == 2


def test_threads_do_not_disturb_each_others_deadlines():
    with raw_server(say(http(OK))) as server, client(server.url) as wire:
        answers: list[int] = []

        def ask(effect: bool) -> None:
            answers.append(wire.send("POST", "/x", BEARER, body={}, effect=effect).status)

        threads = [threading.Thread(target=ask, args=(n % 2 == 0,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

    assert answers == [200] * 12
