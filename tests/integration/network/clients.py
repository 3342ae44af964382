"""The three clients that the network policy is for, each asked for one read and one request with an effect."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from rotator.config.secret_ref import SecretRef
from rotator.core.errors import OutcomeUnknown, RotatorError, Unavailable
from rotator.core.ports.runtime import Priority
from rotator.core.secret import Secret
from rotator.sources.cloudflare.calls import Call
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.errors import CallKind
from rotator.sources.cloudflare.options import ConnectionOptions
from rotator.targets.aws_secrets_manager import AwsConnectionOptions
from rotator.targets.aws_secrets_manager.connection import AwsConnection
from rotator.targets.vault import VaultConnectionOptions
from rotator.targets.vault.options import VaultAuth
from rotator.targets.vault.transport import Request, Server

CANARY = "CANARY" * 8


class FreeBudget:
    """A budget without end."""

    def take(self, priority: Priority) -> None:
        pass

    def stop(self, seconds: float) -> None:
        pass


class Client(Protocol):
    """One client on one connection."""

    def __call__(self, *, effect: bool) -> None:
        """Send one request."""


@dataclass(frozen=True)
class Kinds:
    """A client by name, and what its server must answer."""

    name: str
    answer: dict[str, Any]
    open: Callable[..., Client]


def cloudflare(url: str, folder: Path, **network: Any) -> Client:
    options = ConnectionOptions(token=SecretRef(file=folder / "token"), api_url=url, **network)
    connection = CloudflareConnection.open("cf", options, budget=FreeBudget())

    def ask(*, effect: bool) -> None:
        kind, method = (CallKind.EFFECT, "POST") if effect else (CallKind.READ, "GET")
        call = Call(operation="get", doing="asking", method=method, path="/x", kind=kind, body={} if effect else None)
        try:
            connection.calls.call(call, Secret(CANARY))
        finally:
            connection.close()

    return ask


def vault(url: str, folder: Path, **network: Any) -> Client:
    auth = VaultAuth(token=SecretRef(file=folder / "token"))
    server = Server(VaultConnectionOptions(address=url, auth=auth, **network))

    def ask(*, effect: bool) -> None:
        method, body = ("POST", "{}") if effect else ("GET", None)
        server.send(Secret(CANARY), Request(doing="asking", method=method, path="x", body=body, effect=effect))

    return ask


def aws(url: str, folder: Path, **network: Any) -> Client:
    connection = AwsConnection(
        "aws", AwsConnectionOptions(region="eu-central-1", endpoint_url=url, **network), attempts=1
    )

    def ask(*, effect: bool) -> None:
        operation = "restore_secret" if effect else "describe_secret"
        with connection.open() as client:
            client.ask(operation, doing="asking", effect=effect, SecretId="x")

    return ask


KINDS = [
    Kinds("cloudflare", {"success": True, "errors": [], "messages": [], "result": {"id": "1"}}, cloudflare),
    Kinds("vault", {"data": {}}, vault),
    Kinds("aws", {"Name": "x"}, aws),
]


def failure(client: Client, *, effect: bool = True) -> RotatorError:
    """What a client says of a request that did not go well; it never shows the token."""
    with pytest.raises((Unavailable, OutcomeUnknown)) as caught:
        client(effect=effect)
    error = caught.value
    assert CANARY not in f"{error.message} {error.remedy}"
    assert error.__context__ is None or error.__suppress_context__
    return error
