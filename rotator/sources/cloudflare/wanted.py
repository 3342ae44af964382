"""What a grant asks for: every permission with its scope and id, from names, ids and a template. Pure.

Everything that is wrong is told at once, each at its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rotator import catalogue
from rotator.catalogue import Group, Scope, Template
from rotator.config.kinds import Complaint
from rotator.core.errors import ConfigError
from rotator.sources.cloudflare.options import ById, Grant

At = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One permission that a grant asks for.

    Attributes:
        scope: of the resources on which it is granted.
        id: of its permission group.
        group: what the catalogue knows of it, None where an id is not in the catalogue.
        at: its place within the grant.
        named: whether it was written by name; an id is taken as it is.
    """

    scope: Scope
    id: str
    group: Group | None
    at: At
    named: bool = True


def wanted(grant: Grant) -> tuple[tuple[Wanted, ...], tuple[Complaint, ...]]:
    """Return what a grant asks for, in its order, and what is wrong with it or worth a word."""
    found: list[Wanted] = []
    wrong: list[Complaint] = []
    for number, permission in enumerate(grant.permissions or ()):
        at: At = ("permissions", number)
        if isinstance(permission, ById):
            found.append(_by_id(permission.id, grant, at))
            continue
        try:
            meant = catalogue.meaning(permission, scopes_of(grant))
        except ConfigError as unfit:
            wrong.append(_complaint(at, unfit))
            continue
        found.append(Wanted(meant.group.scope, meant.group.id, meant.group, at))
        if meant.remark:
            wrong.append(_remark(at, meant.remark))
    if grant.template is not None:
        made, trouble = _of_template(grant, grant.template)
        found += made
        wrong += trouble
    return tuple(found), tuple(wrong)


def scopes_of(grant: Grant) -> tuple[Scope, ...]:
    """Return the scopes that names of a grant may be of: its own, and a user's where no resource is named."""
    if grant.scope is Scope.ACCOUNT and grant.accounts is None:
        return (Scope.ACCOUNT, Scope.USER)
    return (grant.scope,)


def _by_id(group_id: str, grant: Grant, at: At) -> Wanted:
    """An id is taken as it is: of the grant's scope, unless the catalogue knows that it is a user's."""
    known = catalogue.by_id(group_id)
    of_user = known is not None and known.scope is Scope.USER and grant.scope is Scope.ACCOUNT
    return Wanted(Scope.USER if of_user else grant.scope, group_id, known, at, named=False)


def _of_template(grant: Grant, name: str) -> tuple[list[Wanted], list[Complaint]]:
    at: At = ("template",)
    try:
        template = catalogue.template(name)
    except ConfigError as unknown:
        return [], [_complaint(at, unknown)]
    trouble = [
        Complaint(at=at, wrong=wrong, expected=expected, instead=instead)
        for wrong, expected, instead in _misfits(grant, template)
    ]
    names = ((Scope.ACCOUNT, template.account), (Scope.ZONE, template.zone), (Scope.USER, template.user))
    groups = [(scope, catalogue.meaning(each, [scope]).group) for scope, listed in names for each in listed]
    return [Wanted(scope, group.id, group, at) for scope, group in groups], trouble


def _misfits(grant: Grant, template: Template) -> Iterator[tuple[str, str, str]]:
    if template.zone and grant.zones is None and not template.every_zone:
        yield (
            f"the template {template.name!r} has permissions on zones, and nothing says on which",
            "expected zones",
            "add zones: [...] or zones: all",
        )
    if grant.zones is not None and not template.zone:
        yield (
            f"the template {template.name!r} has no permission on zones",
            "expected no zones here",
            "remove zones from this grant",
        )
    if grant.buckets is not None:
        yield (
            f"the template {template.name!r} has no permission on buckets",
            "expected no buckets here",
            "write the buckets into a grant of their own",
        )


def _complaint(at: At, error: ConfigError) -> Complaint:
    return Complaint(
        at=at, wrong=error.message, expected="expected a permission that fits this grant", instead=error.remedy
    )


def _remark(at: At, remark: str) -> Complaint:
    return Complaint(
        at=at, wrong=remark, expected="expected a name of today", instead="write today's name", fatal=False
    )
