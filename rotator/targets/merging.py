"""How a target that others write to, too, is written: read, compare, put on top of exactly what was read, or again.

Shared by targets that are no siblings' business otherwise. It knows no service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from rotator.core.errors import Conflict
from rotator.core.ports.target import Publication
from rotator.core.secret import Secret

MERGES: Final = 5
"""How often a write is merged anew when somebody else keeps changing other keys of the place meanwhile."""

Stand = TypeVar("Stand")


def merge(
    doing: str,
    publication: Publication,
    *,
    look: Callable[[], Stand],
    managed: Callable[[Stand], Mapping[str, Secret]],
    put: Callable[[Stand], bool],
) -> None:
    """Bring a place from `publication.expected` to `publication.values`; nothing is done where these stand already.

    Args:
        doing: the beginning of every error message.
        publication: what to write, and what it may replace.
        look: reads what stands there now.
        managed: (what stands there) -> the managed keys in it.
        put: writes on top of exactly that stand; False where somebody else was faster and nothing was written.

    Raises:
        Conflict: a managed key holds something else than expected, or others change the place without pause.
    """
    for _ in range(MERGES):
        stand = look()
        found = dict(managed(stand))
        if found == dict(publication.values):
            return
        if found != dict(publication.expected.values):
            raise Conflict(
                f"{doing}: somebody else changed one of its managed keys since it was read; nothing was written",
                "the target is read again; a value that is not ours pauses it until `rotator resolve`",
            )
        if put(stand):
            return
    raise Conflict(
        f"{doing}: others changed it {MERGES} times meanwhile; nothing was written",
        "it is tried again by itself; if that does not end, find out who writes there all the time",
    )


def require_managed(publication: Publication, keys: Mapping[str, str]) -> None:
    """Raise where a publication is not one of exactly these managed keys; that is a mistake of the program.

    Raises:
        ValueError: it is not.
    """
    if set(publication.values) != set(keys):
        raise ValueError("a publication holds exactly the managed keys")
