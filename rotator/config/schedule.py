"""The sections `groups` and `freezes` of the root, and what they have to do with the credentials."""

from __future__ import annotations

from collections import Counter

from rotator.config.document import Tree
from rotator.config.explain import nearest
from rotator.config.fields import format_duration
from rotator.config.hours import Calendar, FreezeStanza, GroupStanza
from rotator.config.policy import policy_of
from rotator.config.references import Read
from rotator.config.stanzas import Reader, named
from rotator.core.findings import CONFIGURATION, of_credential


def calendar_of(reader: Reader, root: Tree) -> Calendar:
    """Read both sections; what is wrong goes to the reader's problems."""
    return Calendar(groups=_groups(reader, root), freezes=_freezes(reader, root))


def _groups(reader: Reader, root: Tree) -> dict[str, GroupStanza]:
    tree = root.get("groups")
    if tree is None:
        return {}
    if not isinstance(tree.value, dict):
        wrong = "`groups` is not a mapping"
        reader.problems.add(tree.spot, wrong, "expected names and groups", "write `apps: {min_gap: 24h}`")
        return {}
    found = {}
    for name, entry in tree.items():
        stanza = reader.model(
            GroupStanza, Tree(entry.spot, {}) if entry.value is None else entry, f"the group `{name}`"
        )
        if named(reader, name, tree) and stanza is not None:
            found[name] = stanza
    return found


def _freezes(reader: Reader, root: Tree) -> tuple[FreezeStanza, ...]:
    tree = root.get("freezes")
    if tree is None:
        return ()
    if not isinstance(tree.value, list):
        wrong = "`freezes` is not a list"
        reader.problems.add(tree.spot, wrong, "expected one entry for each", "write `- {from: …, to: …}` lines")
        return ()
    read = (reader.model(FreezeStanza, entry, "the freeze") for entry in tree.value)
    return tuple(stanza for stanza in read if stanza is not None)


def check_calendar(read: Read, calendar: Calendar, root: Tree, reader: Reader) -> None:
    """Note groups that are not there, freezes of nobody, and groups in which the last one would come too late."""
    problems, known = reader.problems, set(_names_of(root, "groups"))
    sizes = Counter(credential.common.group for credential, _ in read.credentials)
    for credential, tree in read.credentials:
        name = credential.common.group
        if name is None:
            continue
        if name not in known:
            meant = nearest(name, known)
            problems.add(
                tree.at(("group",)),
                f"there is no group `{name}`",
                f"expected one of {', '.join(sorted(known))}" if known else "expected one of `groups`",
                f"write `{meant}`" if meant else f"add `groups: {{{name}: {{min_gap: 24h}}}}` to the root",
            )
            continue
        gap = (calendar.groups[name].min_gap or 0.0) if name in calendar.groups else 0.0
        early = policy_of(credential, read.advanced).renew_before
        needed = gap * (sizes[name] - 1)
        if early and needed > early:
            problems.warn(
                tree.at(("group",)),
                of_credential(credential.name),
                "group_too_slow",
                f"with {sizes[name]} credentials in `{name}` its turn may come {format_duration(needed)} after it is "
                f"due, which is more than its renew_before of {format_duration(early)}",
                "shorten min_gap, lengthen renew_before, or split the group; what is about to expire does not wait",
            )
    names = [credential.name for credential, _ in read.credentials]
    for index, freeze in enumerate(calendar.freezes):
        if freeze.credentials is not None and not any(freeze.means(name) for name in names):
            problems.warn(
                root.at(("freezes", index, "credentials")),
                CONFIGURATION,
                "freeze_of_nobody",
                "no credential has such a name, so this freeze holds back nothing",
                "correct the names, or remove the freeze",
            )


def _names_of(root: Tree, key: str) -> list[str]:
    tree = root.get(key)
    return [name for name, _ in tree.items()] if tree is not None else []
