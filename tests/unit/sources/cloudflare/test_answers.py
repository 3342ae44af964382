"""Envelopes and headers: parsing never raises, and never takes garbage for something."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.core.instants import unix
from rotator.sources.cloudflare.answers import (
    Answer,
    date_of,
    rate_limit_of,
    read_envelope,
    retry_after,
    seen_address,
)


def said(body: object) -> Answer:
    return Answer(200, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b'"success"',
        b"<html></html>",
        b"\xff\xfe{",
        b'{"success":',
        b'{"success":"true"}',
        b'{"success":1}',
        b"{}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_envelope_is_none(body: bytes):
    assert read_envelope(said(body)) is None


def test_an_envelope_has_its_errors_with_their_chains():
    chain = {"code": 6003, "message": "Invalid", "error_chain": [{"code": 6111, "message": "format"}]}
    found = read_envelope(said({"success": False, "errors": [chain, "odd", {"code": "7", "message": None}]}))

    assert found is not None
    assert [(e.code, e.message) for e in found.errors] == [(6003, "Invalid"), (6111, "format"), (0, "")]


def test_an_endless_chain_ends():
    entry: dict[str, object] = {"code": 1, "message": "x"}
    for _ in range(50):
        entry = {"code": 1, "message": "x", "error_chain": [entry]}
    found = read_envelope(said({"success": False, "errors": [entry]}))

    assert found is not None
    assert len(found.errors) == 4


def test_neither_an_answer_nor_an_envelope_shows_what_it_holds():
    answer = said({"success": True, "result": {"value": "CANARY"}})

    assert "CANARY" not in repr(answer)
    assert "CANARY" not in repr(read_envelope(answer))


@given(st.binary(max_size=200))
def test_no_body_breaks_the_parser(body: bytes):
    read_envelope(Answer(200, {}, body))


@given(st.text(max_size=60))
def test_no_header_breaks_the_parsers(text: str):
    headers = {"date": text, "retry-after": text, "ratelimit": text}

    date_of(headers)
    rate_limit_of(headers)
    assert 0 < retry_after(headers) <= 3600
    unix(text)


DATE = "Sun, 22 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({}, 300),
        ({"retry-after": "17"}, 17),
        ({"retry-after": " 17 "}, 17),
        ({"retry-after": "0"}, 300),
        ({"retry-after": "-1"}, 300),
        ({"retry-after": "1.5"}, 300),
        ({"retry-after": "9" * 18}, 3600),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:00 GMT", "date": DATE}, 60),
        ({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": DATE}, 300),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:00 GMT"}, 300),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float):
    assert retry_after(headers) == seconds


def test_the_date_header_is_provider_time():
    assert date_of({"date": DATE}) == datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp()
    assert date_of({}) is None
    assert date_of({"date": "yesterday"}) is None


@pytest.mark.parametrize(
    "header, expected",
    [
        ('"default";r=50;t=30', (50, 30.0)),
        ('"default"; r=0; t=7', (0, 7.0)),
        ('"default";t=30', None),
        ("", None),
        ('"default";r=x;t=30', None),
    ],
)
def test_the_providers_own_count(header: str, expected: object):
    assert rate_limit_of({"ratelimit": header}) == expected


@pytest.mark.parametrize(
    "status, body, address",
    [
        (200, b"fl=1\nip=203.0.113.9\nts=1\n", "203.0.113.9"),
        (200, b"ip=2001:DB8::1\r\n", "2001:db8::1"),
        (200, b"ip=999.1.1.1\n", None),
        (200, b"<html>ip=203.0.113.9</html>", None),
        (403, b"ip=203.0.113.9\n", None),
        (200, b"", None),
    ],
)
def test_the_edge_says_from_where_it_sees_us(status: int, body: bytes, address: str | None):
    assert seen_address(Answer(status, {}, body)) == address
