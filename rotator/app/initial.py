"""The first files of a project: a configuration that `check --offline` accepts, and what `.gitignore` lacks. Pure text.

worker   tokens in the `.dev.vars` and `.env` files of a Workers project
ci       a token for pipelines, read from Vault, AWS Secrets Manager or a file
fleet    a connection alone, for tokens that exist already (`rotator discover`, `rotator adopt`)
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Final

from pathspec import GitIgnoreSpec

from rotator.sources.cloudflare.options import API_URL

PRIVATE: Final = ".rotator"
"""Folder beside the configuration for management tokens, key and state; never in git."""


class Purpose(StrEnum):
    """What a configuration is for."""

    WORKER = "worker"
    CI = "ci"
    FLEET = "fleet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a person said.

    Attributes:
        purpose: what it is for.
        account_id: of the account.
        owner: `account` or `user`.
        zones: names or ids.
        paths: dotenv files, as they are written into the configuration.
        vault: address of Vault, or None.
        aws: region, or None.
        token_file: where the management token lies or will lie.
        api_url: of the API.
        name: of the project, for the names of credentials.
    """

    purpose: Purpose
    account_id: str
    owner: str = "account"
    zones: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    vault: str | None = None
    aws: str | None = None
    token_file: str = f"{PRIVATE}/management-token"
    api_url: str = API_URL
    name: str = "project"

    @property
    def standby_file(self) -> str:
        """Where the standby token will lie: beside the management token."""
        beside = PurePath(self.token_file)
        return str(beside.with_name(f"{beside.name}-standby"))


def configuration(answers: Answers) -> str:
    """Return the text of `rotator.yaml`."""
    return "\n".join(_lines(answers)) + "\n"


def ignored(answers: Answers) -> tuple[str, ...]:
    """Return the lines that keep secrets out of git, relative to the folder of the configuration."""
    found = [f"/{PRIVATE}/"]
    for path in (answers.token_file, answers.standby_file):
        if not path.startswith(f"{PRIVATE}/"):
            found += _patterns(path)
    for path in answers.paths:
        found += _patterns(path)
    return tuple(dict.fromkeys(found))


def lacking(text: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return those of the wanted lines whose files the text of a `.gitignore` does not cover yet."""
    spec = GitIgnoreSpec.from_lines(text.splitlines())
    return tuple(
        line for line in wanted if not spec.check_file(line.strip("/").replace("*", "0") + _tail(line)).include
    )


def _tail(line: str) -> str:
    return "/x" if line.endswith("/") else ""


def _patterns(path: str) -> Iterator[str]:
    """A file and the ones that stand beside it while it is written; nothing for one outside of the folder."""
    plain = os.path.normpath(path)
    if Path(plain).is_absolute() or plain.startswith(("..", "~")):
        return
    folder, name = os.path.split(plain)
    before = f"/{folder}/" if folder else "/"
    yield f"{before}{name}"
    yield f"{before}.{name.lstrip('.')}.rotator-*"


def _lines(answers: Answers) -> Iterator[str]:
    yield from _head(answers)
    yield "version: 1"
    yield ""
    yield "state:"
    yield f"  url: sqlite:///{PRIVATE}/state/state.db"
    yield f"  encryption_key: {{ file: {PRIVATE}/rotator.key }} # keep a copy: without it nobody reads the state"
    yield ""
    yield "connections:"
    yield "  cloudflare:"
    yield "    type: cloudflare"
    yield f"    account_id: {answers.account_id}"
    yield f"    token: {{ file: {_text(answers.token_file)} }}"
    yield f"    standby_token: {{ file: {_text(answers.standby_file)} }}"
    if answers.api_url != API_URL:
        yield f"    api_url: {answers.api_url}"
    if answers.vault:
        yield "  vault:"
        yield "    type: vault"
        yield f"    address: {_text(answers.vault)}"
        yield f"    auth: {{ token: {{ file: {PRIVATE}/vault-token }} }} # or approle, kubernetes, jwt"
    if answers.aws:
        yield f"  aws: {{ type: aws, region: {_text(answers.aws)} }}"
    yield ""
    yield "defaults:"
    yield "  connection: cloudflare"
    yield f"  owner: {answers.owner}"
    yield ""
    yield from _credentials(answers)


def _head(answers: Answers) -> Iterator[str]:
    yield "# The next steps:"
    yield "#   rotator bootstrap cloudflare --with global-key     (or token, dashboard) makes the management tokens"
    yield "#   rotator check                                      is everything in place?"
    if answers.purpose is Purpose.FLEET:
        yield "#   rotator discover cloudflare                        which tokens are there?"
        yield "#   rotator adopt --pick-all                           prints credentials for them, to be put in below"
    else:
        yield "#   rotator once                                       makes the tokens and writes them"
        yield "#   rotator run                                        keeps them fresh from then on"


def _credentials(answers: Answers) -> Iterator[str]:
    if answers.purpose is Purpose.FLEET:
        yield "credentials: []"
        return
    yield "credentials:"
    yield f"  - name: {answers.name}-{'dev' if answers.purpose is Purpose.WORKER else 'ci'}"
    yield f"    lifetime: {'30d' if answers.purpose is Purpose.WORKER else '90d'}"
    yield "    grants:"
    yield "      - permissions:"
    for permission in _OF_ACCOUNT[answers.purpose]:
        yield f"          - {permission}"
    if answers.zones:
        yield f"      - permissions: [{', '.join(_OF_ZONES[answers.purpose])}]"
        yield f"        zones: [{', '.join(_text(zone) for zone in answers.zones)}]"
    yield "    targets: # each gets CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID"
    if answers.vault:
        yield f"      - {{ type: vault, connection: vault, path: ci/cloudflare/{answers.name} }}"
    if answers.aws:
        yield f"      - {{ type: aws_secrets_manager, connection: aws, secret: ci/cloudflare/{answers.name} }}"
    for path in answers.paths:
        yield f"      - {{ type: env_file, path: {_text(path)} }}"


_OF_ACCOUNT: Final = {
    Purpose.WORKER: (
        "Workers Scripts Write",
        "Workers KV Storage Write",
        "D1 Write",
        "Workers R2 Storage Write",
        "Queues Write",
        "Pages Write",
        "Account Settings Read",
    ),
    Purpose.CI: ("Workers Scripts Write", "Workers KV Storage Write", "Account Settings Read"),
}
_OF_ZONES: Final = {
    Purpose.WORKER: ("Workers Routes Write", "DNS Write", "Zone Settings Read"),
    Purpose.CI: ("Workers Routes Write", "Zone Read"),
}


_BARE: Final = re.compile(r"\.{0,2}/?[A-Za-z][A-Za-z0-9._/-]*|\.[A-Za-z][A-Za-z0-9._/-]*")
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def _text(value: str) -> str:
    """A text as YAML: bare where it cannot be mistaken for anything else, else in quotes."""
    return value if _BARE.fullmatch(value) and value.lower() not in _WORDS else json.dumps(value)
