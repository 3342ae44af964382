"""Mails to a real server for mails, well-behaved or not; and nothing of a login in any message."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from rotator.core.secret import Secret
from rotator.host.network.dial import Network
from rotator.notify.errors import ChannelDown
from rotator.notify.mail import send, server
from rotator.notify.wire import mail
from tests.servers.certificates import certificate
from tests.unit.notify.test_post import message

# the double of a server may do what a real one should not
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

CANARY = "canary@pass:word/100%"
QUOTED = "canary%40pass%3Aword%2F100%25"


@dataclass
class Office:
    """Takes mails as it is told; `says` is what it answers to a step instead."""

    says: dict[str, str] = field(default_factory=dict)
    got: list[Mail] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)

    def log_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        login = (data.login.decode(), data.password.decode())
        self.logins.append(login)
        return AuthResult(success=login == ("ops@example.com", CANARY), handled=False)

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        envelope.mail_from = address
        return self.says.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self.says.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" not in self.says:
            self.secure.append(server.transport.get_extra_info("ssl_object") is not None)
            self.got.append(message_from_bytes(envelope.content, policy=default))
        return self.says.get("DATA", "250 OK")


@contextmanager
def office(**ways: ssl.SSLContext) -> Iterator[tuple[Office, int]]:
    """A mail server that wants a login, and its port; `ssl_context` for TLS, `tls_context` for STARTTLS."""
    made = Office()
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    controller = Controller(
        made,
        hostname="127.0.0.1",
        port=port,
        **ways,
        authenticator=made.log_in,
        auth_required=True,
        auth_require_tls=False,
        server_hostname="mx.test",
    )
    controller.start()
    try:
        yield made, port
    finally:
        controller.stop()


def submit(url: str, network: Network | None = None, within: float = 20.0) -> None:
    made = mail(message(2), "abcd1234", "rotator@example.com", "on-call@example.com")
    send(Secret(url), made, network or Network(), within)


def refused(url: str, network: Network | None = None, within: float = 20.0) -> ChannelDown:
    with pytest.raises(ChannelDown) as found:
        submit(url, network, within)
    said = f"{found.value.message} {found.value.remedy} {found.value!r}"
    assert "canary" not in said
    assert "ops@" not in said
    assert found.value.remedy
    return found.value


def address(port: int, scheme: str = "smtp", login: str = f"ops%40example.com:{QUOTED}@") -> str:
    return f"{scheme}://{login}127.0.0.1:{port}"


def contexts(folder: Path) -> tuple[ssl.SSLContext, Network]:
    """TLS of a server, and a network that trusts it."""
    context, file = certificate(folder)
    return context, Network(ca_file=file)


def test_a_mail_names_each_credential_with_what_to_do_and_arrives_once():
    with office() as (found, port):
        submit(address(port))
    [got] = found.got
    assert (got["From"], got["To"]) == ("rotator@example.com", "on-call@example.com")
    assert got["Subject"] == "rotator: 2 credentials: gets no fresh value"
    assert got["Message-ID"] == "<msg_1@abcd1234.rotator>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert "c0 (team=web), since 1970-01-01T00:00:00Z\n  a <!channel> & b" in got.get_content().replace("\r\n", "\n")
    assert found.logins == [("ops@example.com", CANARY)]


def test_the_end_of_a_trouble_is_in_the_thread_of_its_beginning():
    begun, over = (mail(message(over=end), "abcd1234", "a@b.test", "c@d.test") for end in (False, True))
    assert begun["References"] == over["References"]
    assert begun["Message-ID"] != over["References"]
    assert "over" in over.get_content()


def test_tls_comes_first_under_smtps(tmp_path):
    context, network = contexts(tmp_path)
    with office(ssl_context=context) as (found, port):
        submit(address(port, "smtps"), network)
    assert found.secure == [True]


def test_tls_begins_by_starttls_under_smtp_and_the_login_comes_after_it(tmp_path):
    context, network = contexts(tmp_path)
    with office(tls_context=context) as (found, port):
        submit(address(port), network)
    assert found.secure == [True]


def test_a_certificate_that_nobody_vouches_for_gets_no_login(tmp_path):
    context, _ = contexts(tmp_path)
    for way, scheme in (("ssl_context", "smtps"), ("tls_context", "smtp")):
        with office(**{way: context}) as (found, port):
            refused(address(port, scheme))
        assert (found.logins, found.got) == ([], [])


def test_beyond_loopback_a_server_without_starttls_gets_no_login():
    with office() as (found, port):
        here = Network(resolve=lambda name, port: [(socket.AF_INET, ("127.0.0.1", port))])
        error = refused(f"smtp://ops%40example.com:{QUOTED}@mx.example.com:{port}", here)
    assert "offers no STARTTLS" in error.message
    assert found.logins == []


def test_a_wrong_login_is_named_as_that():
    with office() as (_, port):
        error = refused(address(port, login="ops%40example.com:canary@"))
    assert error.message == "mailing through 127.0.0.1: it does not accept the login (535)"
    assert not error.for_good


@pytest.mark.parametrize(
    ("step", "answer", "said", "for_good"),
    [
        ("MAIL", "553 not yours, canary", "does not take mails from `from` (553)", False),
        ("RCPT", "550 no such canary", "does not take mails for `to` (550)", False),
        ("RCPT", "451 greylisted", "does not take mails for `to` (451)", False),
        ("DATA", "554 this looks like spam", "does not take the mail (554)", True),
        ("DATA", "452 disk full", "does not take the mail (452)", False),
    ],
)
def test_a_refusal_says_its_step_and_only_the_mail_itself_is_refused_for_good(step, answer, said, for_good):
    with office() as (found, port):
        found.says[step] = answer
        error = refused(address(port))
    assert said in error.message
    assert error.for_good is for_good


@pytest.mark.parametrize(
    "url",
    [
        "https://canary@mx",
        "smtps://",
        "smtp://mx:0",
        "smtp://mx:x",
        "smtp://mx/inbox",
        "smtp://a%ff:canary@mx",
        "smtp://canary@mx",
        "mx:25",
    ],
)
def test_what_is_no_address_of_a_mail_server_is_said_and_not_quoted(url):
    error = refused(url)
    assert error.message == "what `url` points to is not the address of a mail server"


def test_ports_are_those_of_submission():
    assert (server(Secret("smtps://mx")).port, server(Secret("smtp://mx")).port) == (465, 587)


def test_a_server_that_is_not_there_is_said():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "no connection to 127.0.0.1" in refused(address(port)).message


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (b"", "hung up"),
        (b"HTTP/1.1 400 Bad\r\n\r\n", "or speaks no SMTP"),
        (b"421 busy\r\n", "takes nobody now, or speaks no SMTP (421)"),
    ],
)
def test_a_peer_that_hangs_up_or_speaks_something_else_is_said(script, said):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            wire, _ = listener.accept()
            with wire:
                wire.sendall(script)

        thread = threading.Thread(target=answer)
        thread.start()
        assert said in refused(address(listener.getsockname()[1])).message
        thread.join()


def test_a_server_that_says_a_byte_a_second_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def drip() -> None:
            wire, _ = listener.accept()
            with wire:
                try:
                    while not ended.wait(0.05):
                        wire.sendall(b"2")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        error = refused(address(listener.getsockname()[1]), within=0.5)
        ended.set()
        thread.join()
    assert error.message == "mailing through 127.0.0.1: no answer in time"
