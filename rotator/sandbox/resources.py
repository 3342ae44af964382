"""What a policy's `resources` name, and whether a policy's resources cover a given thing.

Shapes (API page "create via API"): an account, all accounts, one zone, all zones (flat, or nested one level under an
account), the user itself, R2 buckets. Knows nothing of who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rotator.sandbox.catalogue import ACCOUNT, BUCKET, USER, ZONE

# Longest first: every zone key also starts like an account key.
_KINDS: Final = (ZONE, BUCKET, ACCOUNT, USER)


@dataclass(frozen=True, slots=True)
class Resource:
    """One named resource: its kind (a scope of permission groups), its id or `*`, and the account it is nested in."""

    kind: str
    id: str
    within: str | None = None  # account id or `*`; None when written flat


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that a request acts on; a zone also says whose it is."""

    kind: str
    id: str
    account_id: str = ""


def parse_key(key: str, within: str | None = None) -> Resource:
    """Read one key of `resources`.

    Raises:
        ValueError: not a resource that this API knows.
    """
    for kind in _KINDS:
        if key.startswith(kind + ".") and len(key) > len(kind) + 1:
            return Resource(kind, key[len(kind) + 1 :], within)
    raise ValueError(key)


def parse(resources: object) -> list[Resource]:
    """All resources of one policy, nested ones with the account that they are nested in.

    Raises:
        ValueError: not a non-empty map of resource to `*`, nested at most once and only under accounts.
    """
    if not isinstance(resources, dict) or not resources:
        raise ValueError("resources")
    return list(_walk(resources))


def _walk(resources: dict[str, Any]) -> Iterator[Resource]:
    for key, grant in resources.items():
        resource = parse_key(key)
        if grant == "*":
            yield resource
        elif isinstance(grant, dict) and grant and resource.kind == ACCOUNT:
            for inner, inner_grant in grant.items():
                nested = parse_key(inner, within=resource.id)
                if inner_grant != "*" or nested.kind not in (ZONE, BUCKET):
                    raise ValueError(inner)
                yield nested
        else:
            raise ValueError(key)


def covers(resource: Resource, thing: Thing) -> bool:
    """Whether `resource` names `thing`; groups apply only to resources of their own scope, so kinds must be equal."""
    if resource.kind != thing.kind or resource.id not in ("*", thing.id):
        return False
    return resource.within in (None, "*", thing.account_id)
