"""A real provider of OpenID Connect, in a process of its own: its warnings would be errors in this one."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from tests.rotator_place import eventually


@contextmanager
def provider(*users: Mapping[str, Any]) -> Iterator[str]:
    """Run a provider that knows these users by their claims, `sub` among them; yields its issuer."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    for user in users:
        command += ["--user-claims", json.dumps(user)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            yield str(eventually(lambda: _about(port))["issuer"]).rstrip("/")
        finally:
            running.terminate()


def free_port() -> int:
    """A port of loopback that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _about(port: int) -> dict[str, object] | None:
    try:
        found: dict[str, object] = httpx.get(f"http://127.0.0.1:{port}/.well-known/openid-configuration").json()
    except httpx.TransportError:
        return None
    return found
