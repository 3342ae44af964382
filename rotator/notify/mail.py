"""One mail by submission (RFC 6409): over TLS, within a time limit, to one address.

What the server says is not shown: it may quote the login. Its code is.
"""

from __future__ import annotations

import smtplib
import socket
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final, NoReturn, cast
from urllib.parse import unquote, urlsplit

from rotator.core.secret import Secret
from rotator.host.network.errors import NotConnected
from rotator.host.network.route import is_loopback_host
from rotator.notify.errors import ChannelDown
from rotator.notify.guard import guarded
from rotator.notify.post import IN_ALL, PATIENCE

if TYPE_CHECKING:
    from rotator.host.network.dial import Network
    from rotator.host.network.tunnel import Wire

_PORTS: Final = {"smtps": 465, "smtp": 587}
_READY: Final = 220


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails are submitted.

    Attributes:
        host: name or address.
        port: of it.
        tls: whether TLS comes first (smtps); else it begins by STARTTLS (smtp).
        login: user and password; None without one.
    """

    host: str
    port: int
    tls: bool
    login: tuple[str, Secret] | None


def server(url: Secret) -> Server:
    """Read `smtps://user:password@host:port`; nothing of a wrong address is quoted.

    Raises:
        ChannelDown: it is none.
    """
    try:
        parts = urlsplit(url.reveal())
        host, port = parts.hostname or "", parts.port
        user, password = (unquote(one or "", errors="strict") for one in (parts.username, parts.password))
    except ValueError:
        host, port, parts, user, password = "", None, urlsplit(""), "", ""
    beside = parts.path.strip("/") or parts.query or parts.fragment
    if not host or parts.scheme not in _PORTS or port == 0 or beside or bool(user) != bool(password):
        raise ChannelDown(
            "what `url` points to is not the address of a mail server",
            "put smtps://user:password@host:465 there, or smtp://user:password@host:587 for STARTTLS, in one line, "
            "with `@`, `:`, `/` and `%` of user and password as %40, %3A, %2F and %25",
        )
    login = (user, Secret(password)) if user else None
    return Server(host, port or _PORTS[parts.scheme], parts.scheme == "smtps", login)


def send(url: Secret, mail: EmailMessage, network: Network, within: float = IN_ALL) -> None:
    """Submit a mail to the one address in its `To`.

    Args:
        url: the mail server, with its login.
        mail: with `From` and `To`.
        network: where connections come from.
        within: seconds for all of it after the connection stands.

    Raises:
        ChannelDown: it was not taken, or nobody knows.
    """
    found = server(url)
    where = f"mailing through {found.host}"
    try:
        session = _Session(network.dial(found.host, found.port, tls=found.tls, timeout=PATIENCE))
        try:
            with guarded(lambda: session.sock, within):
                session.settimeout(within)
                _submit(session, found, mail, network)
            with suppress(OSError, smtplib.SMTPException):
                session.settimeout(1.0)
                session.quit()  # it has the mail; whether it says goodbye does not matter
        finally:
            session.close()
    except NotConnected as error:
        raise ChannelDown(f"{where}: {error.message}", error.remedy) from None
    except smtplib.SMTPException as error:
        _refused(where, error)
    except (OSError, ValueError) as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        raise ChannelDown(f"{where}: {why}", "look whether it runs; it is tried again") from None


class _Session(smtplib.SMTP):
    """A session over a wire of ours. Its name for itself is its address, which needs no look-up."""

    def __init__(self, wire: Wire) -> None:
        address = wire.getsockname()[0] if isinstance(wire, socket.socket) else "127.0.0.1"
        super().__init__(local_hostname=f"[IPv6:{address}]" if ":" in address else f"[{address}]")
        self.sock = cast(socket.socket, wire)  # TLS within TLS looks like one
        self.file = None

    def settimeout(self, seconds: float) -> None:
        """Set the time limit of each step."""
        if self.sock is not None:
            self.sock.settimeout(seconds)

    def secure(self, network: Network, host: str) -> None:
        """Begin TLS; what the server said before it is forgotten (RFC 3207 section 4.2)."""
        code, _ = self.docmd("STARTTLS")
        if code != _READY or self.sock is None:
            raise smtplib.SMTPNotSupportedError
        self.sock = cast(socket.socket, network.secure(self.sock, host, PATIENCE))
        self.file = None
        self.helo_resp, self.ehlo_resp, self.does_esmtp, self.esmtp_features = None, None, False, {}


def _submit(session: _Session, found: Server, mail: EmailMessage, network: Network) -> None:
    code, _ = session.getreply()
    if code != _READY:
        raise smtplib.SMTPConnectError(code, b"")
    session.ehlo_or_helo_if_needed()
    if not found.tls and (session.has_extn("starttls") or not is_loopback_host(found.host)):
        session.secure(network, found.host)
        session.ehlo_or_helo_if_needed()
    if found.login is not None:
        user, password = found.login
        session.login(user, password.reveal())
    session.send_message(mail)


def _refused(where: str, error: smtplib.SMTPException) -> NoReturn:
    """Say which step the server refused."""
    code = getattr(error, "smtp_code", 0)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    said = f" ({code})" if code > 0 else ""
    for kind, what, remedy in _STEPS:
        if isinstance(error, kind):
            for_good = kind is smtplib.SMTPDataError and code >= 500
            raise ChannelDown(f"{where}: {what}{said}", remedy, for_good=for_good) from None
    what = "it hung up, or speaks no SMTP" if isinstance(error, _SILENT) else "it knows no way to log in that we know"
    raise ChannelDown(f"{where}: {what}{said}", _LOOK) from None


_LOOK: Final = "look at that mail server, and whether host and port in `url` are its own; messages wait meanwhile"

_SILENT: Final = (smtplib.SMTPServerDisconnected, smtplib.SMTPHeloError)

_STEPS: Final[tuple[tuple[type[smtplib.SMTPException], str, str], ...]] = (
    (
        smtplib.SMTPAuthenticationError,
        "it does not accept the login",
        "put user and password (of some services an app password) into what `url` points to",
    ),
    (
        smtplib.SMTPNotSupportedError,
        "it offers no STARTTLS, or no login that we know",
        "write smtps:// into what `url` points to where it speaks TLS from the start (port 465)",
    ),
    (smtplib.SMTPSenderRefused, "it does not take mails from `from`", "write an address that the login may use"),
    (smtplib.SMTPRecipientsRefused, "it does not take mails for `to`", "look at the address, and whether it exists"),
    (smtplib.SMTPDataError, "it does not take the mail", "look at the log of that mail server"),
    (smtplib.SMTPConnectError, "it takes nobody now, or speaks no SMTP", _LOOK),
)
