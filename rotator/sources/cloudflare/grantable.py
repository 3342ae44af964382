"""What `check` says of one credential: whether its grants exist, can be handed on, and can be tried from this host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from rotator import catalogue
from rotator.catalogue import Scope
from rotator.core.errors import RotatorError
from rotator.core.findings import Finding, Level, Subject, of_credential
from rotator.core.ids import TokenId
from rotator.core.ports.source import TokenState
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.addresses import Network, lets_in
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.grants import ACCOUNT, BUCKET, USER, ZONE, policies_of
from rotator.sources.cloudflare.inventory import tokens_path
from rotator.sources.cloudflare.management import ManagementToken
from rotator.sources.cloudflare.options import ELSEWHERE, ById, CredentialOptions
from rotator.sources.cloudflare.policies import TokenPolicy
from rotator.sources.cloudflare.reading import read_token

ONE_ZONE: Final = f"{ZONE}."


@dataclass(frozen=True, slots=True)
class Asked:
    """A credential as `check` asks about it; `adopt` is the id of a token to take over, or empty."""

    name: str
    options: CredentialOptions
    adopt: str = ""

    def account_id(self, connection: CloudflareConnection) -> str | None:
        """Return the account that is meant: the credential's own, else the connection's."""
        return self.options.account_id or connection.account_id


def grants(
    connection: CloudflareConnection,
    me: ManagementToken,
    credential: Asked,
    groups: Mapping[str, Mapping[str, Any]] | None,
    ours: Sequence[Network],
    known: Mapping[TokenId, TokenState] = MappingProxyType({}),
) -> list[Finding]:
    """Return what is to be said of one credential.

    Args:
        connection: asked with its management token.
        me: that token.
        credential: whose.
        groups: the permission groups that exist for its owner by id, None where they could not be listed.
        ours: networks in one of which this host is; empty where that is not known.
        known: the tokens of its owner as far as they were listed, by id; for others the provider is asked one by one.
    """
    subject = of_credential(credential.name)
    findings = [*_reach(subject, credential.options, ours), *_adopt(connection, me, credential, known)]
    try:
        wanted = policies_of(credential.options, credential.account_id(connection), connection)
    except RotatorError as error:
        failed = Finding(level=Level.FAIL, subject=subject, code="grants", message=error.message, remedy=error.remedy)
        return [*findings, failed]
    found = [
        *_gone(subject, wanted, groups),
        *_ending(subject, wanted, groups),
        *_handed_on(connection, me, credential, wanted),
    ]
    if not found and groups is not None:
        message = "every permission and zone of its grants exists"
        found.append(Finding(level=Level.OK, subject=subject, code="grants", message=message))
    return [*findings, *found]


def _gone(subject: Subject, wanted: Sequence[TokenPolicy], groups: Mapping[str, Any] | None) -> Iterator[Finding]:
    gone = {group for policy in wanted for group in policy.groups} - groups.keys() if groups is not None else set()
    if gone:
        yield Finding(
            level=Level.WARN,
            subject=subject,
            code="grants",
            message=f"{len(gone)} of its permission groups are not in Cloudflare's list: {', '.join(named(gone))}",
            remedy="check whether they were retired or renamed, and correct the grants",
        )


def _ending(
    subject: Subject, wanted: Sequence[TokenPolicy], groups: Mapping[str, Mapping[str, Any]] | None
) -> Iterator[Finding]:
    """Permission groups that Cloudflare announces the end of: `meta.deprecated`, `meta.eol_at`."""
    for group_id in sorted({group for policy in wanted for group in policy.groups}):
        meta = (groups or {}).get(group_id, {}).get("meta")
        told = meta if isinstance(meta, dict) else {}
        ends = told.get("eol_at")
        if str(told.get("deprecated", "")).lower() in ("", "false", "none") and not ends:
            continue
        (name,) = named({group_id})
        yield Finding(
            level=Level.WARN,
            subject=subject,
            code="grants",
            message=f"Cloudflare calls the permission {name} deprecated" + (f"; it ends on {ends}" if ends else ""),
            remedy="replace it by the permission that Cloudflare names in its place, and rotate",
        )


def named(groups: set[str] | frozenset[str]) -> list[str]:
    """Return permission groups in words: their names where the catalogue knows them, and their ids."""
    found = []
    for group_id in sorted(groups):
        group = catalogue.by_id(group_id)
        found.append(f"{group.name} ({group_id})" if group else group_id)
    return found


def _handed_on(
    connection: CloudflareConnection, me: ManagementToken, credential: Asked, wanted: Sequence[TokenPolicy]
) -> Iterator[Finding]:
    """A token of an account hands on to single zones only what it holds there itself (400, code 1001)."""
    if me.owner != "account" or me.shown is None:
        return
    account_id = credential.account_id(connection)
    names = _zone_names(connection, credential)
    for policy in wanted:
        zones = [r.removeprefix(ONE_ZONE) for r in policy.resources if r.startswith(ONE_ZONE) and not r.endswith("*")]
        for zone in zones:
            missing = set(policy.groups) - held_on(me.shown, Scope.ZONE, zone, account_id)
            if missing:
                what = ", ".join(g.split(" (")[0] for g in named(missing))
                yield Finding(
                    level=Level.FAIL,
                    subject=of_credential(credential.name),
                    code="grants",
                    message=f"the management token does not hold {what} on the zone {names.get(zone, zone)}: a token "
                    "of an account hands on to single zones only what it holds there, so Cloudflare refuses it (1001)",
                    remedy=f"give the management token {what} on that zone in the dashboard, or write zones: all",
                )


def held_on(shown: Mapping[str, Any], scope: Scope, place: str, account_id: str | None) -> frozenset[str]:
    """Return the ids of the permission groups that a token holds on a resource: allowed there and not denied.

    Args:
        shown: the token object.
        scope: kind of the resource.
        place: its id; of a bucket, or empty, any of the account.
        account_id: the account that it belongs to, where it has one.
    """
    kind = {Scope.ACCOUNT: ACCOUNT, Scope.ZONE: ZONE, Scope.USER: USER, Scope.BUCKET: BUCKET}[scope]
    places = {f"{kind}.{place}", f"{kind}.*"}
    accounts = {f"{ACCOUNT}.{account_id}", f"{ACCOUNT}.*"}
    allowed: set[str] = set()
    denied: set[str] = set()
    for policy in shown.get("policies") or ():
        resources = policy.get("resources") if isinstance(policy, dict) else None
        if not isinstance(resources, dict):
            continue
        here = any(
            (key in places and not isinstance(inner, dict))
            or (scope is Scope.BUCKET and key.startswith(f"{BUCKET}."))
            or (key in accounts and isinstance(inner, dict) and places & inner.keys())
            for key, inner in resources.items()
        )
        if here:
            ids = tokens.groups_of({"policies": [{**policy, "effect": "allow"}]})
            (denied if policy.get("effect") == "deny" else allowed).update(ids)
    return frozenset(allowed - denied)


def _zone_names(connection: CloudflareConnection, credential: Asked) -> dict[str, str]:
    """Zone id -> the name that the configuration calls it; the ids are known by now and cost no request."""
    found = {}
    for grant in credential.options.grants:
        listed = [*(grant.zones if isinstance(grant.zones, tuple) else ()), *(grant.except_zones or ())]
        for zone in listed:
            if not isinstance(zone, ById):
                found[connection.zone_id(zone, credential.account_id(connection))] = zone
    return found


def _reach(subject: Subject, options: CredentialOptions, ours: Sequence[Network]) -> Iterator[Finding]:
    """Whether a new token can be used, and so verified, from this host: what is not verified is not published."""
    if options.request_ip is None:
        return
    inside = lets_in(options.request_ip, ours)
    said = {
        True: (Level.OK, f"its tokens can be verified from this host: request_ip lets {_told(ours)} in", ""),
        False: (
            Level.FAIL,
            f"request_ip keeps this host ({_told(ours)}) out: nothing could be verified or published",
            ELSEWHERE,
        ),
        None: (
            Level.WARN,
            "nobody can tell whether request_ip lets this host in; where it does not, nothing is published",
            f"compare it with the address with which this host reaches Cloudflare; {ELSEWHERE}",
        ),
    }
    level, message, remedy = said[inside]
    if not options.verifies:
        level, remedy = Level.OK, ""
        message = "its values are published on the management token's word alone (verify: get)"
    yield Finding(level=level, subject=subject, code="request_ip", message=message, remedy=remedy)


def _told(ours: Sequence[Network]) -> str:
    """Our networks in words: an address alone without its /32."""
    return ", ".join(str(net.network_address) if net.num_addresses == 1 else str(net) for net in ours)


def _read(connection: CloudflareConnection, credential: Asked) -> TokenState | None:
    """The token that is to be taken over, None where there is none; a list may leave it out."""
    path = tokens_path(credential.options.owner, credential.account_id(connection))
    shown = read_token(connection.calls, path, TokenId(credential.adopt), "reading the token that is to be taken over")
    return None if shown is None else shown.state


def _adopt(
    connection: CloudflareConnection, me: ManagementToken, credential: Asked, known: Mapping[TokenId, TokenState]
) -> Iterator[Finding]:
    """Whether the token that is to be taken over exists, lives, and may be managed."""
    if not credential.adopt:
        return

    def finding(level: Level, message: str, remedy: str = "") -> Finding:
        return Finding(
            level=level, subject=of_credential(credential.name), code="adopt", message=message, remedy=remedy
        )

    whose = "the user" if credential.options.owner == "user" else "the account"
    if not tokens.ID.fullmatch(credential.adopt):
        yield finding(Level.FAIL, "adopt.id is not the id of a token", "write the id as the provider shows it")
        return
    if credential.adopt == me.id:
        yield finding(
            Level.FAIL,
            "adopt names the management token itself, which never manages itself",
            "name another token, or leave adopt out",
        )
        return
    try:
        state = known.get(TokenId(credential.adopt)) or _read(connection, credential)
    except RotatorError as error:
        yield finding(Level.FAIL, error.message, error.remedy)
        return
    if state is None:
        yield finding(
            Level.FAIL,
            f"{whose} has no token with the id {credential.adopt}",
            "copy the id from the token's page in the dashboard; `owner` says whose tokens are looked at",
        )
    elif not state.active:
        yield finding(
            Level.WARN,
            f"the token that is to be taken over is {state.status}; a new one is made instead",
            "leave adopt out, or name a living token",
        )
    else:
        yield finding(Level.OK, f"the token that is to be taken over exists: {state.name}")
