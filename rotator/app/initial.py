"""The first files of a project: a configuration that `check --offline` accepts, and what `.gitignore` lacks. Pure text.

worker   tokens in the `.dev.vars` and `.env` files of a Workers project
ci       a token for pipelines, read from Vault, AWS Secrets Manager or a file
fleet    many tokens by one template, a line of an inventory for each (`initial_fleet`)
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

from rotator.app import initial_fleet
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
    """Return the text of `rotator.yaml`.

    Raises:
        ConfigError: several tokens of a fleet would have to share a file.
    """
    return "\n".join(_lines(answers)) + "\n"


def inventory(answers: Answers) -> str | None:
    """Return the text of the fleet's inventory, or None for a configuration without one."""
    if answers.purpose is not Purpose.FLEET:
        return None
    return initial_fleet.inventory(initial_fleet.rows_of(answers.zones, answers.paths))


def files(answers: Answers) -> tuple[str, ...]:
    """Return the dotenv files that will hold a token, as far as they are known by now."""
    if answers.purpose is not Purpose.FLEET:
        return answers.paths
    rows = initial_fleet.rows_of(answers.zones, answers.paths)
    found = initial_fleet.places(answers.zones, answers.paths)
    return tuple(file for path in found for file in initial_fleet.filled(path, rows))


def ignored(answers: Answers) -> tuple[str, ...]:
    """Return the lines that keep secrets out of git, relative to the folder of the configuration."""
    found = [f"/{PRIVATE}/"]
    for path in (answers.token_file, answers.standby_file):
        if not path.startswith(f"{PRIVATE}/"):
            found += _patterns(path)
    for path in answers.paths:
        found += _patterns(initial_fleet.any_of(path) if answers.purpose is Purpose.FLEET else path)
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
        yield "#   a line in fleet.jsonl for each token               its columns fill the template below"
    yield "#   rotator once                                       makes the tokens and writes them"
    yield "#   rotator run                                        keeps them fresh from then on"
    if answers.purpose is Purpose.FLEET:
        yield "# Tokens that exist already: `rotator discover cloudflare` lists them, `rotator adopt --pick-all` prints"
        yield "# `credentials` for them, which stand beside the fleet."


def _credentials(answers: Answers) -> Iterator[str]:
    zones: tuple[str, ...]
    if answers.purpose is Purpose.FLEET:
        yield "fleet:"
        yield f"  inventory: {initial_fleet.INVENTORY} # a line for each token, for example"
        yield f"  # {_example(answers)}"
        yield "  template: # a credential; {column} stands for what the line says"
        yield '    name: "{name}"'
        zones, place = ("{zone}",) if answers.zones else (), "cloudflare/{name}"
        paths = initial_fleet.places(answers.zones, answers.paths)
    else:
        yield "credentials:"
        yield f"  - name: {answers.name}-{'dev' if answers.purpose is Purpose.WORKER else 'ci'}"
        zones, place, paths = answers.zones, f"ci/cloudflare/{answers.name}", answers.paths
    yield f"    lifetime: {'30d' if answers.purpose is Purpose.WORKER else '90d'}"
    yield "    grants:"
    yield "      - permissions:"
    for permission in _OF_ACCOUNT[answers.purpose]:
        yield f"          - {permission}"
    if zones:
        yield f"      - permissions: [{', '.join(_OF_ZONES[answers.purpose])}]"
        yield f"        zones: [{', '.join(_text(zone) for zone in zones)}]"
    yield "    targets: # each gets CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID"
    if answers.vault:
        yield f"      - {{ type: vault, connection: vault, path: {_text(place)} }}"
    if answers.aws:
        yield f"      - {{ type: aws_secrets_manager, connection: aws, secret: {_text(place)} }}"
    for path in paths:
        yield f"      - {{ type: env_file, path: {_text(path)} }}"


def _example(answers: Answers) -> str:
    """A line of the inventory, as somebody would add one."""
    rows = initial_fleet.rows_of(answers.zones, answers.paths) or [{"name": "shop-prod"}]
    return initial_fleet.inventory(rows[:1]).strip()


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
    Purpose.FLEET: ("Workers Scripts Write", "Account Settings Read"),
}
_OF_ZONES: Final = {
    Purpose.WORKER: ("Workers Routes Write", "DNS Write", "Zone Settings Read"),
    Purpose.CI: ("Workers Routes Write", "Zone Read"),
    Purpose.FLEET: ("Workers Routes Write", "Zone Read"),
}


_BARE: Final = re.compile(r"\.{0,2}/?[A-Za-z][A-Za-z0-9._/-]*|\.[A-Za-z][A-Za-z0-9._/-]*")
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def _text(value: str) -> str:
    """A text as YAML: bare where it cannot be mistaken for anything else, else in quotes."""
    return value if _BARE.fullmatch(value) and value.lower() not in _WORDS else json.dumps(value)
