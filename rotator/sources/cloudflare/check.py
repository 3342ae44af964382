"""What is wrong with a credential's options under its connection, as far as it can be said without asking anybody.

Errors name the place within the credential's stanza, so that the loader can point at line and column; all of them are
told at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rotator import catalogue
from rotator.catalogue import Group, Scope
from rotator.config.kinds import Complaint
from rotator.sources.cloudflare.options import ALL, JURISDICTIONS, ConnectionOptions, CredentialOptions, Grant
from rotator.sources.cloudflare.wanted import At, Wanted, wanted

MANAGES_TOKENS = frozenset({"API Tokens Write", "Account API Tokens Write"})


def check(connection: ConnectionOptions, options: CredentialOptions) -> list[Complaint]:
    """Return what is wrong; empty where all is well. Warnings have `fatal=False`."""
    return list(_complaints(connection, options))


def _complaints(connection: ConnectionOptions, options: CredentialOptions) -> Iterator[Complaint]:
    account = options.account_id or connection.account_id
    if options.owner == "account" and account is None:
        yield Complaint(
            at=("owner",),
            wrong="a token owned by an account needs the account",
            expected="expected account_id",
            instead="add account_id to the connection or to this credential, or write owner: user",
        )
    for index, grant in enumerate(options.grants):
        at: At = ("grants", index)
        found, wrong = wanted(grant)
        yield from (replace(complaint, at=(*at, *complaint.at)) for complaint in wrong)
        yield from _places(grant, at, options, account, found)
        for permission in found:
            if permission.at != ("template",):
                yield from _permission(permission, (*at, *permission.at), options)
        yield from _template([p for p in found if p.at == ("template",)], (*at, "template"), options)


def _places(
    grant: Grant, at: At, options: CredentialOptions, account: str | None, found: Sequence[Wanted]
) -> Iterator[Complaint]:
    if grant.accounts is not None and options.owner == "account" and set(grant.accounts) != {account}:
        yield Complaint(
            at=(*at, "accounts"),
            wrong="a token owned by an account acts on that account only",
            expected="expected no accounts here",
            instead="remove accounts, or write owner: user",
        )
    for number, bucket in enumerate(grant.buckets if isinstance(grant.buckets, tuple) else ()):
        if bucket.jurisdiction not in JURISDICTIONS:
            yield Complaint(
                at=(*at, "buckets", number, "jurisdiction"),
                wrong=f"the jurisdiction {bucket.jurisdiction!r} is not one of those that this version knows",
                expected=f"expected {', '.join(JURISDICTIONS)}",
                instead="correct it if it is misspelt; it is sent as it is",
                fatal=False,
            )
    needs_account = grant.accounts is None and (grant.zones == ALL or grant.buckets is not None)
    of_account = grant.accounts is None and any(permission.scope is Scope.ACCOUNT for permission in found)
    if account is None and options.owner == "user" and (needs_account or of_account):
        yield Complaint(
            at=at,
            wrong="nothing says which account is meant",
            expected="expected account_id, or accounts",
            instead="add account_id to the connection, or accounts: all to this grant",
        )


def _permission(permission: Wanted, at: At, options: CredentialOptions) -> Iterator[Complaint]:
    group = permission.group
    if group is None:
        return
    if group.name in MANAGES_TOKENS:
        yield _manages(group.name, at)
    elif options.owner == "account" and (why := catalogue.account_token_refusal(group)):
        # A name is refused; an id is somebody's own knowledge, and a catalogue ages. Nobody can have a user's.
        yield Complaint(
            at=at,
            wrong=f"a token owned by an account cannot hold {group.name!r}: {why}",
            expected="expected a permission that an account can hold",
            instead="write owner: user for this credential, or leave the permission out",
            fatal=permission.named or group.scope is Scope.USER,
        )
    elif options.owner == "account" and (why := catalogue.account_token_warning(group)):
        yield Complaint(
            at=at,
            wrong=f"{group.name!r}: {why}",
            expected="expected a permission that an account can hold",
            instead="write owner: user for this credential if its calls are refused",
            fatal=False,
        )


def _template(found: Sequence[Wanted], at: At, options: CredentialOptions) -> Iterator[Complaint]:
    """One complaint for a whole template: the names that do not go, and the rest to be written instead."""
    groups = [permission.group for permission in found if permission.group is not None]
    managers = [group for group in groups if group.name in MANAGES_TOKENS]
    if managers:
        yield _manages(managers[0].name, at)
        return
    refused = [group for group in groups if catalogue.account_token_refusal(group)]
    if options.owner == "account" and refused:
        rest = [group for group in groups if group not in refused]
        yield Complaint(
            at=at,
            wrong="a token owned by an account cannot hold all of this template: not "
            + ", ".join(group.name for group in refused),
            expected="expected permissions that an account can hold",
            instead="write owner: user for this credential"
            + (f", or in place of the template {_written(rest)}" if rest and len(rest) <= 12 else ""),
        )


def _written(groups: Sequence[Group]) -> str:
    """Permissions as grants that can be pasted, one for each scope."""
    found = []
    for scope in dict.fromkeys(group.scope for group in groups):
        names = ", ".join(group.name for group in groups if group.scope is scope)
        found.append(f"{{permissions: [{names}]{', zones: …' if scope is Scope.ZONE else ''}}}")
    return " and ".join(found)


def _manages(name: str, at: At) -> Complaint:
    return Complaint(
        at=at,
        wrong=f"{name!r} lets a token manage tokens, and Cloudflare lets no token create such a one",
        expected="expected a grant without it",
        instead="make that token in the dashboard and use it as a connection's `token`",
    )
