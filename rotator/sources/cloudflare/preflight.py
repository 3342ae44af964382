"""What `check` says of a connection and of what its credentials ask of it. Only reads.

Whatever cannot be proven without minting something is a warning and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, TypeVar

from rotator.config.secret_ref import SecretMissing
from rotator.core.credential import DAY, NEVER
from rotator.core.errors import Barred, RotatorError
from rotator.core.findings import Finding, Level, Subject, of_connection
from rotator.sources.cloudflare import accounts
from rotator.sources.cloudflare.addresses import Network, networks
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.grantable import Asked, grants
from rotator.sources.cloudflare.inventory import tokens_path
from rotator.sources.cloudflare.management import (
    WRITE,
    WRITE_NAME,
    ManagementToken,
    look,
    permission_groups,
)
from rotator.sources.cloudflare.options import QUOTA

T = TypeVar("T")

SOON: Final = 30 * DAY


def preflight(connection: CloudflareConnection, credentials: Sequence[Asked], now: float) -> list[Finding]:
    """Return findings on the connection and on what its credentials ask of it.

    Args:
        connection: asked with its management token; nothing is changed.
        credentials: every credential on it.
        now: provider time in unix seconds.
    """
    subject = of_connection(connection.name)
    me, findings = _asked(subject, "management_token", partial(look, connection))
    if me is None:
        return findings
    if not me.id:
        return [_unaccepted(connection, subject)]
    findings += _lifetime(subject, me, now)
    findings += _standby(connection, subject, me)
    wrong = {}
    for named in _accounts(connection, credentials):
        told = accounts.tell(connection, me, named)
        wrong[named] = told.reached is False
        findings += _account(subject, named, told)
    ours = _ours(connection, me, credentials)
    scopes = dict.fromkeys((c.options.owner, c.account_id(connection)) for c in credentials)
    for owner, account_id in scopes:
        mine = [c for c in credentials if (c.options.owner, c.account_id(connection)) == (owner, account_id)]
        if owner == "account" and wrong.get(account_id or ""):
            continue  # whatever else is asked of that id fails for the same reason
        if owner == "user" and me.owner == "account":
            findings += [_other_owner(subject, mine)]
            continue
        listing, failed = _asked(subject, "permission", partial(connection.inventory, owner, account_id))
        findings += failed
        findings += _scope(subject, me, owner, None if listing is None else len(listing), len(mine))
        known = {state.id: state for state in listing or ()}
        path = tokens_path(owner, account_id)
        groups, failed = _asked(subject, "grants", partial(permission_groups, connection, path))
        findings += failed
        for credential in mine:
            findings += grants(connection, me, credential, groups, ours, known)
    return findings


def _ours(connection: CloudflareConnection, me: ManagementToken, credentials: Sequence[Asked]) -> tuple[Network, ...]:
    """The networks in one of which this host is, as Cloudflare sees it; empty where nobody asks or nothing tells.

    The edge says the address. Where it does not, the accepted management token's own restriction is a hint.
    """
    if not any(c.options.request_ip is not None and c.options.verifies for c in credentials):
        return ()
    address = connection.calls.address()
    return networks([address]) if address else me.networks


def _asked(subject: Subject, code: str, ask: Callable[[], T]) -> tuple[T | None, list[Finding]]:
    """What `ask` returns, or the finding that tells why it could not."""
    try:
        return ask(), []
    except RotatorError as error:
        failed = Finding(level=Level.FAIL, subject=subject, code=code, message=error.message, remedy=error.remedy)
        return None, [failed]


def _unaccepted(connection: CloudflareConnection, subject: Subject) -> Finding:
    """The management token is refused; a wrong account id looks the same for a token that an account owns."""
    message, remedy = f"Cloudflare does not accept {connection.login()}", connection.unaccepted("").remedy
    value = connection.calls.token().reveal()
    if connection.account_id is not None and not value.startswith("cfut_"):
        told = accounts.tell(connection, ManagementToken(role="management"), connection.account_id)
        if told.reached is False:
            message += f" for the account {connection.account_id}: {told.wrong}"
            remedy = told.remedy
        else:
            remedy += ", or correct account_id: a token of another account looks the same"
    return Finding(level=Level.FAIL, subject=subject, code="management_token", message=message, remedy=remedy)


def _accounts(connection: CloudflareConnection, credentials: Sequence[Asked]) -> list[str]:
    """Every account id that the configuration names for this connection."""
    found: list[str | None] = [connection.account_id, *(c.account_id(connection) for c in credentials)]
    for credential in credentials:
        for grant in credential.options.grants:
            found += grant.accounts if isinstance(grant.accounts, tuple) else ()
    return [account_id for account_id in dict.fromkeys(found) if account_id]


def _account(subject: Subject, account_id: str, told: accounts.Account) -> Iterator[Finding]:
    def finding(level: Level, message: str, remedy: str = "") -> Finding:
        return Finding(level=level, subject=subject, code="account", message=message, remedy=remedy)

    if told.reached:
        yield finding(Level.OK, f"the management token reaches the account {account_id}")
    elif told.reached is False:
        yield finding(Level.FAIL, f"{account_id} is no account that can be used: {told.wrong}", told.remedy)
    else:
        yield finding(
            Level.WARN,
            f"the management token does not see the account {account_id}, so nobody knows whether the id is right",
            "compare it with the dashboard, or give the management token Account Settings Read",
        )


def _other_owner(subject: Subject, mine: Sequence[Asked]) -> Finding:
    names = ", ".join(c.name for c in mine[:5]) + (f" and {len(mine) - 5} more" if len(mine) > 5 else "")
    return Finding(
        level=Level.FAIL,
        subject=subject,
        code="permission",
        message=f"the management token is owned by an account and can never manage tokens of a user ({names})",
        remedy=f"give them a connection whose token a user owns and that holds {WRITE_NAME['user']}, "
        "or write owner: account",
    )


def _lifetime(subject: Subject, me: ManagementToken, now: float) -> Iterator[Finding]:
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


def _standby(connection: CloudflareConnection, subject: Subject, me: ManagementToken) -> Iterator[Finding]:
    def finding(level: Level, message: str, remedy: str = "", code: str = "standby_token") -> Finding:
        return Finding(level=level, subject=subject, code=code, message=message, remedy=remedy)

    if connection.standby_token is None:
        if me.expires_at != NEVER:
            yield finding(
                Level.WARN,
                "there is no standby token: when the management token ends, only the dashboard helps",
                f"name a file as standby_token, then `rotator bootstrap {connection.name} --with global-key`",
                "standby_missing",
            )
        return
    try:
        second = look(connection, "standby")
    except SecretMissing:
        return  # said where secrets are looked at
    except RotatorError as error:
        barred = isinstance(error, Barred)
        yield finding(
            Level.FAIL, error.message, error.remedy.replace("management", "standby") if barred else error.remedy
        )
        return
    if not second.id:
        refused = connection.unaccepted("", "standby")
        yield finding(Level.FAIL, f"Cloudflare does not accept {connection.login('standby')}", refused.remedy)
    elif second.id == me.id:
        yield finding(
            Level.WARN, "the standby token is the management token itself", "make a second one in the dashboard"
        )
    else:
        yield finding(Level.OK, "the standby token is accepted")
        yield from _pair(connection, subject, me, second)


def _pair(
    connection: CloudflareConnection, subject: Subject, me: ManagementToken, second: ManagementToken
) -> Iterator[Finding]:
    """Whether each of the two could keep the other alive."""
    if me.owner != second.owner:
        yield Finding(
            level=Level.WARN,
            subject=subject,
            code="pair_owner",
            message=f"the management token is owned by the {me.owner} and the standby by the {second.owner}:"
            " neither may renew the other",
            remedy="make both of one owner",
        )
        return
    lacking = [one for one in (me, second) if one.groups is not None and WRITE[one.owner] not in one.groups]
    for one in lacking:
        yield Finding(
            level=Level.WARN,
            subject=subject,
            code="pair_permission",
            message=f"{connection.login(one.role)} may not manage tokens, so it cannot keep the other one alive",
            remedy=f"give it {WRITE_NAME[one.owner]} in the dashboard, or put another token there",
        )
    if not lacking:
        yield Finding(
            level=Level.OK,
            subject=subject,
            code="pair",
            message="the two management tokens can keep each other alive; nobody else should use them:"
            " `last_used_on` in the dashboard and the audit log show whether somebody does",
        )


def _scope(subject: Subject, me: ManagementToken, owner: str, used: int | None, count: int) -> Iterator[Finding]:
    def finding(level: Level, code: str, message: str, remedy: str = "") -> Finding:
        return Finding(level=level, subject=subject, code=code, message=message, remedy=remedy)

    whose = "the user" if owner == "user" else "the account"
    if used is not None:
        limit = QUOTA[owner]
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
