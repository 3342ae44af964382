"""What the configuration would change of living tokens: each compared with what its owner's list shows. Only reads.

Where the provider gives no answer, the last comparison that a daemon journaled is told instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rotator.app.app import App
from rotator.app.documents import drift_document
from rotator.app.fleet import ConfiguredFleet
from rotator.app.read_only import read_only_fleet
from rotator.core.credential import Credential
from rotator.core.drifted import drift_of
from rotator.core.errors import RotatorError
from rotator.core.facts import Compared, Draft
from rotator.core.ids import TokenId
from rotator.core.instants import rfc3339
from rotator.core.ports.source import TokenState
from rotator.core.protocol.fold import fold
from rotator.core.protocol.mend import Fix, subject
from rotator.core.protocol.view import View
from rotator.engine.drifting import differences_of

LISTED = 3600.0
"""Seconds for which one list of an owner's tokens serves all of its credentials here."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs, by the name of the credential; `unseen`: why some could not be compared with the living token."""

    found: dict[str, dict[str, Any]]
    unseen: dict[str, str]


def changes(app: App) -> Changes:
    """Return how living tokens differ from the configuration of now."""
    fleet = read_only_fleet(app)
    found: dict[str, dict[str, Any]] = {}
    unseen: dict[str, str] = {}
    try:
        for credential, view in _kept(app):
            if left := _left(credential, view):
                found[credential.name] = _moved(credential, view, left, app.queries.now(credential.connection))
                continue
            after = view
            try:
                after = _compared(app, fleet, credential, view)
            except RotatorError as error:
                unseen.setdefault(credential.connection, error.message)
            drift = drift_of(credential, after)
            if drift is not None:
                found[credential.name] = drift_document(drift)
    finally:
        fleet.close()
    return Changes(found, unseen)


def _kept(app: App) -> Iterator[tuple[Credential, View]]:
    for credential in app.queries.credentials:
        view = app.queries.view(credential.id)
        if view.rotation is None and (view.current or credential.watched):
            yield credential, view


def _left(credential: Credential, view: View) -> str:
    """The scope in which the living token stays behind, as the configuration has another one now; else empty."""
    scope = view.scope_of(view.current)
    return scope if scope and credential.scope and scope != credential.scope else ""


def _moved(credential: Credential, view: View, left: str, now: float) -> dict[str, Any]:
    """The change of a credential whose tokens live elsewhere from now on: nothing else of the old one is compared."""
    said = f"its token lives in {left}, and the configuration wants it in {credential.scope}"
    return {
        "token_id": view.current,
        "since": rfc3339(now),
        "by": "configuration",
        "fix": Fix.ROTATE.value,
        "remedy": None,
        "differences": [{"part": "owner", "message": said}],
    }


def _compared(app: App, fleet: ConfiguredFleet, credential: Credential, view: View) -> View:
    """The view as if a daemon looked now."""
    bound = fleet.bound(credential.id, view)
    token_id = subject(credential, view)
    scope = view.scope_of(token_id)
    if bound is None or not bound.source.can.list or (scope and scope != credential.scope):
        return view
    rows = fleet.tokens(credential, bound.source, LISTED)
    state = next((one for one in rows if one.id == token_id), None)
    state = bound.source.compared(state) if state is not None else _gone(view, token_id)
    told = Compared(
        token_id=token_id,
        token_name=state.name,
        born=state.issued_at,
        expires_at=state.expires_at,
        status=state.status,
        digest=credential.digest,
        differences=differences_of(view, state),
    )
    return fold(view, Draft(what=told, at=app.queries.now(credential.connection)))


def _gone(view: View, token_id: TokenId) -> TokenState:
    known = view.tokens.get(token_id)
    return TokenState(
        id=token_id,
        name=known.name if known else "",
        status="not in its owner's list",
        issued_at=known.born if known else 0.0,
        modified_at=0.0,
        expires_at=view.expires_at(token_id),
    )
