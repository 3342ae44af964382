"""What is wrong with a credential's options under its connection, as far as it can be said without asking anybody.

Errors name the place within the credential's stanza, so that the loader can point at line and column.
"""

from __future__ import annotations

from collections.abc import Iterator

from rotator import catalogue
from rotator.catalogue import Group, Scope
from rotator.config.kinds import Complaint
from rotator.core.errors import ConfigError
from rotator.sources.cloudflare.options import ALL, JURISDICTIONS, ById, ConnectionOptions, CredentialOptions, Grant

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
        yield from _places(grant, ("grants", index), options, account)
        for number, permission in enumerate(grant.permissions):
            at = ("grants", index, "permissions", number)
            group = catalogue.by_id(permission.id) if isinstance(permission, ById) else None
            if not isinstance(permission, ById):
                try:
                    group = group_of(permission, grant)
                except ConfigError as unfit:
                    yield Complaint(
                        at=at,
                        wrong=unfit.message,
                        expected="expected one scope per grant",
                        instead=unfit.remedy,
                    )
            if group is not None:
                yield from _group(group, at, options)


def _places(
    grant: Grant, at: tuple[str | int, ...], options: CredentialOptions, account: str | None
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
    if needs_account and account is None and options.owner == "user":
        yield Complaint(
            at=at,
            wrong="nothing says which account is meant",
            expected="expected account_id, or accounts",
            instead="add account_id to the connection, or accounts: all to this grant",
        )
    elif grant.scope is Scope.ACCOUNT and grant.accounts is None and account is None and options.owner == "user":
        of_account = [p for p in grant.permissions if not _is_user_scope(p)]
        if of_account:
            yield Complaint(
                at=at,
                wrong="nothing says on which account these permissions are",
                expected="expected account_id, or accounts",
                instead="add account_id to the connection, or accounts: all to this grant",
            )


def _is_user_scope(permission: str | ById) -> bool:
    groups = (catalogue.by_id(permission.id),) if isinstance(permission, ById) else catalogue.named(permission)
    return any(g is not None and g.scope is Scope.USER for g in groups)


def _group(group: Group, at: tuple[str | int, ...], options: CredentialOptions) -> Iterator[Complaint]:
    if group.name in MANAGES_TOKENS:
        yield Complaint(
            at=at,
            wrong=f"{group.name!r} lets a token manage tokens, and Cloudflare lets no token create such a one",
            expected="expected a grant without it",
            instead="make that token in the dashboard and use it as a connection's `token`",
        )
    elif options.owner == "account" and (warning := catalogue.account_token_warning(group)):
        impossible = group.scope is Scope.USER
        what, _, remedy = warning.partition("; ")
        yield Complaint(
            at=at,
            wrong=what,
            expected="expected a permission that an account can hold",
            instead=remedy,
            fatal=impossible,
        )


def group_of(name: str, grant: Grant) -> Group:
    """Return the group that a permission name means in this grant: of the grant's scope, or of user scope.

    Raises:
        ConfigError: the name is of another scope (the message says how to write it), or has no public id.
    """
    groups = catalogue.named(name)
    wanted = [g for g in groups if g.scope is grant.scope]
    if not wanted and grant.scope is Scope.ACCOUNT and grant.accounts is None:
        wanted = [g for g in groups if g.scope is Scope.USER]
    if wanted:
        return catalogue.resolve(name, wanted[0].scope)
    if not groups:
        return catalogue.resolve(name)
    scopes = {g.scope for g in groups}
    has = " or ".join(sorted(scopes))
    if Scope.ZONE in scopes:
        raise ConfigError(f"{name!r} is a permission on zones", "put it into a grant with zones: [...] or zones: all")
    if Scope.BUCKET in scopes:
        raise ConfigError(f"{name!r} is a permission on buckets", "put it into a grant with buckets: [...]")
    narrowing = "zones" if grant.scope is Scope.ZONE else "buckets"
    raise ConfigError(
        f"{name!r} is a permission on the {has}, which {narrowing} do not narrow",
        "put it into a grant of its own, without zones, buckets and accounts"
        if Scope.USER in scopes
        else "put it into a grant of its own, without zones and buckets",
    )
