"""Which machine does the work that is bound to one: the node of this process, and those that targets name.

Several machines share one journal only on PostgreSQL; there whatever is local must say on which of them it is.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from rotator.config.document import Spot, Tree
from rotator.config.explain import Problems
from rotator.config.models import CredentialStanza, Node, TargetStanza
from rotator.config.references import Read
from rotator.config.stanzas import Reader

VARIABLE: Final = "ROTATOR_NODE"


def node_of(reader: Reader, root: Tree, environ: Mapping[str, str]) -> str:
    """Return the name of this machine: `ROTATOR_NODE`, else `node` of the file, else the host's name."""
    written = reader.model(Node, root.only(frozenset({"node"})), "the file")
    given = environ.get(VARIABLE)
    if given:
        try:
            return str(Node(node=given).node)
        except ValidationError:
            reader.problems.add(
                Spot(1, 1),
                f"the environment variable {VARIABLE} is not a name",
                "expected 1 to 63 letters, digits, dots, dashes and underscores, the first a letter or digit",
                "set it to for example web1, or unset it",
            )
    return written.node if written is not None and written.node else socket.gethostname()


def elsewhere(stanza: CredentialStanza, node: str) -> str:
    """Return the node that has to do the work of a credential, where that is another one; else an empty string."""
    named = next((target.common.node for target in stanza.targets if target.common.node), None)
    return named if named is not None and named != node else ""


def check_nodes(read: Read, problems: Problems, *, several: bool) -> None:
    """Note what cannot be done on one node, and with `several` machines on the journal what is local and names none."""
    for credential, tree in read.credentials:
        entries = tree.get("targets")
        trees = entries.value if entries is not None else []
        first: TargetStanza | None = None
        for target, entry in zip(credential.targets, trees, strict=True):
            _one(read, problems, target, entry, several=several)
            if target.common.node is None:
                continue
            if first is not None and first.common.node != target.common.node:
                problems.add(
                    entry.at(("node",)),
                    f"`{credential.name}` has a target on the node {target.common.node} and one on {first.common.node}",
                    "expected one node, because one process does the whole work of a credential",
                    "make a credential for each node, or publish to a place that all nodes reach",
                )
            first = first or target


def _one(read: Read, problems: Problems, target: TargetStanza, tree: Tree, *, several: bool) -> None:
    local = read.kinds.targets[target.common.type].local
    what = "a file" if local else "a hook" if target.common.after_publish else ""
    if target.common.shared and (target.common.node is not None or not local):
        problems.add(
            tree.at(("shared",), key=True),
            "`shared` says that a file lies on a file system that every node has",
            "expected it at a target that is a file, and without `node`",
            "remove one of the two" if local else "remove `shared`",
        )
    elif several and what and target.common.node is None and not (local and target.common.shared):
        problems.add(
            tree.spot,
            f"{what} of this target is on one machine, and several share a journal on PostgreSQL",
            "expected the name of that machine",
            "write `node: NAME`, as that machine is called by its own `node` or ROTATOR_NODE",
        )
