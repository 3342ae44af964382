"""The JSON documents of `status` and `history`, whose field names never change meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rotator.app.queries import Queries
from rotator.core.drifted import TokenDrift
from rotator.core.encoding import COLUMNS, encode
from rotator.core.facts import Fact
from rotator.core.instants import rfc3339 as moment
from rotator.core.notes import Trouble
from rotator.core.status import (
    Asked,
    CredentialStatus,
    Hooks,
    NeedsOperator,
    OpenRetirement,
    OpenRotation,
    TargetStatus,
)

MOMENTS: Final = ("born", "expires_at", "until")
"""What a fact's detail holds in unix seconds; `expires_at` is beyond every calendar where a token never expires."""


def status_document(queries: Queries) -> dict[str, Any]:
    """Return the document of `status -o json`."""
    connections = [_connection(queries, name) for name in queries.config.connections]
    return {
        "version": 1,
        "time": moment(queries.utc()),
        "daemons": [
            {
                "instance": p.owner,
                "host": p.host,
                "node": p.node or p.host,
                "pid": p.pid,
                "listener": p.listener or None,
                "last_tick": moment(p.heartbeat),
                "responds": p.alive,
            }
            for p in queries.daemons()
        ],
        "connections": connections,
        "orphans": sum(int(c.get("orphans") or 0) for c in connections),
        "credentials": [credential_document(status) for status in queries.statuses()],
    }


def _connection(queries: Queries, name: str) -> dict[str, Any]:
    stanza = queries.config.connections[name]
    if name not in queries.sources():
        return {
            "name": name,
            "type": stanza.type,
            "reachable": None,
            "rate_remaining": None,
            "token_expires_on": None,
            "quota": None,
        }
    note = queries.connection_note(name)
    ends, quota = note.token_expires_on, note.quota
    return {
        "name": name,
        "type": stanza.type,
        "reachable": note.reachable,
        "rate_remaining": note.rate_remaining,
        "token_expires_on": moment(ends.get("management")),
        "standby_expires_on": moment(ends.get("standby")),
        "quota": {"used": quota.used, "limit": quota.limit} if quota else None,
        "orphans": note.orphans,
        "problem": note.problem or None,
        "remedy": note.remedy or None,
        "degraded": note.degraded,
        "renewal": {role: moment(at) for role, at in note.renewal.items()},
        "needs": [
            {
                "role": need.role,
                "code": need.code.value,
                "message": need.message,
                "remedy": need.remedy,
                "due": moment(need.due),
            }
            for need in note.needs
        ],
    }


def credential_document(status: CredentialStatus) -> dict[str, Any]:
    """Return one credential of `status -o json`."""
    return {
        "name": status.name,
        "connection": status.connection,
        "owner": status.owner,
        "labels": dict(status.labels),
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
        "rotation": _rotation(status.rotation) if status.rotation else None,
        "retirements": [_retirement(one) for one in status.retirements],
        "paused": _paused(status.paused),
        "needs_operator": _needs(status.needs_operator) if status.needs_operator else None,
        "reason": status.reason,
        "message": status.message,
        "problem": _problem(status.problem),
        "request": _request(status.request) if status.request else None,
        "drift": drift_document(status.drift) if status.drift else None,
        "revoked": _revoked(status) if status.leak else None,
        "targets": [_target(one) for one in status.targets],
    }


def _revoked(status: CredentialStatus) -> dict[str, Any]:
    """The last revoke: by whom and why, and whether it is unfinished."""
    leak = status.leak
    return {
        "at": moment(leak.at if leak else None),
        "by": leak.actor if leak else None,
        "reason": (leak.reason or None) if leak else None,
        "exposed": bool(leak and leak.exposed),
        "unfinished": status.revoking,
    }


def drift_document(drift: TokenDrift) -> dict[str, Any]:
    """Return how a token differs: `by` says whether it was changed at the provider or the configuration was."""
    return {
        "token_id": drift.token_id,
        "since": moment(drift.since),
        "by": "configuration" if drift.reconfigured else "provider",
        "fix": drift.fix.value,
        "remedy": drift.remedy or None,
        "differences": [{"part": one.part.value, "message": one.message} for one in drift.differences],
    }


def _rotation(rotation: OpenRotation) -> dict[str, Any]:
    return {
        "id": rotation.id,
        "step": rotation.step,
        "strategy": rotation.strategy,
        "started": moment(rotation.started),
        "attempt": rotation.attempt,
        "waiting_until": moment(rotation.waiting_until),
        "reason": rotation.reason or None,
    }


def _retirement(retirement: OpenRetirement) -> dict[str, Any]:
    return {
        "token_id": retirement.token_id,
        "step": retirement.step,
        "until": moment(retirement.until),
        "blocked": retirement.blocked,
        "last_used_on": moment(retirement.last_used_on),
        "subject": retirement.subject,
        "message": retirement.message,
        "problem": _problem(retirement.problem),
    }


def _needs(needs: NeedsOperator) -> dict[str, Any]:
    return {"code": needs.code, "message": needs.message, "remedy": needs.remedy, "since": moment(needs.since)}


def _request(request: Asked) -> dict[str, Any]:
    return {"id": request.id, "by": request.by, "at": moment(request.at), "reason": request.reason}


def _target(target: TargetStatus) -> dict[str, Any]:
    return {
        "name": target.name,
        "type": target.type,
        "required": target.required,
        "in_sync": target.in_sync,
        "generation": target.generation,
        "problem": _problem(target.problem),
        "accepted": {"by": target.accepted.by, "at": moment(target.accepted.at)} if target.accepted else None,
        "ends": moment(target.ends),
        "outage_seconds": target.outage,
        "after_publish": _hooks(target.hooks),
    }


def _hooks(hooks: Hooks | None) -> dict[str, Any] | None:
    if hooks is None:
        return None
    return {
        "state": hooks.state,
        "generation": hooks.generation,
        "time": moment(hooks.at),
        "failed": list(hooks.failed),
        "message": hooks.message or None,
        "remedy": hooks.remedy or None,
    }


def _problem(problem: Trouble | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    return {"act": problem.act, "message": problem.message, "remedy": problem.remedy or None}


def _paused(paused: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if paused is None:
        return None
    return {**paused, "since": moment(paused["since"]), "until": moment(paused["until"])}


HIDDEN = frozenset(
    {"like", "stanza", "policy", "account_id", "scope", "free", "not_written", "stream", "by", "ignorable"}
)
"""Details that mean nothing to people: stanzas, ids of streams, versions of places, fingerprints."""


LATER: Final = frozenset({"marker", "settled", "outage"})
"""Details that facts of earlier programs lack: shown where they say something, so that old history reads as it did."""


def fact_document(name: str, fact: Fact) -> dict[str, Any]:
    """Return one fact of `history -o json`; no value and no digest of one."""
    columns, told = encode(fact.what)
    unshown = HIDDEN | {key for key in LATER if not told.get(key)}
    if isinstance(differences := told.get("differences"), list):
        told["differences"] = [str(one.get("message")) for one in differences if isinstance(one, dict)]
    detail: dict[str, Any] = {
        key: value for key, value in told.items() if key not in unshown and not isinstance(value, dict)
    }
    detail |= {key: moment(detail[key]) for key in MOMENTS if key in detail}
    detail |= {key: found for key, found in zip(COLUMNS, columns, strict=True) if found and key != "fingerprint"}
    return {
        "time": moment(fact.at),
        "credential": name,
        "rotation": fact.rid or None,
        "kind": fact.kind.value,
        "epoch": fact.epoch,
        "actor": fact.actor,
        "detail": detail,
    }
