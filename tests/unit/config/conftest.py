"""Writes a configuration and loads it with the fake kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from rotator.config.load import load
from rotator.config.models import Config
from tests.unit.config.fake_kinds import KINDS

Load = Callable[..., Config]

HEAD = "version: 1\nconnections:\n  prod: {type: cloudflare, token: {env: T}}\n"
LOOPBACK = 'version: 1\nconnections:\n  prod: {type: cloudflare, token: {env: T}, api_url: "http://127.0.0.1:8980"}\n'


@pytest.fixture
def loads(tmp_path: Path) -> Load:
    """Load a text as `rotator.yaml` of the temporary folder; user 1000, home /home/app."""

    def act(text: str, environ: Mapping[str, str] | None = None, uid: int = 1000) -> Config:
        path = tmp_path / "rotator.yaml"
        path.write_text(text)
        return load(path, KINDS, {"HOME": "/home/app", **(environ or {})}, uid=uid)

    return act


def credential(extra: str = "", *, name: str = "a", path: str = ".env", head: str = HEAD) -> str:
    """A whole file with one credential; `extra` are lines of its stanza, or further keys in flow style."""
    return (
        f"{head}credentials:\n  - name: {name}\n    connection: prod\n    grants: [{{permissions: [DNS Write]}}]\n"
        f"    targets: [{{type: env_file, path: {path}}}]\n{extra}"
    )
