"""Names of credentials on the command line: arguments with completion, and who is meant by them."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.core.errors import Absent, ConfigError
from rotator.core.ids import CredentialId

if TYPE_CHECKING:
    from rotator.app import App
    from rotator.core.credential import Credential


def complete(context: typer.Context, incomplete: str) -> list[str]:
    """Return the configured names that begin with what was typed; nothing where the configuration cannot be read."""
    from rotator.config.find import find

    try:
        from ruamel.yaml import YAML

        parent: Any = context.parent
        named = context.params.get("config") or (parent.params.get("config") if parent else None)
        path = find(named)
        data = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
        if data.get("fleet"):
            from rotator.config.load import load
            from rotator.registry import kinds

            names = [stanza.name for stanza in load(path, kinds()).credentials]
        else:
            names = [str(entry["name"]) for entry in data["credentials"]]
    except Exception:  # noqa: BLE001 - a shell that completes must never see an error
        return []
    return [name for name in names if name.startswith(incomplete)]


Name = Annotated[
    str | None, typer.Argument(metavar="NAME", help="A credential; without it, all of them.", autocompletion=complete)
]
AnyNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="Credentials; without any, all of them.", autocompletion=complete),
]
SomeNames = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Credentials; globs in quotes.", autocompletion=complete)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A credential that was named.

    Attributes:
        name: its name.
        stream: its id in the journal.
        connection: its connection, for provider time.
        credential: its configuration, None when it has left that.
    """

    name: str
    stream: CredentialId
    connection: str
    credential: Credential | None


def is_glob(name: str) -> bool:
    """Whether a name as typed stands for several."""
    return any(sign in name for sign in "*?[")


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of the patterns, or fits one that is a glob; upper and lower case differ."""
    return any(name == pattern or fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def choose(app: App, names: list[str] | None, *, everything: bool = False, managed: bool = False) -> list[Chosen]:
    """Return the credentials that are meant, each once, in the order given; `everything` means all configured ones.

    A glob means those of the configuration that fit it, and those that left it where they may be chosen, too.

    Args:
        app: the opened instance.
        names: names as typed.
        everything: whether `--all` was given.
        managed: whether one that has left the configuration is refused.

    Raises:
        ConfigError: a name is not known (the nearest is named), no name fits a glob, none is given, or names are given
            beside `--all`.
    """
    if bool(names) == everything:
        raise ConfigError(
            "no credential is named" if not names else "credentials are named beside --all",
            "name credentials, or use --all",
        )
    configured = {credential.name: credential for credential in app.queries.credentials}
    if everything:
        names = list(configured)
    rows = {row.name: row for row in app.queries.streams()}
    found = []
    known = list(configured) if managed else list(dict.fromkeys([*configured, *rows]))
    for name in dict.fromkeys(one for typed in names or [] for one in _spelled(typed, known)):
        stream, credential = app.queries.stream(name), configured.get(name)
        if credential is None and managed:
            raise ConfigError(
                f"{name} is not in the configuration any more; it is not rotated", "add it to `credentials` again"
            )
        connection = credential.connection if credential else rows[name].connection
        found.append(Chosen(name=name, stream=stream, connection=connection, credential=credential))
    return found


def _spelled(typed: str, known: list[str]) -> list[str]:
    """The names that one argument stands for."""
    if not is_glob(typed):
        return [typed]
    found = [name for name in known if matches(name, [typed])]
    if not found:
        raise Absent(f"no credential fits {typed}", "`rotator status` lists them")
    return found


def operator() -> str:
    """Return who is acting, for the audit trail: the login behind sudo, else the user of this process."""
    behind = os.environ.get("SUDO_USER", "")
    if behind.isprintable() and behind:
        return behind[:64]
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"
