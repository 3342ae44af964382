"""Which account an id is meant to be: whether the management token reaches it, and if not, what the id is an id of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotator.core.errors import RotatorError
from rotator.sources.cloudflare.calls import Call
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.listing import read_all
from rotator.sources.cloudflare.management import ManagementToken
from rotator.sources.cloudflare.tokens import user_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is known of an id that the configuration gives as an account's.

    Attributes:
        reached: whether the management token reaches an account of that id; None where nothing tells.
        wrong: what the id is instead, in words; empty where that is not known.
        remedy: what to write instead, or empty.
    """

    reached: bool | None
    wrong: str = ""
    remedy: str = ""


def tell(
    connection: CloudflareConnection, me: ManagementToken, account_id: str, who: str = "the management token"
) -> Account:
    """Ask what an id is that stands where an account's id belongs.

    Args:
        connection: asked with its management token, or with its key.
        me: that token.
        account_id: the id.
        who: who asks, in words.
    """
    if _get(connection, f"/accounts/{account_id}", "looking up the account") is not None:
        return Account(reached=True)
    accounts = reached(connection)
    zone = _get(connection, f"/zones/{account_id}", "looking up what the id of the account is")
    if zone is not None:
        of = zone.get("account")
        theirs = of.get("id") if isinstance(of, dict) else None
        return Account(
            reached=False,
            wrong=f"it is the id of the zone {zone.get('name')}",
            remedy=f"write account_id: {theirs}, the zone's account" if theirs else "write the id of its account",
        )
    user = _get(connection, "/user", "looking up the user")
    if account_id in ((user or {}).get("id"), user_of(me.shown)):
        return Account(reached=False, wrong="it is the id of the user", remedy=_instead(accounts, who))
    if accounts:
        return Account(reached=False, wrong=f"{who} does not reach it", remedy=_instead(accounts, who))
    return Account(reached=None)


def _instead(accounts: Mapping[str, str], who: str) -> str:
    if not accounts:
        return "write the id of the account: the dashboard shows it on the overview page of any domain"
    known = ", ".join(f"{account_id} ({name})" for account_id, name in list(accounts.items())[:5])
    return f"write the id of an account that {who} reaches: {known}"


def reached(connection: CloudflareConnection) -> dict[str, str]:
    """Return the accounts that whoever asks sees, id -> name; empty where it may not list them."""
    call = Call(
        operation="accounts", doing="listing accounts", method="GET", path="/accounts", query={"per_page": "50"}
    )
    try:
        return {row["id"]: str(row.get("name", "")) for row in read_all(connection.calls, call)}
    except RotatorError:
        return {}


def _get(connection: CloudflareConnection, path: str, doing: str) -> Mapping[str, Any] | None:
    """The object at a path; None where the answer is a no, or none at all."""
    call = Call(operation=path.split("/")[1], doing=doing, method="GET", path=path)
    try:
        reply = connection.calls.call(call)
    except RotatorError:
        return None
    result = reply.envelope.result if reply.envelope and reply.verdict is None else None
    return result if isinstance(result, dict) else None
