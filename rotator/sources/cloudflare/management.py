"""What `check` and the metrics want to know of a connection: who we are, what we may, how long, how much room there is.

Only reads. Whatever cannot be proven without minting something is a warning and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from rotator.core.credential import DAY, NEVER
from rotator.core.errors import RotatorError
from rotator.core.findings import Finding, Level
from rotator.core.secret import Secret
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.addresses import Network, allowed_by, lets_in
from rotator.sources.cloudflare.calls import Call
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.grants import policies_of
from rotator.sources.cloudflare.inventory import tokens_path
from rotator.sources.cloudflare.listing import read_all
from rotator.sources.cloudflare.options import ELSEWHERE, QUOTA, CredentialOptions

T = TypeVar("T")

WRITE: Final = {"user": "686d18d5ac6c441c867cbf6771e58a0a", "account": "5bc3f8b21c554832afc660159ab75fa4"}
"""Permission group that creates tokens of that owner: API Tokens Write, Account API Tokens Write."""
WRITE_NAME: Final = {"user": "API Tokens Write", "account": "Account API Tokens Write"}
SOON: Final = 30 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementToken:
    """One management token as it is now.

    Attributes:
        role: `management` or `standby`.
        id: its id; empty where the provider does not accept it.
        owner: `user` or `account`, or empty.
        expires_at: unix seconds, `NEVER`, or None where it may not read itself.
        groups: ids of the permission groups it holds, None where it may not read itself.
        networks: to which its own use is restricted; it is accepted, so this host is in one of them. Empty for none.
    """

    role: str
    id: str = ""
    owner: str = ""
    expires_at: float | None = None
    groups: frozenset[str] | None = None
    networks: tuple[Network, ...] = ()


def look(connection: CloudflareConnection, role: str = "management") -> ManagementToken:
    """Ask who a management token is, when it ends, and what it holds.

    Args:
        connection: whose.
        role: `management`, or `standby` where the connection has one.

    Raises:
        Unavailable, RateLimited: no usable answer, or the token cannot be read.
        ConfigError: the standby token cannot be read.
    """
    bearer = connection.calls.token() if role == "management" else _standby(connection)
    who = connection.identity(bearer, acting=role == "management")
    if who is None:
        return ManagementToken(role=role)
    path = f"{tokens_path(who.owner, connection.account_id)}/{who.id}"
    call = Call(operation="get", doing="reading a management token", method="GET", path=path)
    reply = connection.calls.call(call, bearer)
    shown = reply.envelope.result if reply.envelope and reply.verdict is None else None
    state = tokens.state(shown)
    return ManagementToken(
        role=role,
        id=who.id,
        owner=who.owner,
        expires_at=state.expires_at if state else None,
        groups=tokens.groups_of(shown) if state else None,
        networks=allowed_by(shown.get("condition")) if isinstance(shown, dict) else (),
    )


def _standby(connection: CloudflareConnection) -> Secret:
    if connection.standby_token is None:
        raise ValueError(f"connection {connection.name} has no standby token")
    return connection.standby_token()


def quota(connection: CloudflareConnection, owner: str, account_id: str | None = None) -> tuple[int, int]:
    """Return how many tokens an owner has, and how many it may have by Cloudflare's documentation.

    Raises:
        Unavailable, RateLimited: the list is not known to be complete.
    """
    return len(connection.inventory(owner, account_id)), QUOTA[owner]


def preflight(
    connection: CloudflareConnection, credentials: Sequence[tuple[str, CredentialOptions]], now: float
) -> list[Finding]:
    """Return findings on the connection and on what its credentials ask of it.

    Args:
        connection: asked with its management token; nothing is changed.
        credentials: (name, options) of every credential on it.
        now: provider time in unix seconds.
    """
    subject = f"connection {connection.name}"
    me, findings = _asked(subject, "management_token", partial(look, connection))
    if me is None:
        return findings
    if not me.id:
        remedy = "put a living management token where the connection's `token` points"
        message = "Cloudflare does not accept the management token"
        return [Finding(level=Level.FAIL, subject=subject, code="management_token", message=message, remedy=remedy)]
    findings += _lifetime(subject, me, now)
    findings += _standby_findings(connection, subject, me)
    scopes = dict.fromkeys((o.owner, o.account_id or connection.account_id) for _, o in credentials)
    for owner, account_id in scopes:
        count = sum(o.owner == owner and (o.account_id or connection.account_id) == account_id for _, o in credentials)
        findings += _scope(connection, subject, me, owner, account_id, count)
        path = tokens_path(owner, account_id)
        groups, failed = _asked(subject, "grants", partial(permission_groups, connection, path))
        findings += failed
        for name, options in credentials:
            if (options.owner, options.account_id or connection.account_id) == (owner, account_id):
                findings += _grants(connection, name, options, groups)
                findings += _reach(name, options, me.networks)
    return findings


def permission_groups(connection: CloudflareConnection, path: str) -> frozenset[str]:
    """Return the ids of all permission groups that exist for tokens below `path`.

    Raises:
        Unavailable, RateLimited: no usable answer.
    """
    call = Call(
        operation="permission_groups",
        doing="listing permission groups",
        method="GET",
        path=f"{path}/permission_groups",
    )
    return frozenset(row["id"] for row in read_all(connection.calls, call))


def _asked(subject: str, code: str, ask: Callable[[], T]) -> tuple[T | None, list[Finding]]:
    """What `ask` returns, or the finding that tells why it could not."""
    try:
        return ask(), []
    except RotatorError as error:
        failed = Finding(level=Level.FAIL, subject=subject, code=code, message=error.message, remedy=error.remedy)
        return None, [failed]


def _lifetime(subject: str, me: ManagementToken, now: float) -> Iterator[Finding]:
    def finding(level: Level, message: str, remedy: str = "") -> Finding:
        return Finding(level=level, subject=subject, code=f"{me.role}_token", message=message, remedy=remedy)

    accepted = f"the {me.role} token is accepted (a token of {'a user' if me.owner == 'user' else 'an account'})"
    if me.expires_at is None:
        yield finding(
            Level.WARN,
            f"{accepted}, but may not read itself, so nobody knows when it expires",
            "give it (Account) API Tokens Read",
        )
    elif me.expires_at == NEVER:
        yield finding(Level.OK, f"{accepted} and does not expire")
    elif me.expires_at - now < SOON:
        yield finding(
            Level.WARN,
            f"{accepted} and expires in {max(0, int((me.expires_at - now) // DAY))} days; then nothing can be rotated",
            "make a new one in the dashboard or move its expiry there; no token can create one that manages tokens",
        )
    else:
        yield finding(Level.OK, f"{accepted} and lives for {int((me.expires_at - now) // DAY)} more days")


def _standby_findings(connection: CloudflareConnection, subject: str, me: ManagementToken) -> Iterator[Finding]:
    def finding(level: Level, message: str, remedy: str = "") -> Finding:
        return Finding(level=level, subject=subject, code="standby_token", message=message, remedy=remedy)

    if connection.standby_token is None:
        if me.expires_at != NEVER:
            yield finding(
                Level.WARN,
                "there is no standby token: when the management token ends, only the dashboard helps",
                "make a second management token with another expiry and name it as `standby_token`",
            )
        return
    second, failed = _asked(subject, "standby_token", partial(look, connection, "standby"))
    yield from failed
    if second is None:
        return
    if not second.id:
        yield finding(Level.FAIL, "Cloudflare does not accept the standby token", "replace it where it is read from")
    elif second.id == me.id:
        yield finding(
            Level.WARN, "the standby token is the management token itself", "make a second one in the dashboard"
        )
    else:
        yield finding(Level.OK, "the standby token is accepted")


def _scope(
    connection: CloudflareConnection, subject: str, me: ManagementToken, owner: str, account_id: str | None, count: int
) -> Iterator[Finding]:
    def finding(level: Level, code: str, message: str, remedy: str = "") -> Finding:
        return Finding(level=level, subject=subject, code=code, message=message, remedy=remedy)

    whose = "the user" if owner == "user" else "the account"
    room, failed = _asked(subject, "permission", partial(quota, connection, owner, account_id))
    yield from failed
    if room is not None:
        used, limit = room
        needed = f"{used} of {limit} tokens of {whose} exist; a rotation of all {count} needs {count} more for a while"
        level = Level.FAIL if used >= limit else Level.WARN if used + count > limit else Level.OK
        yield finding(level, "quota", needed, "" if level is Level.OK else "delete tokens that nobody uses")
    if me.groups is None:
        yield finding(
            Level.WARN,
            "permission",
            f"whether the management token may create tokens of {whose} cannot be seen",
            f"make sure that it holds {WRITE_NAME[owner]}",
        )
    elif WRITE[owner] not in me.groups:
        yield finding(
            Level.FAIL,
            "permission",
            f"the management token may not create tokens of {whose}",
            f"give it {WRITE_NAME[owner]} in the dashboard",
        )
    else:
        yield finding(Level.OK, "permission", f"the management token may create tokens of {whose}")


def _reach(name: str, options: CredentialOptions, ours: Sequence[Network]) -> Iterator[Finding]:
    """Whether a new token can be used, and so verified, from this host: what is not verified is not published."""
    if options.request_ip is None:
        return
    inside = lets_in(options.request_ip, ours)
    said = {
        True: (Level.OK, "its tokens can be verified from this host: request_ip lets it in", ""),
        False: (
            Level.FAIL,
            f"request_ip keeps this host out ({', '.join(map(str, ours))}): nothing could be verified or published",
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
    yield Finding(level=level, subject=f"credential {name}", code="request_ip", message=message, remedy=remedy)


def _grants(
    connection: CloudflareConnection, name: str, options: CredentialOptions, groups: frozenset[str] | None
) -> Iterator[Finding]:
    subject = f"credential {name}"
    account_id = options.account_id or connection.account_id
    wanted, failed = _asked(subject, "grants", partial(policies_of, options, account_id, connection))
    yield from failed
    if wanted is None or groups is None:
        return
    gone = {group for policy in wanted for group in policy.groups} - groups
    if gone:
        yield Finding(
            level=Level.WARN,
            subject=subject,
            code="grants",
            message=f"{len(gone)} of its permission groups are not in Cloudflare's list: {', '.join(sorted(gone))}",
            remedy="check whether they were retired or renamed, and correct the grants",
        )
    else:
        message = "every permission and zone of its grants exists"
        yield Finding(level=Level.OK, subject=subject, code="grants", message=message)
