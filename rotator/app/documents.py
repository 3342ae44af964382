"""The JSON documents of `status` and `history`, whose field names never change meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rotator.app.app import App
from rotator.core.facts import Fact
from rotator.core.instants import rfc3339 as moment
from rotator.core.notes import Trouble
from rotator.core.status import CredentialStatus

MOMENTS: Final = ("born", "expires_at", "until")
"""What a fact's detail holds in unix seconds; `expires_at` is beyond every calendar where a token never expires."""


def status_document(app: App) -> dict[str, Any]:
    """Return the document of `status -o json`."""
    journal = app.journal
    daemons = [p for p in journal.processes() if p.kind == "run" and (p.alive or p.hangs)] if journal else []
    connections = [_connection(app, name) for name in app.config.connections]
    return {
        "version": 1,
        "time": moment(app.clock.utc()),
        "daemons": [
            {
                "instance": p.owner,
                "host": p.host,
                "pid": p.pid,
                "listener": p.listener or None,
                "last_tick": moment(p.heartbeat),
                "responds": p.alive,
            }
            for p in daemons
        ],
        "connections": connections,
        "orphans": sum(int(c.get("orphans") or 0) for c in connections),
        "credentials": [credential_document(status) for status in app.statuses()],
    }


def _connection(app: App, name: str) -> dict[str, Any]:
    stanza = app.config.connections[name]
    if name not in app.sources():
        return {
            "name": name,
            "type": stanza.type,
            "reachable": None,
            "rate_remaining": None,
            "token_expires_on": None,
            "quota": None,
        }
    note = app.connection_note(name)
    ends = note.get("token_expires_on") or {}
    return {
        "name": name,
        "type": stanza.type,
        "reachable": note.get("reachable"),
        "rate_remaining": note.get("rate_remaining"),
        "token_expires_on": moment(ends.get("management")),
        "standby_expires_on": moment(ends.get("standby")),
        "quota": note.get("quota"),
        "orphans": note.get("orphans", 0),
        "problem": note.get("problem"),
        "remedy": note.get("remedy"),
    }


def credential_document(status: CredentialStatus) -> dict[str, Any]:
    """Return one credential of `status -o json`."""
    rotation, needs, request = status.rotation, status.needs_operator, status.request
    return {
        "name": status.name,
        "connection": status.connection,
        "owner": status.owner,
        "strategy": status.strategy,
        "state": status.state.value,
        "ready": status.ready,
        "generation": status.generation,
        "token_id": status.token_id,
        "token_name": status.token_name,
        "expires_on": moment(status.expires_on),
        "next_rotation": moment(status.next_rotation),
        "rotation_deadline": moment(status.rotation_deadline),
        "last_success": moment(status.last_success),
        "next_attempt": moment(status.next_attempt),
        "failing_since": moment(status.failing_since),
        "rotation": {
            "id": rotation.id,
            "step": rotation.step,
            "strategy": rotation.strategy,
            "started": moment(rotation.started),
            "attempt": rotation.attempt,
            "waiting_until": moment(rotation.waiting_until),
            "reason": rotation.reason or None,
        }
        if rotation
        else None,
        "retirements": [
            {
                "token_id": r.token_id,
                "step": r.step,
                "until": moment(r.until),
                "blocked": r.blocked,
                "last_used_on": moment(r.last_used_on),
                "subject": r.subject,
                "problem": _problem(r.problem),
            }
            for r in status.retirements
        ],
        "paused": _paused(status.paused),
        "needs_operator": {
            "code": needs.code,
            "message": needs.message,
            "remedy": needs.remedy,
            "since": moment(needs.since),
        }
        if needs
        else None,
        "reason": status.reason,
        "message": status.message,
        "problem": _problem(status.problem),
        "request": {
            "id": request.id,
            "by": request.by,
            "at": moment(request.at),
            "reason": request.reason,
        }
        if request
        else None,
        "targets": [
            {
                "name": t.name,
                "type": t.type,
                "required": t.required,
                "in_sync": t.in_sync,
                "generation": t.generation,
                "problem": _problem(t.problem),
                "accepted": {"by": t.accepted.by, "at": moment(t.accepted.at)} if t.accepted else None,
            }
            for t in status.targets
        ],
    }


def _problem(problem: Trouble | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    return {"act": problem.act, "message": problem.message, "remedy": problem.remedy or None}


def _paused(paused: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if paused is None:
        return None
    return {**paused, "since": moment(paused["since"]), "until": moment(paused["until"])}


HIDDEN = frozenset({"stanza", "policy", "account_id", "scope", "free", "not_written", "stream", "by"})
"""Details that mean nothing to people: stanzas, ids of streams, versions of places, fingerprints."""


def fact_document(name: str, fact: Fact) -> dict[str, Any]:
    """Return one fact of `history -o json`; no value and no digest of one."""
    detail: dict[str, Any] = {
        key: value for key, value in fact.detail.items() if key not in HIDDEN and not isinstance(value, dict)
    }
    detail |= {key: moment(fact.number(key)) for key in MOMENTS if key in detail}
    for key in ("attempt", "token_id", "token_name", "target", "generation"):
        if found := getattr(fact, key):
            detail[key] = found
    return {
        "time": moment(fact.at),
        "credential": name,
        "rotation": fact.rid or None,
        "kind": fact.kind.value,
        "epoch": fact.epoch,
        "actor": fact.actor,
        "detail": detail,
    }
