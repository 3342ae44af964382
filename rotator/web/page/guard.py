"""What stands around every answer of the page: whose `Host` is answered, how much may be sent, which headers go out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rotator.host.network.route import is_loopback_host

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY: Final = 16 * 1024
"""Bytes that a request may send: an act is small."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not `no-referrer`: with that a browser sends no Origin with a form, and nobody could see where it comes from.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """Stands before an application."""

    def __init__(self, made: ASGIApp, base_url: Callable[[], str | None], close: Callable[[], None]) -> None:
        """`base_url`: of the configuration, asked anew at each request; `close` ends what does not end by itself."""
        self._made, self._base_url, self.close = made, base_url, close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        hosts = [value for key, value in scope["headers"] if key == b"host"]
        if len(hosts) != 1 or not answers_to(hosts[0].decode("latin-1"), self._base_url()):
            await _refuse(send, 421, b"this page is not known by that name; see `page.base_url`\n")
            return
        await self._made(scope, _limited(receive), _covered(send))


def answers_to(host: str, base_url: str | None) -> bool:
    """Whether a `Host` is a loopback one or that of `base_url`: any other is a foreign name that leads here."""
    try:
        asked = urlsplit(f"//{host}")
        name, port = asked.hostname or "", asked.port
    except ValueError:
        return False
    if not name or asked.username is not None or asked.path:
        return False
    if is_loopback_host(name):
        return True
    if base_url is None:
        return False
    ours = urlsplit(base_url)
    usual = {"https": 443, "http": 80}[ours.scheme]
    return name == ours.hostname and (port or usual) == (ours.port or usual)


class TooLarge(Exception):
    """The request sent more than `LARGEST_BODY`."""


def _limited(receive: Receive) -> Receive:
    got = 0

    async def limited() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > LARGEST_BODY:
            raise TooLarge
        return message

    return limited


def _covered(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def covered(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {key for key, _ in message["headers"]}
            more = {**HEADERS, "cache-control": "no-store"}
            message["headers"] = [
                *message["headers"],
                *((key.encode(), value.encode()) for key, value in more.items() if key.encode() not in given),
            ]
        await send(message)

    return covered


async def _refuse(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    headers += [(key.encode(), value.encode()) for key, value in {**HEADERS, "cache-control": "no-store"}.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
