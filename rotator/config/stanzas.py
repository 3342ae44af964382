"""One stanza at a time: a tree of the file to a validated connection, credential or target, by the models of its kind.

What two stanzas together have wrong is left to `references`, except that a credential cannot be read without knowing
which source its connection is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from rotator.config.document import Tree, shown
from rotator.config.explain import Problems, fields_of, nearest
from rotator.config.fields import NAME_PATTERN, Name, Stanza, as_written
from rotator.config.kinds import Kinds, TargetKind
from rotator.config.models import (
    LITERAL,
    ConnectionStanza,
    CredentialCommon,
    CredentialStanza,
    TargetCommon,
    TargetStanza,
)

Model = TypeVar("Model", bound=BaseModel)


class _Named(Stanza):
    name: Name


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections as a credential sees them.

    Attributes:
        types: name -> type, of all that are written, those with errors included.
        stanzas: name -> stanza, of those without errors.
    """

    types: Mapping[str, str]
    stanzas: Mapping[str, ConnectionStanza]


class Reader:
    """Reads stanzas of one file; what is wrong goes to `problems`, and then the answer is None."""

    def __init__(self, kinds: Kinds, problems: Problems, folder: Path) -> None:
        """`folder` is what relative paths are relative to."""
        self.kinds = kinds
        self.problems = problems
        self.strays: list[tuple[str, TargetStanza, Tree]] = []
        """Good targets of credentials that have something else wrong, with the name that the credential goes by."""
        self._context = {"folder": folder}
        self._made: dict[tuple[object, ...], tuple[BaseModel, Tree]] = {}

    def model(self, model: type[Model], tree: Tree, name: str = "") -> Model | None:
        """Validate a whole tree by one model; what was made of the same parts before is the same object."""
        key = (model, *((name, id(inner)) for name, inner in tree.items()))
        known = self._made.get(key)
        if known is not None:
            return cast("Model", known[0])
        try:
            made = model.model_validate(tree.plain(), context=self._context)
        except ValidationError as error:
            self.problems.invalid(error, tree, model, name)
            return None
        self._made[key] = (made, tree)  # with the tree, so that its parts keep their ids
        return made

    def connection(self, name: str, tree: Tree) -> ConnectionStanza | None:
        """Read what stands at `connections.NAME`."""
        kind = self.type_of(tree, self.kinds.connections, "the connection")
        if kind is None:
            return None
        model = self.kinds.connections[kind]
        options = self._split(tree, model, {"type"}, "the connection")
        return ConnectionStanza(name=name, type=kind, options=options) if options is not None else None

    def credential(self, tree: Tree, connections: Connections) -> CredentialStanza | None:
        """Read one entry of `credentials`, the defaults merged in already."""
        if not self._is_mapping(tree, "the credential"):
            return None
        kind = self._source_type(tree, connections)
        model = self.kinds.sources[kind] if kind is not None else None
        here = self._keys_of(CredentialCommon) | {"targets"}
        if model is not None:
            self.problems.unknown(tree, here | self._keys_of(model))
        common = self.model(CredentialCommon, tree.only(self._keys_of(CredentialCommon)), "the credential")
        source = self.model(model, tree.only(self._keys_of(model)), "the credential") if model is not None else None
        targets = self._targets(tree, connections)
        whole = tuple(target for target, _ in targets if target is not None)
        watched = common is not None and common.adopt is not None
        if common is None or source is None or kind is None or not (targets or watched) or len(whole) < len(targets):
            name = named_in(tree) or "a credential"
            self.strays += [(name, target, entry) for target, entry in targets if target is not None]
            return None
        connection = connections.stanzas.get(common.connection)
        has = self.kinds.outputs_of(kind, connection.options if connection else None, source)
        return CredentialStanza(
            common=common,
            source_type=kind,
            source=source,
            targets=tuple(_without_missing(target, has) for target in whole),
        )

    def _source_type(self, tree: Tree, connections: Connections) -> str | None:
        """The type of the source, None if that cannot be known; a missing key is the model's to report."""
        written = tree.get("connection")
        if written is None or not isinstance(written.value, str):
            return None
        sources = [name for name, kind in connections.types.items() if kind in self.kinds.sources]
        kind = connections.types.get(written.value)
        if kind is None:
            self._no_connection(written, sources)
        elif kind not in self.kinds.connections:
            return None  # that stanza has its own error
        elif kind not in self.kinds.sources:
            self.problems.add(
                written.spot,
                f"`{written.value}` is a connection of type {kind}, which mints no tokens",
                f"expected one of type {', '.join(sorted(self.kinds.sources))}",
                f"write {_or(sources)}" if sources else "add one under `connections`",
            )
            return None
        return kind

    def _no_connection(self, written: Tree, candidates: list[str]) -> None:
        name = str(written.value)
        meant = nearest(name, candidates)
        self.problems.add(
            written.spot,
            f"there is no connection `{shown(name)}`",
            f"expected one of {', '.join(sorted(candidates))}" if candidates else "expected one of `connections`",
            f"write `{meant}`" if meant else "add it under `connections`",
        )

    def _targets(self, tree: Tree, connections: Connections) -> list[tuple[TargetStanza | None, Tree]]:
        """Every target that is written, None where it has something wrong, with its tree."""
        written = tree.get("targets")
        empty = written is None or (isinstance(written.value, list) and not written.value)
        if empty and tree.get("adopt") is not None:
            return []  # a token that is only watched
        if written is None or empty or not isinstance(written.value, list):
            self.problems.add(
                tree.at(("targets",)),
                "the credential has no `targets`",
                "expected a list of at least one place where its value is published",
                "write for example `targets: [{type: env_file, path: .env}]`",
            )
            return []
        return [(self._target(entry, connections), entry) for entry in written.value]

    def _target(self, tree: Tree, connections: Connections) -> TargetStanza | None:
        type_name = self.type_of(tree, self.kinds.targets, "the target")
        if type_name is None:
            return None
        kind = self.kinds.targets[type_name]
        common_keys = self._keys_of(TargetCommon)
        common = self.model(TargetCommon, tree.only(common_keys), "the target")
        options = self._split(tree, kind.options, common_keys, "the target")
        good_connection = self._target_connection(tree, type_name, kind, connections)
        if common is None or options is None or not good_connection:
            return None
        reach = self._reach(kind, common.connection, connections)
        place = kind.place(options)
        identity = kind.identity(options) if kind.identity is not None else place
        reach = reach or (common.node or "")  # the same path on another machine is another place
        return TargetStanza(
            common=common,
            options=options,
            name=common.name or f"{type_name}:{place}",
            place=place,
            keys=dict(common.keys if common.keys is not None else kind.keys(options)),
            lease=":".join((type_name, reach, identity)) if reach else f"{type_name}:{identity}",
        )

    def _target_connection(self, tree: Tree, type_name: str, kind: TargetKind, connections: Connections) -> bool:
        written = tree.get("connection")
        if kind.connection_type is None:
            if written is not None:
                self.problems.add(
                    tree.at(("connection",), key=True),
                    f"a target of type {type_name} takes no connection",
                    "expected none",
                    "remove the key `connection`",
                )
            return written is None
        fitting = [name for name, found in connections.types.items() if found == kind.connection_type]
        if written is None:
            self.problems.add(
                tree.spot,
                "the key `connection` is missing in the target",
                f"expected the name of a connection of type {kind.connection_type}",
                f"write `connection: {fitting[0]}`" if fitting else "add one under `connections`",
            )
            return False
        if not isinstance(written.value, str):
            return False
        found = connections.types.get(written.value)
        if found is None:
            self._no_connection(written, fitting)
        elif found in self.kinds.connections and found != kind.connection_type:
            self.problems.add(
                written.spot,
                f"`{written.value}` is a connection of type {found}",
                f"expected one of type {kind.connection_type}",
                f"write {_or(fitting)}" if fitting else "add one under `connections`",
            )
        return found == kind.connection_type

    def _reach(self, kind: TargetKind, name: str | None, connections: Connections) -> str:
        if kind.connection_type is None or name is None:
            return ""
        stanza = connections.stanzas.get(name)
        return kind.reach(name, stanza.options) if stanza is not None else name

    def _split(self, tree: Tree, model: type[Model], others: frozenset[str] | set[str], name: str) -> Model | None:
        """Validate the keys that are not `others` by a kind's own model."""
        own = self._keys_of(model)
        self.problems.unknown(tree, own | others)
        return self.model(model, tree.only(own), name)

    def type_of(self, tree: Tree, known: Mapping[str, Any], name: str) -> str | None:
        """Return the type that a stanza says to be of; what is wrong with that is noted, and the answer is None."""
        if not self._is_mapping(tree, name):
            return None
        written = tree.get("type")
        choices = f"expected one of {', '.join(sorted(known))}"
        if written is None:
            self.problems.add(tree.spot, f"the key `type` is missing in {name}", choices, "write `type: …`")
            return None
        if isinstance(written.value, str) and written.value in known:
            return written.value
        meant = nearest(written.value, known) if isinstance(written.value, str) else None
        self.problems.add(
            written.spot,
            f"{name} has a type that is not in this version",
            choices,
            f"write `{meant}`" if meant else "write one of these",
        )
        return None

    def _is_mapping(self, tree: Tree, name: str) -> bool:
        if isinstance(tree.value, dict):
            return True
        self.problems.add(tree.spot, f"{name} is not a mapping", "expected keys and values", "write `key: value` lines")
        return False

    @staticmethod
    @lru_cache(maxsize=256)
    def _keys_of(model: type[BaseModel]) -> frozenset[str]:
        return frozenset(map(str, fields_of(model)))


def named_in(tree: Tree) -> str | None:
    """The name that an entry of `credentials` gives itself, whatever else it has wrong; None if that is no name."""
    written = tree.get("name")
    found = as_written(written.value) if written is not None else None
    return found if isinstance(found, str) and re.fullmatch(NAME_PATTERN[1:-1], found) else None


def named(reader: Reader, name: str, tree: Tree) -> bool:
    """Whether `name`, a key of the mapping at `tree`, may name something; a problem is noted otherwise."""
    try:
        _Named(name=name)
    except ValidationError as error:
        reader.problems.line(tree.keys[name], error.errors()[0]["msg"])
        return False
    return True


def _or(names: list[str]) -> str:
    return " or ".join(f"`{name}`" for name in names[:4])


def _without_missing(target: TargetStanza, has: frozenset[str]) -> TargetStanza:
    """The target without default keys whose output its credential does not have; written keys are checked elsewhere."""
    if target.common.keys is not None:
        return target
    return replace(target, keys={k: o for k, o in target.keys.items() if o in has or o.startswith(LITERAL)})
