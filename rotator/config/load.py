"""A configuration file to a `Config`, or to every error of it in one go, each with file, line and column.

The only module here that reads the file. A file that is half written or broken leaves the caller with an exception and
with whatever configuration it had; nothing is changed anywhere.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from rotator.config.compose import no_collection
from rotator.config.document import LARGEST_FILE, DocumentError, Spot, Tree, parse
from rotator.config.explain import ConfigErrors, Problems, fields_of
from rotator.config.fleet import Fleet
from rotator.config.kinds import Kinds
from rotator.config.models import (
    Advanced,
    Config,
    ConnectionStanza,
    CredentialCommon,
    CredentialStanza,
    Http,
    Log,
    State,
)
from rotator.config.naming import Names
from rotator.config.nodes import check_nodes, node_of
from rotator.config.page import Page
from rotator.config.references import Read, check
from rotator.config.schedule import calendar_of, check_calendar
from rotator.config.sinks import audit_of, notify_of
from rotator.config.stanzas import Connections, Reader, named
from rotator.config.state import StatePlace, place_of
from rotator.core.findings import CONFIGURATION

LISTEN_VARIABLE: Final = "ROTATOR_HTTP_LISTEN"
_ROOT: Final = frozenset(
    {"version", "state", "http", "log", "connections", "defaults", "credentials", "advanced", "names"}
    | {"fleet", "groups", "freezes", "node", "page", "audit", "notify"}
)
_OWN: Final = frozenset({"name", "adopt", "renamed_from"})
"""Keys of a credential that cannot be a default, because each has its own."""


def load(
    path: Path | str,
    kinds: Kinds,
    environ: Mapping[str, str] | None = None,
    *,
    uid: int | None = None,
    content: bytes | None = None,
    inventory: bytes | None = None,
) -> Config:
    """Read a configuration file.

    Args:
        path: the file; its name appears in errors as it is given here.
        kinds: which connections, sources and targets there are.
        environ: the environment, by default the process's.
        content: what the file held at an earlier time, instead of what it holds now.
        inventory: the same of the inventory of its fleet.
        uid: the user whose default state folder counts, by default the process's.

    Raises:
        ConfigErrors: the file cannot be read or something in it is wrong; everything is reported at once.
    """
    with no_collection():
        environ, uid = os.environ if environ is None else environ, os.geteuid() if uid is None else uid
        problems = Problems(str(path))
        content = _content(Path(path), problems) if content is None else content
        return _load(path, kinds, environ, uid, content, inventory, problems)


def digest(path: Path, inventory: Path | None) -> str:
    """Return the hex digest of a configuration by which a change shows; empty where a file of it cannot be read."""
    try:
        return digest_of(path.read_bytes(), inventory.read_bytes() if inventory else None)
    except OSError:
        return ""


def digest_of(content: bytes, inventory: bytes | None) -> str:
    """Return the SHA-256 hex digest of the bytes of a configuration, and of its inventory where it has one."""
    found = hashlib.sha256(content)
    if inventory is None:
        return found.hexdigest()
    return hashlib.sha256(found.digest() + inventory).hexdigest()


def _load(
    path: Path | str,
    kinds: Kinds,
    environ: Mapping[str, str],
    uid: int,
    content: bytes,
    inventory: bytes | None,
    problems: Problems,
) -> Config:
    try:
        root = parse(content)
    except DocumentError as error:
        for spot, text in error.problems:
            problems.line(spot, text)
        if error.tree is None:
            raise problems.error() from None
        root = error.tree
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  # Path.resolve would follow a link to the file's other folder
    reader = Reader(kinds, problems, absolute.parent)
    fleet = Fleet(root.get("fleet"), absolute.parent, problems)
    inventory = fleet.read() if inventory is None else inventory
    rows = fleet.entries(inventory, _shared(kinds) | _OWN)
    sha256 = digest_of(content, inventory if fleet.path else None)
    config = _root(reader, root, Source(absolute, sha256, fleet.path), rows, environ, uid)
    if problems or config is None:
        raise problems.error()
    return config


def read_stanza(spec: Mapping[str, Any], kinds: Kinds, connections: Mapping[str, ConnectionStanza]) -> CredentialStanza:
    """Return the credential that `CredentialStanza.spec` described, e.g. one that has left the configuration since.

    Raises:
        ConfigErrors: it cannot be understood any more: its connection is gone, or another version wrote it.
    """
    problems = Problems(f"the journal's stanza of {spec.get('name', 'a credential')}")
    reader = Reader(kinds, problems, Path("/"))
    types = {name: stanza.type for name, stanza in connections.items()}
    found = reader.credential(Tree.of(dict(spec)), Connections(types, connections))
    if found is None or problems:
        raise problems.error()
    return found


def _content(path: Path, problems: Problems) -> bytes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & stat.S_IWOTH:
                message = "everybody may write this file, and with it the commands that read secrets"
                problems.warn(Spot(1, 1), CONFIGURATION, "config_writable", message, f"chmod o-w {path}")
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigErrors(
            [f"{path}:1:1: the file cannot be read: {error.strerror}; expected a configuration; check path and rights"]
        ) from None


class Source(NamedTuple):
    """Where a configuration comes from: its file, the digest of its bytes, the file of its inventory."""

    path: Path
    sha256: str
    inventory: Path | None


def _root(
    reader: Reader, root: Tree, source: Source, rows: Sequence[Tree], environ: Mapping[str, str], uid: int
) -> Config | None:
    problems = reader.problems
    if not isinstance(root.value, dict):
        problems.add(root.spot, "the file is not a mapping", "expected sections", "begin with `version: 1`")
        return None
    problems.unknown(root, _ROOT)
    _version(root, problems)
    state = _state(reader, root, source.path.parent, environ, uid)
    http = _http(reader, root, environ)
    log = _section(reader, root, "log", Log)
    advanced = _section(reader, root, "advanced", Advanced)
    names = reader.model(Names, tree, "`names`") if (tree := root.get("names")) is not None else None
    page = reader.model(Page, tree, "`page`") if (tree := root.get("page")) is not None else None
    audit = audit_of(reader, root)
    notify = notify_of(reader, root)
    connections, connection_trees = _connections(reader, root)
    entries, credentials = _credentials(reader, root, connections, rows)
    read = Read(
        kinds=reader.kinds,
        advanced=advanced or Advanced(),
        advanced_tree=root.get("advanced") or Tree(root.spot, {}),
        connections=connections.stanzas,
        connection_trees=connection_trees,
        credentials=credentials,
        entries=entries,
        strays=reader.strays,
        key=None if state is None or state.generated else (root.at(("state", "encryption_key")), state.encryption_key),
    )
    check(read, problems)
    node = node_of(reader, root, environ)
    check_nodes(read, problems, several=state is not None and state.database is None)
    calendar = calendar_of(reader, root)
    check_calendar(read, calendar, root, reader)
    if state is None or http is None or log is None or advanced is None or problems:
        return None
    return Config(
        path=source.path,
        sha256=source.sha256,
        inventory=source.inventory,
        calendar=calendar,
        state=state,
        http=http,
        log=log,
        connections=connections.stanzas,
        credentials=tuple(stanza for stanza, _ in credentials),
        advanced=advanced,
        names=names,
        page=page,
        audit=audit,
        notify=notify,
        node=node,
        warnings=problems.warnings,
    )


def _version(root: Tree, problems: Problems) -> None:
    found = root.get("version")
    if found is None:
        problems.add(
            root.at(("version",)),
            "the key `version` is missing",
            "expected the version of this format",
            "write `version: 1`",
        )
    elif isinstance(found.value, bool) or found.value != 1:
        problems.add(found.spot, "this version of the format is not known", "expected 1", "write `version: 1`")


Model = TypeVar("Model", bound=BaseModel)


def _section(reader: Reader, root: Tree, key: str, model: type[Model]) -> Model | None:
    tree = root.get(key)
    return reader.model(model, tree, f"`{key}`") if tree is not None else model()


def _state(reader: Reader, root: Tree, folder: Path, environ: Mapping[str, str], uid: int) -> StatePlace | None:
    state = _section(reader, root, "state", State)
    if state is None:
        return None
    try:
        return place_of(state.url, state.encryption_key, folder, environ, uid, state.password)
    except PydanticCustomError as error:
        reader.problems.line(root.at(("state", "url")), error.message())
        return None


def _http(reader: Reader, root: Tree, environ: Mapping[str, str]) -> Http | None:
    http = _section(reader, root, "http", Http)
    given = environ.get(LISTEN_VARIABLE)
    if http is None or not given:
        return http
    try:
        return Http(listen=given)
    except ValidationError:
        reader.problems.add(
            Spot(1, 1),
            f"the environment variable {LISTEN_VARIABLE} is not an address to listen on",
            "expected HOST:PORT",
            "set it to for example 0.0.0.0:9853, or unset it",
        )
        return None


def _connections(reader: Reader, root: Tree) -> tuple[Connections, dict[str, Tree]]:
    tree = root.get("connections") or Tree(root.spot, {})
    if not isinstance(tree.value, dict):
        reader.problems.add(
            tree.spot, "`connections` is not a mapping", "expected names and connections", "write `prod: {type: …}`"
        )
    types: dict[str, str] = {}
    stanzas: dict[str, ConnectionStanza] = {}
    trees: dict[str, Tree] = {}
    for name, entry in tree.items():
        written = entry.get("type")
        types[name] = written.value if written is not None and isinstance(written.value, str) else ""
        stanza = reader.connection(name, entry)
        if named(reader, name, tree) and stanza is not None:
            stanzas[name], trees[name] = stanza, entry
    return Connections(types, stanzas), trees


def _credentials(
    reader: Reader, root: Tree, connections: Connections, rows: Sequence[Tree]
) -> tuple[list[Tree], list[tuple[CredentialStanza, Tree]]]:
    """All entries, those of the fleet last, and what the valid ones among them say."""
    defaults = _defaults(reader, root)
    tree = root.get("credentials") or Tree(root.spot, [])
    if not isinstance(tree.value, list):
        reader.problems.add(
            tree.spot, "`credentials` is not a list", "expected one entry for each", "write `- name: …` lines"
        )
        return [], []
    # first every tree, then what is made of them: what stays holds no memory between pieces that go
    entries = [
        entry.over(defaults, deep=("rotation",)) if isinstance(entry.value, dict) else entry
        for entry in (*tree.value, *rows)
    ]
    found = []
    for whole in entries:
        stanza = reader.credential(whole, connections)
        if stanza is not None:
            found.append((stanza, whole))
    return entries, found


def _shared(kinds: Kinds) -> set[str]:
    """The keys that several credentials may have in common."""
    known = {*CredentialCommon.model_fields, "targets"} - _OWN
    return known.union(*(map(str, fields_of(model)) for model in kinds.sources.values()))


def _defaults(reader: Reader, root: Tree) -> Tree:
    tree = root.get("defaults") or Tree(root.spot, {})
    if not isinstance(tree.value, dict):
        reader.problems.add(
            tree.spot, "`defaults` is not a mapping", "expected keys of a credential", "write `lifetime: 90d`"
        )
        return Tree(root.spot, {})
    known = _shared(reader.kinds)
    for key, _ in tree.items():
        if key in _OWN:
            reader.problems.add(
                tree.keys[key],
                f"`{key}` cannot be a default",
                "expected a key that several credentials may share",
                "write it in the credential itself",
            )
    reader.problems.unknown(tree, known | _OWN)
    return tree.only(known)
