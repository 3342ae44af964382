"""The verb that writes the first files of a project."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from rotator.cli import exits
from rotator.cli.layout import text
from rotator.cli.output import is_terminal, say, write_json, write_lines
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import ConfigError, RotatorError

if TYPE_CHECKING:
    from rotator.app.first_files import Written

NAME: Final = "rotator.yaml"


class For(StrEnum):
    """What the configuration is for."""

    WORKER = "worker"
    CI = "ci"
    FLEET = "fleet"


class Owner(StrEnum):
    """Whose the tokens are."""

    ACCOUNT = "account"
    USER = "user"


Folder = Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where; by default here.")]
What = Annotated[For | None, typer.Option("--for", help="What the configuration is for.")]
AccountId = Annotated[
    str | None, typer.Option("--account-id", metavar="ID", help="32 digits, on any domain's overview page.")
]
Owned = Annotated[Owner, typer.Option("--owner", help="Whose the tokens are.")]
Zones = Annotated[list[str] | None, typer.Option("--zone", metavar="NAME", help="A zone; may be repeated.")]
Paths = Annotated[list[Path] | None, typer.Option("--path", metavar="FILE", help="A .env or .dev.vars; repeatable.")]
Vault = Annotated[str | None, typer.Option("--vault", metavar="URL", help="For pipelines: publish there.")]
Aws = Annotated[str | None, typer.Option("--aws", metavar="REGION", help="Publish to Secrets Manager.")]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="Where the management token is or will be.")
]
ApiUrl = Annotated[str | None, typer.Option("--api-url", metavar="URL", help="A sandbox's address.")]


def init(
    settings: Settings,
    folder: Folder = Path(),
    purpose: What = None,
    account_id: AccountId = None,
    owner: Owned = Owner.ACCOUNT,
    zones: Zones = None,
    paths: Paths = None,
    vault: Vault = None,
    aws: Aws = None,
    token_file: TokenFile = None,
    api_url: ApiUrl = None,
) -> int:
    """Write the first configuration of a project.

    Writes rotator.yaml, an encryption key, and the lines that .gitignore lacks
    so that no secret gets into git. Asks on a terminal for what no flag says.
    Where the management token is there already, it tells the account.

      worker   tokens for the .dev.vars and .env files of a Workers project
      ci       a token for pipelines, in Vault, Secrets Manager or a file
      fleet    many tokens by one template, a line of fleet.jsonl for each

      rotator init --for worker --account-id ID --path apps/api/.dev.vars
      rotator init --for ci --account-id ID --vault https://vault.internal:8200
      rotator init --for fleet --account-id ID --zone a.example --zone b.example

    What is written passes `check --offline`. Nothing that exists is written
    over: exit 1.
    """
    from rotator.app.first_files import write
    from rotator.app.initial import PRIVATE, Answers, Purpose
    from rotator.sources.cloudflare.options import API_URL

    target = folder / NAME
    if target.exists():
        raise RotatorError(f"{target} exists, and is not written over", "edit it, or name another folder")
    wanted = Purpose((purpose or For(_ask_choice("what for", [p.value for p in For], "--for"))).value)
    token = str(token_file) if token_file is not None else f"{PRIVATE}/management-token"
    api = api_url or API_URL
    answers = Answers(
        purpose=wanted,
        account_id=_account(account_id, folder, token, api),
        owner=owner.value,
        zones=tuple(zones if zones is not None else _zones(wanted)),
        paths=_places(wanted, paths, vault=vault, aws=aws),
        vault=vault,
        aws=aws,
        token_file=token,
        api_url=api,
        name=_project(folder),
    )
    return _told(settings, write(folder, answers))


def _told(settings: Settings, written: Written) -> int:
    if settings.json:
        write_json({"written": [str(path) for path in written.files], "ignored": list(written.ignored)})
    else:
        write_lines([text(f"wrote {path}") for path in written.files])
    for line in written.remarks:
        say(line)
    say("do: `rotator bootstrap cloudflare --with global-key` (or token, dashboard) makes the management tokens")
    return exits.DONE


def _project(folder: Path) -> str:
    """The folder's name as the beginning of a credential's."""
    plain = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:40].strip("-")
    return plain or "project"


def _zones(purpose: object) -> Sequence[str]:
    from rotator.app.initial import Purpose

    if not is_terminal(sys.stdin):
        return ()
    each = "a token for each" if purpose is Purpose.FLEET else "names"
    return _line(f"zones ({each}, with commas; empty for none): ").replace(",", " ").split()


def _places(purpose: object, paths: Sequence[Path] | None, *, vault: str | None, aws: str | None) -> tuple[str, ...]:
    from rotator.app.initial import Purpose
    from rotator.app.initial_fleet import USUAL

    if paths or vault or aws:
        return tuple(str(path) for path in paths or ())
    if purpose is Purpose.FLEET:
        return (USUAL,)
    usual = ".dev.vars" if purpose is Purpose.WORKER else ".env"
    if not is_terminal(sys.stdin):
        return (usual,)
    return tuple(_line(f"files that get the token (with commas; empty for {usual}): ").replace(",", " ").split()) or (
        usual,
    )


def _account(given: str | None, folder: Path, token: str, api_url: str) -> str:
    """The account's id: as given and, where a management token is there already, checked with it or found by it.

    Raises:
        ConfigError: it is none, or nobody said it.
    """
    from rotator.app.first_files import account_of

    if given is not None and not re.fullmatch(r"[0-9a-fA-F]{32}", given.strip()):
        raise ConfigError(
            "what was given as --account-id is not the id of an account", "it has 32 hexadecimal digits: " + _WHERE
        )
    found = account_of(folder, token, api_url, given.strip().lower() if given else None)
    if found.account_id:
        if found.said:
            say(found.said)
        return found.account_id
    if not is_terminal(sys.stdin):
        raise ConfigError(found.said or "nothing says which account is meant", f"--account-id ID: {_WHERE}")
    if found.said:
        say(found.said)
    for _ in range(3):
        line = _line(f"account id ({_WHERE}): ").lower()
        if re.fullmatch(r"[0-9a-f]{32}", line):
            return line
        say("this is not the id of an account: it has 32 hexadecimal digits")
    raise ConfigError("nothing says which account is meant", f"--account-id ID: {_WHERE}")


_WHERE: Final = "the dashboard shows it on the overview page of any domain, and in its address"


def _ask_choice(question: str, choices: Sequence[str], flag: str) -> str:
    if not is_terminal(sys.stdin):
        raise ConfigError(f"nothing says {question}", f"{flag} {'|'.join(choices)}")
    for _ in range(3):
        line = _line(f"{question} ({', '.join(choices)}): ").lower()
        if line in choices:
            return line
    raise ConfigError(f"nothing says {question}", f"{flag} {'|'.join(choices)}")


def _line(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def register(app: typer.Typer) -> None:
    """Add this verb."""
    verb(app)(init)
