"""Metrics and health over HTTP: what is answered, and that no client can take more than its share."""

import asyncio
import contextlib
import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import run

import pytest

from rotator.core.errors import ConfigError, RotatorError
from rotator.web.answers import Flight
from rotator.web.listener import Listener, serve
from tests.servers.require import require

CANARY = "CANARY-in-an-error-text"


def fine() -> tuple[bool, dict]:
    return True, {"last_tick_age": 3.5}


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def start(render=lambda: b"up 1\n", health=fine, ready=fine, **options: float) -> Listener:
        made.append(serve("127.0.0.1:0", render, health, ready, **options))
        return made[-1]

    yield start
    for listener in made:
        listener.stop()


def ask(listener: Listener, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(listener.host, listener.port, timeout=20)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def refuse(error: Exception) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


# -------------------------------------------------------------------------------------------------------------- answers
def test_metrics_are_answered_as_prometheus_text(listen: Callable[..., Listener]) -> None:
    status, headers, body = ask(listen(), "/metrics")

    assert (status, body) == (200, b"up 1\n")
    assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_json_with_its_details(path: str, listen: Callable[..., Listener]) -> None:
    status, headers, body = ask(listen(), path)

    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == {"status": "ok", "last_tick_age": 3.5}


@pytest.mark.parametrize(("path", "other"), [("/healthz", "/readyz"), ("/readyz", "/healthz")])
def test_what_is_not_well_is_503_and_leaves_the_other_answer_alone(
    path: str, other: str, listen: Callable[..., Listener]
) -> None:
    sick = {"/healthz": "health", "/readyz": "ready"}[path]
    listener = listen(**{sick: lambda: (False, {"journal": "unsafe"})})
    status, _, body = ask(listener, path)

    assert (status, json.loads(body)) == (503, {"status": "fail", "journal": "unsafe"})
    assert ask(listener, other)[0] == 200


@pytest.mark.parametrize("path", ["/", "/metrics/", "/admin", "/healthz/x"])
def test_any_other_page_is_404_as_json(path: str, listen: Callable[..., Listener]) -> None:
    status, headers, body = ask(listen(), path)

    assert (status, headers["content-type"]) == (404, "application/json")
    assert "error" in json.loads(body)


def test_only_reading_is_answered(listen: Callable[..., Listener]) -> None:
    listener = listen()

    assert ask(listener, "/metrics", "POST")[0] == 405
    assert ask(listener, "/metrics", "HEAD")[::2] == (200, b"")


def test_no_answer_holds_the_text_of_an_error(listen: Callable[..., Listener]) -> None:
    broken = refuse(RuntimeError(CANARY))
    listener = listen(broken, broken, broken)
    answers = {path: ask(listener, path) for path in ("/metrics", "/healthz", "/readyz")}

    assert [answers[path][0] for path in answers] == [500, 503, 503]
    assert CANARY.encode() not in b"".join(body for _, _, body in answers.values())


def test_answers_do_not_say_what_serves_them(listen: Callable[..., Listener]) -> None:
    assert "server" not in ask(listen(), "/metrics")[1]


# --------------------------------------------------------------------------------------------- a slow or stuck question
def test_a_page_that_hangs_is_503_and_health_still_answers(listen: Callable[..., Listener]) -> None:
    release = threading.Event()
    listener = listen(lambda: (release.wait(60) and b"late\n") or b"", answer_within=0.05)
    try:
        assert ask(listener, "/metrics")[0] == 503
        assert ask(listener, "/healthz")[0] == 200
    finally:
        release.set()


def test_a_check_that_hangs_is_a_failed_check(listen: Callable[..., Listener]) -> None:
    release = threading.Event()
    listener = listen(health=lambda: (release.wait(60), {}), answer_within=0.05)
    try:
        status, _, body = ask(listener, "/healthz")
    finally:
        release.set()

    assert (status, json.loads(body)["status"]) == (503, "fail")


def test_those_who_ask_meanwhile_get_the_same_answer_and_those_after_a_new_one() -> None:
    release, asked = threading.Event(), []

    def question() -> int:
        asked.append(1)
        release.wait(60)
        return len(asked)

    async def many() -> tuple[list[int], int]:
        flight = Flight(question, "test")
        asking = [asyncio.ensure_future(flight.ask(60)) for _ in range(8)]
        await asyncio.sleep(0)
        release.set()
        return await asyncio.gather(*asking), await flight.ask(60)

    assert asyncio.run(many()) == ([1] * 8, 2)


def test_one_who_gives_up_leaves_the_answer_to_the_others() -> None:
    release = threading.Event()

    async def two() -> int:
        flight = Flight(lambda: release.wait(60) and 7, "test")
        patient = asyncio.ensure_future(flight.ask(60))
        with pytest.raises(TimeoutError):
            await flight.ask(0.01)
        release.set()
        return await patient

    assert asyncio.run(two()) == 7


def test_a_question_that_nobody_waits_for_any_more_may_fail() -> None:
    release = threading.Event()

    def question() -> None:
        release.wait(60)
        raise RuntimeError(CANARY)

    async def leave() -> None:
        flight = Flight(question, "test")
        with pytest.raises(TimeoutError):
            await flight.ask(0.01)
        release.set()
        with contextlib.suppress(RuntimeError):
            await flight.ask(60)

    asyncio.run(leave())


def test_an_answer_that_comes_after_the_end_of_the_loop_is_dropped() -> None:
    release, threads = threading.Event(), threading.active_count()
    listener = serve("127.0.0.1:0", lambda: b"late" if release.wait(60) else b"", fine, fine, answer_within=0.01)
    assert ask(listener, "/metrics")[0] == 503
    listener.stop(10)
    release.set()
    until(lambda: threading.active_count() == threads)


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


# ---------------------------------------------------------------------------------------------------------- bad clients
def closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(65536) == b""
    except ConnectionError:
        return True


def test_a_connection_that_says_nothing_is_closed(listen: Callable[..., Listener]) -> None:
    listener = listen(request_within=0.1)
    with socket.create_connection((listener.host, listener.port), timeout=30) as idle:
        assert closed(idle)


def test_a_request_that_drips_is_closed(listen: Callable[..., Listener]) -> None:
    listener = listen(request_within=0.2)
    with socket.create_connection((listener.host, listener.port), timeout=30) as slow:
        slow.settimeout(0.02)
        ended = False
        deadline = time.monotonic() + 30
        slow.sendall(b"GET /metrics HTTP/1.1\r\n")
        while not ended and time.monotonic() < deadline:
            try:
                slow.sendall(b"X-Slow: 1\r\n")
                ended = slow.recv(10) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True

    assert ended


def test_an_answer_that_nobody_reads_is_dropped(listen: Callable[..., Listener]) -> None:
    listener = listen(lambda: b"x" * 50_000_000, request_within=0.3)
    with socket.create_connection((listener.host, listener.port), timeout=30) as deaf:
        deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        peer = deaf.getsockname()
        until(lambda: not established(peer[1]))


def established(port: int) -> bool:
    """Whether the server's side of the connection from `port` is still open."""
    with Path("/proc/net/tcp").open() as table:
        return any(f":{port:04X} 01 " in line for line in table)


def test_a_connection_lives_through_many_answered_requests(listen: Callable[..., Listener]) -> None:
    listener = listen(request_within=5)
    connection = http.client.HTTPConnection(listener.host, listener.port, timeout=20)
    for _ in range(20):
        connection.request("GET", "/metrics")
        assert connection.getresponse().read() == b"up 1\n"
    connection.close()


def test_one_connection_too_many_is_closed_and_a_free_place_is_used_again(listen: Callable[..., Listener]) -> None:
    listener = listen(connections=3)
    held = [socket.create_connection((listener.host, listener.port), timeout=30) for _ in range(3)]
    for connection in held:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    with socket.create_connection((listener.host, listener.port), timeout=30) as fourth:
        assert closed(fourth)
    for connection in held:
        connection.close()

    def answered() -> bool:
        try:
            return ask(listener, "/metrics")[0] == 200
        except (ConnectionError, http.client.HTTPException):
            return False

    until(answered)


def test_a_request_with_an_endless_header_is_refused(listen: Callable[..., Listener]) -> None:
    listener = listen()
    with socket.create_connection((listener.host, listener.port), timeout=30) as connection:
        try:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 100_000)
            answer = connection.recv(65536)
        except ConnectionError:
            answer = b""

    assert not answer or answer.startswith(b"HTTP/1.1 400")


# ------------------------------------------------------------------------------------------------------- start and stop
def test_port_zero_picks_a_free_one_and_says_which(listen: Callable[..., Listener]) -> None:
    listener = listen()

    assert listener.port > 0
    assert listener.address == f"127.0.0.1:{listener.port}"


def test_ipv6_is_written_in_brackets() -> None:
    try:
        listener = serve("[::1]:0", lambda: b"", fine, fine)
    except ConfigError:
        require("IPv6", "give the machine or the container an IPv6 loopback")
    try:
        assert listener.address == f"[::1]:{listener.port}"
        assert ask(listener, "/healthz")[0] == 200
    finally:
        listener.stop()


def test_a_taken_port_says_what_to_do(listen: Callable[..., Listener]) -> None:
    taken = listen()
    with pytest.raises(RotatorError, match=f"cannot listen on {taken.address}: another process") as caught:
        serve(taken.address, lambda: b"", fine, fine)

    assert caught.value.exit_code == 1
    assert "ROTATOR_HTTP_LISTEN" in caught.value.remedy


@pytest.mark.parametrize("address", ["", "9853", "127.0.0.1", "127.0.0.1:99999", "http://127.0.0.1:1", "192.0.2.1:0"])
def test_an_address_that_cannot_be_is_a_configuration_error(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        serve(address, lambda: b"", fine, fine)

    assert caught.value.remedy


def test_stop_frees_the_port_and_may_be_repeated(listen: Callable[..., Listener]) -> None:
    listener = listen()
    assert listener.alive
    listener.stop(10)
    listener.stop(10)

    assert not listener.alive
    again = serve(listener.address, lambda: b"again\n", fine, fine)
    try:
        assert ask(again, "/metrics")[2] == b"again\n"
    finally:
        again.stop()


def test_a_hung_question_never_delays_the_end_of_the_process() -> None:
    code = """
import threading, urllib.request
from rotator.web.answers import Flight
from rotator.web.listener import serve
good = lambda: (True, {})
listener = serve("127.0.0.1:0", lambda: threading.Event().wait() and b"", good, good, answer_within=0.05)
try:
    urllib.request.urlopen(f"http://{listener.address}/metrics")
except OSError as error:
    print(error)
listener.stop()
"""
    ended = run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert (ended.returncode, ended.stdout) == (0, "HTTP Error 503: Service Unavailable\n")


def test_importing_the_listener_loads_no_server() -> None:
    code = "import sys, rotator.web.listener; print({'uvicorn', 'starlette', 'anyio'} & set(sys.modules))"

    assert run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout == "set()\n"
