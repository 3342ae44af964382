"""`fleet`: one stanza for many credentials, an inventory of rows and a template that is filled in for each.

The only module beside `load` that reads a file of the operator's. What it yields are entries as `credentials` has them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Final

from rotator.config.document import Spot, Tree
from rotator.config.explain import Problems
from rotator.config.fields import as_written, resolve
from rotator.config.inventory import ENDS, LARGEST, Row, listed, rows_of
from rotator.config.template import Template
from rotator.core.findings import CONFIGURATION

_KEYS: Final = ("inventory", "template")
NAMED: Final = "{name}"
"""What a template without `name` says."""


class Fleet:
    """The stanza `fleet` of one file; without one it holds nothing."""

    def __init__(self, tree: Tree | None, folder: Path, problems: Problems) -> None:
        """`folder` is what a relative path is relative to."""
        self._tree, self._problems = tree, problems
        self.path: Path | None = None
        """The inventory where it is a file."""
        if tree is None:
            return
        if not isinstance(tree.value, dict):
            problems.add(
                tree.spot,
                "`fleet` is not a mapping",
                "expected inventory and template",
                "write `fleet: {inventory: …}`",
            )
            self._tree = None
            return
        problems.unknown(tree, _KEYS)
        written = tree.get("inventory")
        text = as_written(written.value) if written is not None else None
        if written is None or isinstance(text, list):
            return
        if isinstance(text, str) and text.endswith(ENDS):
            self.path = Path(os.path.abspath(resolve(folder / resolve(text))))  # noqa: PTH100  # not through links
            return
        problems.add(
            written.spot,
            "this is no inventory",
            f"expected a file whose name ends in {' or '.join(ENDS)}, or a list of rows",
            "write for example `inventory: fleet.jsonl`",
        )

    def read(self) -> bytes | None:
        """Return the bytes of the inventory's file; None without one, or, with a problem noted, if it is unreadable."""
        if self.path is None or self._tree is None:
            return None
        spot = self._tree.at(("inventory",))
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & stat.S_IWOTH:
                    self._problems.warn(
                        spot,
                        CONFIGURATION,
                        "config_writable",
                        "everybody may write the inventory, and with it what tokens there are and where they go",
                        f"chmod o-w {self.path}",
                    )
                return file.read(LARGEST + 1)
        except OSError as error:
            self._problems.add(
                spot,
                f"the inventory cannot be read: {error.strerror}",
                "expected a file beside this one",
                f"check the path and the rights of {self.path}",
            )
            return None

    def entries(self, content: bytes | None, known: Collection[str]) -> list[Tree]:
        """Return one entry for each row.

        Args:
            content: the bytes of the inventory's file, as `read` has them.
            known: the keys that a template may hold.
        """
        tree, problems = self._tree, self._problems
        if tree is None:
            return []
        template, inventory = tree.get("template"), tree.get("inventory")
        for key, found in (("template", template), ("inventory", inventory)):
            if found is None:
                problems.add(tree.spot, f"the key `{key}` is missing in `fleet`", "expected it", f"write `{key}: …`")
        if template is None or inventory is None:
            return []
        if not isinstance(template.value, dict):
            problems.add(template.spot, "the template is not a mapping", "expected a credential", "write `grants: …`")
            return []
        problems.unknown(template, known)
        named = _named(template)
        return list(Template(named, problems).copies(self._rows(inventory, content)))

    def _rows(self, inventory: Tree, content: bytes | None) -> list[Row]:
        if isinstance(inventory.value, list):
            return listed(inventory, self._problems)
        if self.path is None or content is None:
            return []
        return rows_of(self._problems.beside(str(inventory.value)), content, self._problems)


def _named(template: Tree) -> Tree:
    """The template with a name."""
    if template.get("name") is not None:
        return template
    name = Tree(template.spot, NAMED)
    return Tree(template.spot, {"name": name, **template.value}, {"name": Spot(*template.spot), **template.keys})
