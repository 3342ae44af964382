"""The sections `audit` and `notify` of the root: their stanzas, and what two of one have to do with each other."""

from __future__ import annotations

from rotator.config.audit import KINDS, AuditStanza, FileStanza
from rotator.config.document import Tree
from rotator.config.notify import KINDS as CHANNELS
from rotator.config.notify import ChannelStanza
from rotator.config.stanzas import Reader


def audit_of(reader: Reader, root: Tree) -> tuple[AuditStanza, ...]:
    """Read the section; what is wrong goes to the reader's problems."""
    tree = root.get("audit")
    if tree is None:
        return ()
    if not isinstance(tree.value, list):
        instead = "write `- {name: siem, type: file, path: …}` lines"
        reader.problems.add(tree.spot, "`audit` is not a list", "expected one entry for each sink", instead)
        return ()
    found: list[AuditStanza] = []
    for entry in tree.value:
        kind = reader.type_of(entry, KINDS, "the sink")
        stanza = reader.model(KINDS[kind], entry, "the sink") if kind is not None else None
        if stanza is None:
            continue
        _alone(reader, entry, stanza, found)
        found.append(stanza)
    return tuple(found)


def _alone(reader: Reader, entry: Tree, stanza: AuditStanza, others: list[AuditStanza]) -> None:
    """Note a name or a file that another sink has already."""
    if any(other.name == stanza.name for other in others):
        wrong_name = f"two sinks are called `{stanza.name}`"
        reader.problems.add(entry.at(("name",)), wrong_name, "expected a name for each", "give each its own")
    files = {other.path for other in others if isinstance(other, FileStanza)}
    if isinstance(stanza, FileStanza) and stanza.path in files:
        two = "two sinks write to this file"
        reader.problems.add(entry.at(("path",)), two, "expected a file for each", "give each its own")


def notify_of(reader: Reader, root: Tree) -> tuple[ChannelStanza, ...]:
    """Read the section; what is wrong goes to the reader's problems."""
    tree = root.get("notify")
    if tree is None:
        return ()
    if not isinstance(tree.value, list):
        instead = "write `- {name: team, type: slack, url: {file: …}}` lines"
        reader.problems.add(tree.spot, "`notify` is not a list", "expected one entry for each channel", instead)
        return ()
    found: list[ChannelStanza] = []
    for entry in tree.value:
        kind = reader.type_of(entry, CHANNELS, "the channel")
        stanza = reader.model(CHANNELS[kind], entry, "the channel") if kind is not None else None
        if stanza is None:
            continue
        if any(other.name == stanza.name for other in found):
            two = f"two channels are called `{stanza.name}`"
            reader.problems.add(entry.at(("name",)), two, "expected a name for each", "give each its own")
        found.append(stanza)
    return tuple(found)
