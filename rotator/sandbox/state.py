"""The state file: the world as JSON, so that a restarted sandbox still knows its tokens.

Written whole and atomically (a new file of mode 0600, then a rename) after every change and before the answer to it
leaves, so that a killed sandbox never forgets a token that a client knows of. It is not synced to disk: a power cut
may lose it, which is good enough for a rehearsal. Values stand in it in plain text; they open nothing but a sandbox.
`last_used_on` is written along with the next change or at the end.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rotator.sandbox.unusable import UnusableError
from rotator.sandbox.world import Former, Owner, Settings, Token, World

VERSION: Final = 1


def dump(world: World) -> dict[str, Any]:
    """Everything of the world that outlives a restart; not faults, not the request log."""
    return {
        "version": VERSION,
        "advanced": world.clock.advanced,
        "settings": asdict(world.settings),
        "roles": world.roles,
        "keys": {user.id: user.key for user in world.users.values()},
        "tokens": [asdict(token) for token in world.tokens.values()],
    }


def restore(world: World, document: dict[str, Any]) -> None:
    """Put what `dump` returned into a world that has no tokens yet.

    Raises:
        ValueError: not a state of this version.
    """
    if document.get("version") != VERSION:
        raise ValueError(f"version {document.get('version')!r} of the state, expected {VERSION}")
    try:
        world.clock.advanced = float(document["advanced"])
        settings = dict(document["settings"])
        if settings["rate_limit"] is not None:
            settings["rate_limit"] = tuple(settings["rate_limit"])
        world.settings = Settings(**settings)
        world.roles.update(document["roles"])
        for user_id, key in document["keys"].items():
            if user_id in world.users:
                world.users[user_id].key = key
        for row in document["tokens"]:
            former = [Former(**old) for old in row.pop("former")]
            world.add(Token(owner=Owner(**row.pop("owner")), former=former, **row))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"damaged state: {type(error).__name__}") from None


def load(world: World, path: Path) -> bool:
    """Restore the world from `path`; False when there is no such file yet.

    Raises:
        ValueError: the file is no state of this version; names the file, never what it holds.
        OSError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    try:
        document = json.loads(text)
    except ValueError:
        raise UnusableError(f"{path}: not JSON", "move it away to start afresh") from None
    try:
        restore(world, document)
    except ValueError as error:
        raise UnusableError(f"{path}: {error}", "move it away to start afresh") from None
    return True


def save(world: World, path: Path) -> None:
    """Write the world to `path`; a crash inside leaves the old file, and perhaps a `.new` beside it.

    Raises:
        OSError: it cannot be written.
    """
    fresh = path.with_name(path.name + ".new")
    write_private(fresh, json.dumps(dump(world)))
    fresh.replace(path)
    world.unsaved = 0


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path`, mode 0600 whatever it was before; a crash inside may leave it empty or cut short."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
