"""HTTP/1.1 byte by byte: what is read as a request, and what is written as a response."""

import io

import pytest

from rotator.sandbox.message import Response
from rotator.sandbox.server import parse_listen
from rotator.sandbox.wire import BadRequest, encode, read_request


class Sent:
    """The side of a socket that a reader may write to."""

    def __init__(self):
        self.data = b""

    def sendall(self, data):
        self.data += data


def read(raw, connection=None):
    return read_request(io.BytesIO(raw), connection, "127.0.0.1")


def test_a_request_is_read_with_lower_case_headers():
    request, keep = read(b"PUT /a/b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}rest")
    assert (request.method, request.path, request.query, request.body) == ("PUT", "/a/b", "c=d", b"{}")
    assert request.headers["host"] == "x"
    assert keep


@pytest.mark.parametrize(
    "raw,keep",
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_a_connection_is_kept_as_the_client_wishes(raw, keep):
    assert read(raw)[1] is keep


def test_an_empty_line_before_a_request_is_passed_over():
    assert read(b"\r\nGET /x HTTP/1.1\n\n")[0].path == "/x"


def test_the_end_of_the_stream_is_no_request():
    assert read(b"") is None


def test_a_path_is_decoded_and_an_absolute_form_understood():
    assert read(b"GET http://h:1/a%20b?q=%20 HTTP/1.1\r\n\r\n")[0].path == "/a b"


def test_a_chunked_body_is_put_together():
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    request, _ = read(head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: z\r\n\r\n")
    assert request.body == b"abcde"


def test_who_expects_to_continue_is_told_to():
    sent = Sent()
    read(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", sent)
    assert sent.data == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    "raw,status",
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nspace : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"300000\r\n" + b"x" * 0x300000 + b"\r\n") * 2,
            413,
        ),
        (b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused(raw, status):
    with pytest.raises(BadRequest) as caught:
        read(raw)
    assert caught.value.status == status


def test_a_response_is_written_with_its_length():
    raw = encode(Response(200, b"{}", [("X", "y")]), keep=True)
    assert raw == (
        b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        b"Connection: keep-alive\r\n\r\n{}"
    )


def test_half_a_response_promises_the_whole():
    raw = encode(Response(200, b"0123456789", half=True), keep=False)
    assert b"Content-Length: 10\r\n" in raw
    assert raw.endswith(b"\r\n\r\n01234")


def test_a_response_to_head_has_no_body_and_cloudflares_own_statuses_are_written():
    assert encode(Response(520, b"x"), keep=False, bodiless=True).endswith(b"\r\n\r\n")
    assert encode(Response(520, b"x"), keep=False).startswith(b"HTTP/1.1 520 Unknown\r\n")


@pytest.mark.parametrize(
    "listen,parsed",
    [
        ("127.0.0.1:8980", ("127.0.0.1", 8980)),
        ("localhost:0", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("127.1.2.3:1", ("127.1.2.3", 1)),
    ],
)
def test_a_loopback_address_may_be_listened_on(listen, parsed):
    assert parse_listen(listen) == parsed


@pytest.mark.parametrize(
    "listen", ["8980", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "0.0.0.0:80", "example.com:80"]
)
def test_no_other_address_may_be_listened_on(listen):
    with pytest.raises(ValueError, match="cannot listen on"):
        parse_listen(listen)
