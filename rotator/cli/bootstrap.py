"""The verb that gets a connection its first management token: by Global API Key, by a token, by the dashboard."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from rotator.cli import exits
from rotator.cli.layout import Column, Line, Row, Span, Table, table, text
from rotator.cli.output import is_terminal, say, terminal_width, write_json, write_lines
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import ConfigError
from rotator.core.findings import Level
from rotator.core.secret import Secret
from rotator.core.times import both

if TYPE_CHECKING:
    from rotator.app.bootstrap.run import Result
    from rotator.app.bootstrap.setting import Setting

EMAIL: Final = "CLOUDFLARE_EMAIL"
KEY: Final = "CLOUDFLARE_GLOBAL_KEY"
LONGEST: Final = 64 * 1024
TRIES: Final = 3
"""How often a person at a terminal may paste something that is certainly no token."""


class Way(StrEnum):
    """How the token is made."""

    GLOBAL_KEY = "global-key"
    TOKEN = "token"  # noqa: S105 - a word, no secret
    DASHBOARD = "dashboard"


class Owner(StrEnum):
    """Whose it is."""

    ACCOUNT = "account"
    USER = "user"


Connection = Annotated[str, typer.Argument(metavar="CONNECTION", help="A Cloudflare connection of the file.")]
With = Annotated[Way, typer.Option("--with", help="Who makes the token.")]
Email = Annotated[str | None, typer.Option("--email", metavar="E", help="E-mail of the login; else CLOUDFLARE_EMAIL.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", metavar="F", help="The Global API Key stands in that file.")
]
KeyEnv = Annotated[
    str | None, typer.Option("--key-env", metavar="N", help="It stands in that variable; CLOUDFLARE_GLOBAL_KEY.")
]
TokenFile = Annotated[Path | None, typer.Option("--token-file", metavar="F", help="The token stands in that file.")]
TokenEnv = Annotated[str | None, typer.Option("--token-env", metavar="N", help="The token stands in that variable.")]
Lifetime = Annotated[str, typer.Option("--lifetime", metavar="1y", help="1y, 90d, ..., or never.")]
Owned = Annotated[Owner | None, typer.Option("--owner", help="Whose the new token is; else what the credentials need.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Make nothing; show what would be made.")]


def bootstrap(
    settings: Settings,
    connection: Connection,
    way: With,
    email: Email = None,
    key_file: KeyFile = None,
    key_env: KeyEnv = None,
    token_file: TokenFile = None,
    token_env: TokenEnv = None,
    lifetime: Lifetime = "1y",
    owner: Owned = None,
    dry_run: DryRun = False,
) -> int:
    """Get a connection its first management token, and a standby.

    Puts them where the connection's `token` and `standby_token` point, mode
    0600, after proving them, and runs `check`. Three ways:

      global-key   e-mail and Global API Key make both tokens; the key is used
                   for this call only and kept nowhere
      token        a token that may create tokens becomes the management token
                   (no token can make another that does)
      dashboard    a link opens the form with everything filled in; paste the
                   value, once for each of the two

    What is not named by a flag is asked for without echo, or read from standard
    input, one line each.

      rotator bootstrap prod --with global-key --email me@example.com
      rotator bootstrap prod --with token --token-file made-by-hand
      rotator bootstrap prod --with dashboard

    A place that holds a token is never written over. After a crash the same
    command goes on from there. Exit 1 when nothing was to be done or something
    fails.
    """
    _fitting(way, email=email, key_file=key_file, key_env=key_env, token_file=token_file, token_env=token_env)
    seconds = _lifetime(lifetime)
    if way is Way.GLOBAL_KEY:
        key = (email, key_file, key_env)
        return _by_key(settings, connection, key, seconds, owner.value if owner else None, dry=dry_run)
    if dry_run:
        return _shown_only(settings, connection, way, seconds)
    from rotator.app.bootstrap.run import by_value

    asked = _Asked(settings, token_file, token_env, link=way is Way.DASHBOARD, seconds=seconds)
    result = by_value(settings.path, connection, asked, every=way is Way.DASHBOARD, tell=say)
    return _told(settings, result, dry=False)


def _by_key(
    settings: Settings,
    connection: str,
    key: tuple[str | None, Path | None, str | None],
    seconds: float,
    owner: Literal["account", "user"] | None,
    *,
    dry: bool,
) -> int:
    from rotator.app.bootstrap.run import by_key
    from rotator.sources.cloudflare.authority import key_of

    email, key_file, key_env = key
    login = key_of(email or os.environ.get(EMAIL), _key(key_file, key_env))
    result = by_key(settings.path, connection, login, lifetime=seconds, owner=owner, tell=say, dry=dry)
    return _told(settings, result, dry=dry)


def _fitting(way: Way, **given: object) -> None:
    """Refuse flags that belong to another way.

    Raises:
        ConfigError: one does.
    """
    of_key, of_token = ("email", "key_file", "key_env"), ("token_file", "token_env")
    foreign = {Way.GLOBAL_KEY: of_token, Way.TOKEN: of_key, Way.DASHBOARD: (*of_key, *of_token)}[way]
    for name in foreign:
        if given[name] is not None:
            raise ConfigError(
                f"--{name.replace('_', '-')} does not belong to --with {way}", "leave it out, or name another way"
            )
    for one, other in (("key_file", "key_env"), ("token_file", "token_env")):
        if given[one] is not None and given[other] is not None:
            raise ConfigError(
                f"--{one.replace('_', '-')} and --{other.replace('_', '-')} exclude each other", "give one"
            )


def _lifetime(written: str) -> float:
    """Seconds; a year counts 365 days."""
    import re

    from pydantic_core import PydanticCustomError

    from rotator.config.fields import parse_duration
    from rotator.core.durations import DAY, NEVER

    if written == "never":
        return NEVER
    years = re.fullmatch(r"(\d{1,2})y(.*)", written)
    try:
        seconds = (int(years[1]) * 365 * DAY if years else 0) + (
            parse_duration(years[2] if years else written) if not years or years[2] else 0
        )
    except PydanticCustomError as error:
        what, _, instead = error.message().partition("; ")
        raise ConfigError(f"--lifetime {written}: {what}", instead) from None
    if seconds < DAY:
        raise ConfigError(f"--lifetime {written}: shorter than a day", "write for example 1y or 90d")
    return seconds


def _key(key_file: Path | None, key_env: str | None) -> Secret:
    """The Global API Key: from a file, a variable, a prompt or standard input."""
    from rotator.config.secret_ref import SecretRef
    from rotator.sources.cloudflare.authority import FIND

    if key_file is not None:
        return SecretRef(file=key_file.absolute()).read()
    if key_env is not None or KEY in os.environ:
        return SecretRef(env=key_env or KEY).read()
    say(f"the Global API Key: {FIND}")
    return _typed("Global API Key: ", "the Global API Key", "--key-file F, --key-env N, or the variable " + KEY)


def _typed(prompt: str, what: str, flags: str) -> Secret:
    """One line without echo from a terminal, else from standard input.

    Raises:
        ConfigError: nothing came, or it is no secret.
    """
    from rotator.config.secret_ref import one_line

    if is_terminal(sys.stdin):
        from getpass import getpass

        content = getpass(prompt, stream=sys.stderr).strip().encode()
    else:
        content = sys.stdin.buffer.readline(LONGEST)
    if not content.strip():
        raise ConfigError(f"{what} was not given", f"{flags}, or one line on standard input")
    return one_line(content, what)


class _Asked:
    """Gives the value of a token that a person made: from a flag, a prompt or standard input."""

    def __init__(self, settings: Settings, file: Path | None, env: str | None, *, link: bool, seconds: float) -> None:
        self._settings = settings
        self._file, self._env, self._link, self._seconds = file, env, link, seconds

    def __call__(self, role: str, setting: Setting) -> Secret:
        from rotator.config.secret_ref import SecretRef

        if self._file is not None:
            return SecretRef(file=self._file.absolute()).read()
        if self._env is not None:
            return SecretRef(env=self._env).read()
        if self._link:
            _show(self._settings, _form(setting, role, self._seconds))
        return _patiently(
            lambda: _typed(f"value of the {role} token: ", f"the value of the {role} token", "--token-file F")
        )


def _patiently(ask: Callable[[], Secret]) -> Secret:
    """Ask once more where a person pasted what is certainly no token."""
    from rotator.sources.cloudflare.pasted import refuse

    for left in range(TRIES if is_terminal(sys.stdin) else 1, 0, -1):
        try:
            value = ask()
            refuse(value, "what was given")
        except ConfigError as error:
            if left == 1:
                raise
            say(f"{error.message}\ndo: {error.remedy}")
        else:
            return value
    raise AssertionError


def _form(setting: Setting, role: str, seconds: float) -> list[str]:
    from rotator.app.bootstrap.making import token_name
    from rotator.core.durations import DAY, NEVER
    from rotator.sources.cloudflare.dashboard import form, steps

    made = form(setting.need, token_name(setting.name, role))
    days = None if seconds == NEVER else int(seconds // DAY)
    return [f"the {role} token:", f"  {made.link}", *(f"  - {step}" for step in steps(setting.need, made, days))]


def _show(settings: Settings, lines: list[str]) -> None:
    if settings.json:
        say("\n".join(lines))
    else:
        write_lines([text(line) for line in lines])


def _shown_only(settings: Settings, connection: str, way: Way, seconds: float) -> int:
    """What the two ways by hand would ask for."""
    from rotator.app.bootstrap.setting import setting

    found = setting(settings.path, connection, None)
    free = [place for place in found.places() if place.value is None]
    if way is Way.TOKEN:
        free = free[:1]
    if settings.json:
        document = [
            {"role": p.role, "id": None, "name": None, "expires_on": None, "written_to": str(p.path)} for p in free
        ]
        write_json({"dry_run": True, "tokens": document, "findings": [], "permissions": _rights(found)})
    for place in free if way is Way.DASHBOARD else ():
        _show(settings, _form(found, place.role, seconds))
    if not settings.json:
        write_lines([text(f"{place.role}: a token that you give would be written to {place.path}") for place in free])
    return exits.DONE


def _rights(setting: Setting) -> list[dict[str, str]]:
    return [
        {"permission": name, "scope": scope.value, "id": group_id}
        for scope, groups in setting.need.rights.items()
        for name, group_id in groups
    ]


def _told(settings: Settings, result: Result, *, dry: bool) -> int:
    """Show what was made, and what `check` says."""
    findings: list[dict[str, Any]] = [
        {
            "level": f.level.value,
            "subject": str(f.subject),
            "code": f.code,
            "message": f.message,
            "remedy": f.remedy or None,
        }
        for f in result.findings
    ]
    if settings.json:
        document: dict[str, Any] = {"tokens": [one.document() for one in result.tokens], "findings": findings}
        if dry:
            document |= {"dry_run": True, "permissions": _rights(result.setting)}
        write_json(document)
    else:
        write_lines(_tokens(result, dry=dry))
        if findings:
            from rotator.cli import render

            write_lines([text(""), *render.findings(findings, terminal_width())])
    return exits.NO if any(f.level is Level.FAIL for f in result.findings) else exits.DONE


def _tokens(result: Result, *, dry: bool) -> list[Line]:
    import time

    made = Table([Column(title) for title in ("TOKEN", "NAME", "ID", "EXPIRES", "FILE")])
    for one in result.tokens:
        expires = "" if one.expires_at is None else both(one.document()["expires_on"], time.time(), "never")
        row = (Span(one.role, "label"), one.name, one.id or "-", expires, str(one.path))
        made.rows.append(Row(row, ["stood there already, and is kept"] if one.kept else []))
    lines = table(made, terminal_width())
    if dry:
        rights = [f"  {row['scope']}: {row['permission']}" for row in _rights(result.setting)]
        lines += [text(""), text(f"a token of {_whose(result.setting)} with"), *(text(line) for line in rights)]
        lines.append(text("nothing was made"))
    return lines


def _whose(setting: Setting) -> str:
    return f"the account {setting.need.accounts[0]}" if setting.need.owner == "account" else "the user"


def register(app: typer.Typer) -> None:
    """Add this verb."""
    verb(app, absent=exits.NO)(bootstrap)
