"""The API's token objects as values of the port, and back: what is minted, what is shown, what is sent.

Reading a minted value is as forgiving as it can be (it is shown once), reading a state as strict as it must be (tokens
die by it). Source: `shared/token.py` of https://github.com/cloudflare/cloudflare-python
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rotator.core.credential import NEVER
from rotator.core.drift import Difference, summary
from rotator.core.ids import TokenId
from rotator.core.instants import rfc3339, unix
from rotator.core.ports.source import Minted, TokenState
from rotator.core.secret import Secret
from rotator.sources.cloudflare.answers import Envelope
from rotator.sources.cloudflare.policies import TokenPolicy

VALUE: Final = re.compile(r"[!-~]{20,512}")
"""A value is opaque: formats changed in 2026 and will again. Real ones have 40 to 80 characters."""
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""32 hexadecimal digits today. It becomes a part of a path, so it holds nothing that a path could mean."""

LIVING: Final = frozenset({"active", "disabled"})
"""Statuses in which a token may still be what its value makes of it; in every other one it is dead for good."""


def api_time(at: float) -> str:
    """Return unix seconds as the API takes them: UTC, whole seconds (some servers refuse fractions).

    Raises:
        ValueError: beyond the year 9999.
    """
    text = rfc3339(at)
    if text is None:
        raise ValueError("a time beyond the year 9999")
    return text


def minted(envelope: Envelope, *, name: str, token_id: TokenId, issued_at: float, expires_at: float) -> Minted | None:
    """Return the minted token of a create's or a roll's answer; None if there is no value, or no id to go with it.

    Total on purpose: whatever else is odd in the answer, even a failure beside it, a value that is there is returned.

    Args:
        envelope: of the answer; a create answers with an object, a roll with the bare value.
        name: what was asked for.
        token_id: of a roll; empty for a create, whose answer tells it.
        issued_at: used where the answer does not say, unix seconds.
        expires_at: likewise.
    """
    result = envelope.result
    shown: Mapping[str, Any] = result if isinstance(result, dict) else {}
    value = shown.get("value") if shown else result
    if not isinstance(value, str) or not VALUE.fullmatch(value):
        return None
    said = shown.get("id")
    found = token_id or (said if isinstance(said, str) and ID.fullmatch(said) else "")
    if not found:
        return None
    issued = unix(shown.get("issued_on"))
    expires = unix(shown.get("expires_on"))
    return Minted(
        token_id=TokenId(found),
        value=Secret(value),
        name=shown["name"] if isinstance(shown.get("name"), str) else name,
        issued_at=issued_at if issued is None else issued,
        expires_at=expires_at if expires is None else expires,
    )


EXPOSED: Final = "revoked"
"""How the status of a token begins that Cloudflare itself revoked; seen is `revoked (exposed)`."""


def state(shown: object, *, compared: bool = False, found: Sequence[Difference] = ()) -> TokenState | None:
    """Return the state that a token object tells, None where anything that a decision rests on is missing or odd."""
    if not isinstance(shown, dict):
        return None
    token_id, status, name = shown.get("id"), shown.get("status"), shown.get("name")
    expires = _time_or(shown.get("expires_on"), NEVER)
    used = shown.get("last_used_on")
    last_used = None if used is None else unix(used)
    if not isinstance(token_id, str) or not ID.fullmatch(token_id) or not isinstance(status, str) or not status:
        return None
    if expires is None or (used is not None and last_used is None):
        return None
    return TokenState(
        id=TokenId(token_id),
        name=name if isinstance(name, str) else "",
        status=status,
        issued_at=unix(shown.get("issued_on")) or 0.0,
        modified_at=unix(shown.get("modified_on")) or 0.0,
        expires_at=expires,
        last_used_at=last_used,
        exposed=status.startswith(EXPOSED),
        compared=compared,
        equal=not found,
        differs=summary(found),
        differences=tuple(found),
        shown={key: shown.get(key) for key in ("policies", "condition") if key in shown},
        final=status not in LIVING,
    )


def _time_or(text: object, absent: float) -> float | None:
    return absent if text is None else unix(text)


def new_body(
    name: str,
    policies: Sequence[TokenPolicy],
    request_ip: Mapping[str, Sequence[str]],
    expires_at: float,
    not_before: float | None = None,
) -> Any:
    """Return the body that creates a token; times in unix seconds, `NEVER` for no end.

    `not_before` is sent only where it is asked for: with "now" in it, a clock that is a second off makes a token
    unusable at birth.

    Raises:
        ValueError: `expires_at` is beyond the year 9999.
    """
    body: dict[str, Any] = {"name": name, "policies": [p.to_json() for p in policies]}
    if expires_at != NEVER:
        body["expires_on"] = api_time(expires_at)
    if not_before is not None:
        body["not_before"] = api_time(not_before)
    if request_ip:
        body["condition"] = {"request_ip": {side: list(blocks) for side, blocks in request_ip.items()}}
    return body


def changed_body(shown: Mapping[str, Any], **changes: object) -> dict[str, Any] | None:
    """Return the body that changes a token in the given fields only.

    A PUT replaces: whatever is left out may be cleared, so everything that was shown and may be sent is sent again.
    A policy's id, and names of permission groups, are the provider's own and are left out. So is the status, which
    stays where it is not sent: what moves an end and arrives late must not wake a token that was disabled meanwhile.

    Returns:
        The body, or None where a policy cannot be read: leaving it out would take a right away or give one.
    """
    policies = shown.get("policies")
    kept = [_kept(p) for p in policies] if isinstance(policies, list) else [None]
    if None in kept or not isinstance(shown.get("name"), str):
        return None
    body: dict[str, Any] = {"name": shown["name"], "policies": kept}
    for key in ("not_before", "expires_on"):
        moment = unix(shown.get(key))
        if moment is not None:
            body[key] = api_time(moment)
    if _restricts(shown.get("condition")):
        body["condition"] = shown["condition"]
    return {**body, **changes}


def mended_body(
    shown: Mapping[str, Any], name: str, policies: Sequence[TokenPolicy], request_ip: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return the body that gives a token other rights and this name; its times stay, and no status is sent."""
    body = new_body(name, policies, request_ip, NEVER)
    for key in ("not_before", "expires_on"):
        moment = unix(shown.get(key))
        if moment is not None:
            body[key] = api_time(moment)
    return dict(body)


def _kept(policy: object) -> dict[str, Any] | None:
    if not isinstance(policy, dict) or not isinstance(policy.get("resources"), dict):
        return None
    groups, effect = policy.get("permission_groups"), policy.get("effect")
    if not isinstance(groups, list) or not all(isinstance(g, dict) and isinstance(g.get("id"), str) for g in groups):
        return None
    return {
        "effect": effect,
        "permission_groups": [{"id": group["id"]} for group in groups],
        "resources": policy["resources"],
    }


def _restricts(condition: object) -> bool:
    return isinstance(condition, Mapping) and any(condition.values())


def user_of(shown: object) -> str | None:
    """Return the id of the user that a token object's policies name, None if they name none or several."""
    policies = shown.get("policies") if isinstance(shown, dict) else None
    found = set()
    for policy in policies if isinstance(policies, list) else ():
        resources = policy.get("resources") if isinstance(policy, dict) else None
        for key in resources if isinstance(resources, dict) else ():
            prefix, _, user = str(key).rpartition(".")
            if prefix == "com.cloudflare.api.user" and ID.fullmatch(user):
                found.add(user)
    return found.pop() if len(found) == 1 else None


def groups_of(shown: object) -> frozenset[str]:
    """Return the ids of all permission groups that a token object's policies allow."""
    policies = shown.get("policies") if isinstance(shown, dict) else None
    found = set()
    for policy in policies if isinstance(policies, list) else ():
        if isinstance(policy, dict) and policy.get("effect") == "allow":
            groups = policy.get("permission_groups")
            for group in groups if isinstance(groups, list) else ():
                if isinstance(group, dict) and isinstance(group.get("id"), str):
                    found.add(group["id"])
    return frozenset(found)
