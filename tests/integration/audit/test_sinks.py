"""Sinks against real servers: RFC 5424 over UDP, TCP and TLS, and lines posted over HTTPS."""

from __future__ import annotations

import re
import socket

import pytest

from rotator.audit.https import HttpsSink
from rotator.audit.ports import SinkDown
from rotator.audit.syslog import Address, SyslogSink
from rotator.config.secret_ref import SecretRef
from rotator.host.network.dial import Network
from tests.integration.audit.servers import Datagrams, Frames, Posts
from tests.servers.certificates import certificate
from tests.unit.audit.bench import Bench

HEAD = re.compile(rb"<110>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z web1 rotator \d+ audit - (?P<line>\{.*\})")
"""RFC 5424 section 6: priority and version, time, host, program, process, id of the message, no structured data."""


def lines_of(messages: list[bytes]) -> list[str]:
    found = [HEAD.fullmatch(message) for message in messages]
    assert all(found), messages
    return [one["line"].decode() for one in found if one]


@pytest.fixture
def secured(tmp_path):
    return certificate(tmp_path, "127.0.0.1", "localhost")


@pytest.fixture
def serve():
    made = []

    def start(server):
        made.append(server)
        return server

    yield start
    for server in made:
        server.close()


def exporting(sink) -> Bench:
    bench = Bench(sink=sink)
    bench.book.add("a", 2)
    bench.book.add("b", 1)
    return bench


def syslog(way: str, port: int, **network) -> SyslogSink:
    return SyslogSink(Address(way, "127.0.0.1", port), Network(service="syslog", **network), "web1")


def test_syslog_over_udp_carries_a_message_in_each_datagram(serve):
    server = serve(Datagrams())
    bench = exporting(syslog("udp", server.port))
    bench.settle()
    told = lines_of(server.got.wait(5))
    assert bench.verdict(told).intact
    assert bench.verdict(told).facts == 3
    bench.exporter.finish()


def test_syslog_over_tcp_says_the_length_of_each_message_in_front(serve):
    server = serve(Frames())
    bench = exporting(syslog("tcp", server.port))
    bench.settle()
    told = lines_of(server.got.wait(5))
    assert (bench.verdict(told).problems, bench.verdict(told).facts, server.refused) == ((), 3, [])
    assert server.connections == 1
    bench.exporter.finish()


def test_syslog_over_tls_believes_the_certificate_that_is_configured(serve, secured):
    context, ca_file = secured
    server = serve(Frames(context))
    bench = exporting(syslog("tls", server.port, ca_file=ca_file))
    bench.settle()
    assert bench.verdict(lines_of(server.got.wait(5))).facts == 3
    bench.exporter.finish()


def test_syslog_over_tls_sends_nothing_to_a_server_whose_certificate_is_not_trusted(serve, secured, tmp_path):
    (tmp_path / "other").mkdir()
    _, other = certificate(tmp_path / "other", "127.0.0.1", called="other")
    server = serve(Frames(secured[0]))
    bench = exporting(syslog("tls", server.port, ca_file=other))
    bench.exporter.step()
    assert "is not trusted" in str(bench.troubles[0])
    assert "ca_file" in bench.troubles[0].remedy
    assert server.got.messages == []


@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
def test_a_server_that_hung_up_gets_the_last_messages_again_and_no_gap(serve, secured, secure):
    context, ca_file = secured
    server = serve(Frames(context if secure else None))
    bench = exporting(syslog("tls" if secure else "tcp", server.port, **({"ca_file": ca_file} if secure else {})))
    bench.settle()
    server.got.wait(5)
    server.hang_up()  # whether it had kept what it read, nobody knows

    bench.book.add("a", 2)
    bench.settle()
    found = bench.verdict(lines_of(server.got.wait(5 + 5 + 3)))
    assert (found.problems, found.facts, found.unsigned) == ((), 5, 0)
    assert (found.duplicates, server.connections) == (5, 2)
    bench.exporter.finish()


def test_a_server_that_is_not_there_is_named_with_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sink = syslog("tcp", port)
    with pytest.raises(SinkDown, match=rf"syslog tcp://127\.0\.0\.1:{port}: no connection") as refused:
        sink.write(["{}"])
    assert "is it up" in refused.value.remedy


def https(port: int, ca_file, *login) -> HttpsSink:
    return HttpsSink(f"https://127.0.0.1:{port}/ingest/rotator", Network(ca_file=ca_file), *login)


def test_https_posts_batches_of_lines_with_the_login_that_is_configured(serve, secured, monkeypatch):
    monkeypatch.setenv("INGEST", "s3cr3t-of-the-ingest")
    server = serve(Posts(secured[0]))
    bench = exporting(https(server.port, secured[1], SecretRef(env="INGEST"), "Splunk"))
    bench.settle()
    found = bench.verdict([line.decode() for line in server.got.wait(5)])
    assert (found.problems, found.facts) == ((), 3)
    path, headers = server.requests[0]
    assert (path, headers["Content-Type"]) == ("/ingest/rotator", "application/x-ndjson")
    assert headers["Authorization"] == "Splunk s3cr3t-of-the-ingest"


@pytest.mark.parametrize("status", [500, 503, 429, 400, 401, 403, 404, 301, 302, 307, 308])
def test_https_tries_again_what_is_no_yes_and_follows_no_redirect(serve, secured, status):
    server = serve(Posts(secured[0], [status, status]))
    bench = exporting(https(server.port, secured[1]))
    assert bench.exporter.step() == 1.0
    assert str(bench.troubles[0]).endswith(f"HTTP {status}")
    assert bench.troubles[0].remedy
    bench.exporter.step()
    bench.settle()
    found = bench.verdict([line.decode() for line in server.got.wait(5)])
    assert (found.problems, found.facts) == ((), 3)
    assert {path for path, _ in server.requests} == {"/ingest/rotator"}


def test_https_sends_nothing_to_a_server_whose_certificate_is_not_trusted(serve, secured, tmp_path):
    (tmp_path / "other").mkdir()
    _, other = certificate(tmp_path / "other", "127.0.0.1", called="other")
    server = serve(Posts(secured[0]))
    bench = exporting(https(server.port, other))
    bench.exporter.step()
    assert "is not trusted" in str(bench.troubles[0])
    assert server.requests == []


def test_an_answer_that_never_comes_is_no_yes(serve, secured, monkeypatch):
    monkeypatch.setattr("rotator.audit.https.ANSWER_PATIENCE", 0.2)
    server = serve(Frames(secured[0]))  # it speaks TLS, takes everything and says nothing
    bench = exporting(https(server.port, secured[1]))
    bench.exporter.step()
    assert "no answer in time" in str(bench.troubles[0])
    assert "sent again" in bench.troubles[0].remedy


def test_a_login_that_cannot_be_read_is_named_and_nothing_is_sent(serve, secured, monkeypatch):
    monkeypatch.delenv("INGEST", raising=False)
    server = serve(Posts(secured[0]))
    bench = exporting(https(server.port, secured[1], SecretRef(env="INGEST")))
    assert bench.exporter.step() == 1.0
    assert "INGEST is not set" in str(bench.troubles[0])
    assert server.requests == []
