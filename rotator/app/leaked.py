"""The end of a token that is named by its id: it works without a readable journal.

Mark first, then destroy: the fact is put into a file beside the journal before anything is sent. Whoever opens the
journal for writing brings it in, so that nothing of the token is published again. Nothing is minted here.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Protocol

from rotator.app.queries import Queries
from rotator.app.runtime import Say
from rotator.config.models import Config
from rotator.core.credential import Policy
from rotator.core.errors import IllegalFact
from rotator.core.events import Event
from rotator.core.facts import Draft, Revoked
from rotator.core.ids import CredentialId, RequestId, TokenId
from rotator.host.files import create_whole, flush_folder, give_to_owner_of_folder, make_folder
from rotator.journal.store import SqlJournal

FOLDER: Final = "revoked"
"""Folder beside the journal; one file for each token."""


class Opened(Protocol):
    """What is needed of an instance that is open for writing."""

    config: Config
    queries: Queries
    say: Say

    @property
    def writable(self) -> SqlJournal:
        """The journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaked:
    """What stands in such a file; `at` is this machine's time, unix seconds."""

    token_id: TokenId
    at: float
    actor: str
    reason: str = ""


def spool(config: Config, leaked: Leaked) -> Path:
    """Make the fact durable beside the journal; one that stands there already stays.

    Raises:
        OSError: it cannot be made durable.

    Crash: leaves the file, or none.
    """
    folder = config.state.folder / FOLDER
    make_folder(folder)
    path = folder / f"{leaked.token_id}.json"
    try:
        create_whole(path, json.dumps(asdict(leaked)).encode())
        give_to_owner_of_folder(path)
    except FileExistsError:
        return path
    flush_folder(folder)
    return path


def bring_in(app: Opened) -> tuple[TokenId, ...]:
    """Journal every revoke that stands beside the journal; return the tokens whose credential was found.

    One of a token that no credential knows is kept for a day: a journal that is restored may know it then.

    Crash: leaves the file; the fact is the same when it is brought in twice.
    """
    folder = app.config.state.folder / FOLDER
    try:
        files = sorted(folder.glob("*.json"))
    except OSError:
        return ()
    found = []
    for path in files:
        leaked = _read(path)
        if leaked is None:
            continue
        stream = _keeper(app, leaked.token_id)
        if stream is not None and _journal(app, stream, leaked):
            found.append(leaked.token_id)
        elif stream is not None or time.time() - leaked.at < 86400:
            continue
        path.unlink(missing_ok=True)
    return tuple(found)


def _read(path: Path) -> Leaked | None:
    """What stands in a file; None where that makes no sense."""
    try:
        told = json.loads(path.read_bytes())
        return Leaked(
            token_id=TokenId(str(told["token_id"])),
            at=float(told["at"]),
            actor=str(told["actor"])[:64],
            reason=str(told.get("reason", ""))[:500],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keeper(app: Opened, token_id: TokenId) -> CredentialId | None:
    """The credential whose token it is, as the journal knows or the configuration names."""
    known = next((s for s, view in app.writable.views().items() if token_id in view.tokens), None)
    if known is not None:
        return CredentialId(known)
    return next((c.id for c in app.queries.credentials if c.adopt == token_id), None)


def _journal(app: Opened, stream: CredentialId, leaked: Leaked) -> bool:
    """Whether the fact is in the journal now."""
    credential = next((c for c in app.queries.credentials if c.id == stream), None)
    connection = credential.connection if credential else ""
    what = Revoked(
        tokens=(leaked.token_id,),
        request_id=RequestId(f"spooled-{leaked.token_id}"),
        reason=leaked.reason,
        policy=credential.policy if credential else Policy(),
    )
    try:
        app.writable.note(stream, Draft(what=what, at=app.queries.now(connection), actor=leaked.actor))
    except IllegalFact:
        return False  # a newer version wrote there: it is the one that must take it
    app.say(
        Event.OPERATOR_ACTED.value,
        credential=app.queries.named(stream),
        act=what.kind.value,
        actor=leaked.actor,
        token=leaked.token_id,
    )
    return True
