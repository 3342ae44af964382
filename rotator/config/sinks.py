"""The sections `audit` and `notify` of the root: their stanzas, and what two of one have to do with each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from rotator.config.audit import KINDS, AuditStanza, FileStanza
from rotator.config.document import Tree
from rotator.config.notify import KINDS as CHANNELS
from rotator.config.notify import ChannelStanza
from rotator.config.stanzas import Reader

One = TypeVar("One", bound=AuditStanza | ChannelStanza)


def audit_of(reader: Reader, root: Tree) -> tuple[AuditStanza, ...]:
    """Read the section; what is wrong goes to the reader's problems."""
    found: list[AuditStanza] = []
    for entry, stanza in _entries(reader, root, "audit", "sink", KINDS, "{name: siem, type: file, path: …}"):
        files = {other.path for other in found if isinstance(other, FileStanza)}
        if isinstance(stanza, FileStanza) and stanza.path in files:
            two = "two sinks write to this file"
            reader.problems.add(entry.at(("path",)), two, "expected a file for each", "give each its own")
        found.append(stanza)
    return tuple(found)


def notify_of(reader: Reader, root: Tree) -> tuple[ChannelStanza, ...]:
    """Read the section; what is wrong goes to the reader's problems."""
    example = "{name: team, type: slack, url: {file: …}}"
    return tuple(stanza for _, stanza in _entries(reader, root, "notify", "channel", CHANNELS, example))


def _entries(
    reader: Reader, root: Tree, section: str, what: str, kinds: Mapping[str, type[One]], example: str
) -> Iterator[tuple[Tree, One]]:
    """Every entry of a section that can be read, each with a name of its own."""
    tree = root.get(section)
    if tree is None:
        return
    if not isinstance(tree.value, list):
        instead = f"write `- {example}` lines"
        reader.problems.add(tree.spot, f"`{section}` is not a list", f"expected one entry for each {what}", instead)
        return
    names: set[str] = set()
    for entry in tree.value:
        kind = reader.type_of(entry, kinds, f"the {what}")
        stanza = reader.model(kinds[kind], entry, f"the {what}") if kind is not None else None
        if stanza is None:
            continue
        if stanza.name in names:
            two = f"two {what}s are called `{stanza.name}`"
            reader.problems.add(entry.at(("name",)), two, "expected a name for each", "give each its own")
        names.add(stanza.name)
        yield entry, stanza
