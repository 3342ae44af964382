"""HTTP/1.1 as the sandbox speaks it: reading one request from a socket's file, writing one response.

Lean on purpose: a rehearsal sends thousands of requests per second, and `http.server` spends most of its time in the
e-mail header parser. Speaks RFC 9112: keep-alive, Content-Length and chunked request bodies, `Expect`.
"""

from __future__ import annotations

import socket
from http import HTTPStatus
from typing import BinaryIO, Final
from urllib.parse import unquote

from rotator.sandbox.message import Request, Response

LINE_MOST: Final = 65536
HEADERS_MOST: Final = 100
BODY_MOST: Final = 4 * 1024 * 1024


class BadRequest(Exception):
    """Bytes that are not an HTTP/1.x request within bounds; `status` is the answer before the connection closes."""

    def __init__(self, status: int = 400) -> None:
        super().__init__(status)
        self.status = status


def read_request(stream: BinaryIO, connection: socket.socket, ip: str) -> tuple[Request, bool] | None:
    """The next request, and whether the connection may be kept; None when the peer has closed.

    Raises:
        BadRequest: not HTTP/1.x, or larger than the bounds above.
        OSError: the connection broke.
    """
    first = _line(stream)
    if first in (b"\r\n", b"\n"):  # RFC 9112 section 2.2: ignore an empty line before the request line
        first = _line(stream)
    if not first:
        return None
    words = first.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest
    method, target, version = words
    headers = _headers(stream)
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = _body(stream, headers)
    wish = headers.get("connection", "").lower()
    keep = "close" not in wish and (version != "HTTP/1.0" or "keep-alive" in wish)
    if "://" in target[:8]:  # the absolute form that proxies are sent
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    path, _, query = target.partition("?")
    return Request(method, unquote(path), query, headers, body, ip), keep


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(LINE_MOST + 1)
    if len(line) > LINE_MOST:
        raise BadRequest(431)
    return line


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(HEADERS_MOST + 1):
        line = _line(stream)
        if line in (b"\r\n", b"\n"):
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest
        headers[name.lower()] = value.strip(" \t\r\n")
    raise BadRequest(431)


def _body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _chunks(stream)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest
    return _exactly(stream, int(length))


def _exactly(stream: BinaryIO, size: int) -> bytes:
    if size > BODY_MOST:
        raise BadRequest(413)
    body = stream.read(size) if size else b""
    if len(body) < size:
        raise BadRequest
    return body


def _chunks(stream: BinaryIO) -> bytes:
    body = bytearray()
    while True:
        try:
            size = int(_line(stream).partition(b";")[0].strip(), 16)
        except ValueError:
            raise BadRequest from None
        if size == 0:
            break
        body += _exactly(stream, size)
        if len(body) > BODY_MOST:
            raise BadRequest(413)
        _line(stream)
    while _line(stream) not in (b"\r\n", b"\n", b""):
        pass
    return bytes(body)


def encode(response: Response, *, keep: bool, bodiless: bool = False) -> bytes:
    """The bytes of a response; `half` ones are cut in the middle of the body that their length promises."""
    try:
        reason = HTTPStatus(response.status).phrase
    except ValueError:
        reason = "Unknown"  # Cloudflare's own 520 to 530 have no registered phrase
    lines = [f"HTTP/1.1 {response.status} {reason}", *(f"{name}: {value}" for name, value in response.headers)]
    lines += [f"Content-Type: {response.content_type}", f"Content-Length: {len(response.body)}"]
    lines.append("Connection: keep-alive" if keep else "Connection: close")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    if bodiless:
        return head
    return head + (response.body[: len(response.body) // 2] if response.half else response.body)
