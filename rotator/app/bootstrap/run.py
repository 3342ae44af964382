"""The three ways to the first management token. What is wrong is found out before anything is made or asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rotator.app.app import state_key
from rotator.app.bootstrap.ledger import Attempt, Ledger
from rotator.app.bootstrap.making import ends, make, token_name
from rotator.app.bootstrap.outcome import Standing, findings
from rotator.app.bootstrap.setting import Place, Setting, setting, without_account
from rotator.app.bootstrap.settling import Settler, Tell, unfit
from rotator.core.errors import ConfigError, Refused, Unavailable
from rotator.core.findings import Finding
from rotator.core.secret import Secret
from rotator.host.crashpoints import crash_at
from rotator.sources.cloudflare import accounts
from rotator.sources.cloudflare.authority import Authority, Person
from rotator.sources.cloudflare.bearers import GlobalKey
from rotator.sources.cloudflare.first import OwnerKind
from rotator.sources.cloudflare.management import ManagementToken
from rotator.sources.cloudflare.pasted import refuse

Ask = Callable[[str, Setting], Secret]
"""(role, setting) -> the value of a token that a person made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a bootstrap came to."""

    setting: Setting
    tokens: tuple[Standing, ...]
    findings: tuple[Finding, ...]


def by_key(
    path: Path, name: str, key: GlobalKey, *, lifetime: float, owner: OwnerKind | None, tell: Tell, dry: bool = False
) -> Result:
    """Make what is missing of management token and standby, with e-mail and Global API Key.

    Args:
        path: the configuration file.
        name: of the connection.
        key: used for this call only.
        lifetime: of the tokens in seconds, or `NEVER`.
        owner: whose they shall be, None for what the credentials need.
        tell: takes what a person should know meanwhile.
        dry: make nothing, and say what would be made.

    Raises:
        ConfigError: the configuration is wrong, or an account id in it is.
        Refused: the key is not accepted, Cloudflare says no, or both tokens live already.
        RotatorError: not now; whatever was made is durable, and the same command goes on from there.
    """
    try:
        found = setting(path, name, owner)
    except ConfigError:
        lacking = without_account(path, name)
        if lacking is None:
            raise
        _name_accounts(lacking, key)
        raise
    authority = Authority(name, found.options, key, found.budget())
    try:
        places = found.places()
        person = _person(found, authority)
        if dry:
            return Result(setting=found, tokens=tuple(_planned(found, places, person, lifetime)), findings=())
        standing = _made(found, authority, places, person, lifetime, tell)
    finally:
        authority.close()
    return _result(found, standing)


def _made(
    found: Setting, authority: Authority, places: Sequence[Place], person: Person, lifetime: float, tell: Tell
) -> list[Standing]:
    """Both tokens: those that stand already, those that an earlier run left on their way, and those that lack."""
    free = _writable(places)
    with Ledger(found.config.state.folder, found.name, state_key(found.config), crash_at) as ledger:
        settler = Settler(found, ledger, places, tell, authority=authority)
        policies = found.need.policies(person.id)
        standing = _kept(found, places)
        done = settler.resume(policies, person.now)
        if not settler.finished:
            _something_to_do(found, places, free, done)
        for place in free:
            if place.role in done:
                continue
            attempt = _attempt(found, place.role, person.now)
            one = make(authority, ledger, attempt, policies, ends(place.role, person.now, lifetime), tell)
            made = settler.settle(one, place, policies, done)
            if made is None:
                raise Unavailable(f"the new {place.role} token is dead", "run the same command again")
            done[place.role] = made
    return [*standing, *done.values()]


def _attempt(found: Setting, role: str, now: float) -> Attempt:
    owner = found.need.owner
    account_id = found.need.accounts[0] if owner == "account" else None
    return Attempt(role=role, name=token_name(found.name, role), owner=owner, account_id=account_id, at=now)


def by_value(path: Path, name: str, ask: Ask, *, every: bool, tell: Tell) -> Result:
    """Put tokens that a person made into the places of management token and standby.

    Args:
        path: the configuration file.
        name: of the connection.
        ask: gives the value for a role; asked only once its place is known to be writable.
        every: ask for each place that is free, not only for the first.
        tell: takes what a person should know meanwhile.

    Raises:
        ConfigError: the configuration is wrong, or what was given is certainly no token; nothing was sent.
        Refused: Cloudflare does not accept it, it may not create tokens, or both places are taken.
        RotatorError: not now; a value that was given is durable, and the same command goes on from there.
    """
    try:
        found = setting(path, name, None)
    except ConfigError:
        lacking = None if every else without_account(path, name)
        if lacking is not None:
            _name_accounts_of(lacking, ask("management", lacking))
        raise
    places = found.places()
    free = _writable(places)
    with Ledger(found.config.state.folder, name, state_key(found.config), crash_at) as ledger:
        settler = Settler(found, ledger, places, tell)
        standing = _kept(found, places)
        done = settler.resume((), time.time())
        left = [place for place in free if place.role not in done]
        if not left and not done and not settler.finished:
            if not every and _is_there(ask("management", found), places):
                return _result(found, standing)
            _something_to_do(found, places, free, done)
        for place in left[: None if every else 1]:
            value = ask(place.role, found)
            refuse(value, "what was given")
            if not every and _is_there(value, places):
                continue
            attempt = Attempt(role=place.role, at=time.time())
            ledger.intend(attempt)
            one = ledger.capture(attempt, "", value)
            made = settler.settle(one, place, None, done)
            if made is not None:
                done[place.role] = made
    return _result(found, [*standing, *done.values()])


def _is_there(value: Secret, places: Sequence[Place]) -> bool:
    """Whether a value stands in one of the places already, for example because its file is the place."""
    return any(place.value == value for place in places if place.value is not None)


def _result(found: Setting, standing: Sequence[Standing]) -> Result:
    order = {"management": 0, "standby": 1}
    tokens = tuple(sorted(standing, key=lambda one: order[one.role]))
    return Result(setting=found, tokens=tokens, findings=tuple(findings(found, tokens)))


def _person(found: Setting, authority: Authority) -> Person:
    person = authority.person()
    for account_id in dict.fromkeys(a for a in (found.options.account_id, *found.need.accounts) if a):
        authority.check_account(account_id)
    return person


def _writable(places: Sequence[Place]) -> list[Place]:
    """The free places, each of which could be written now."""
    free = [place for place in places if place.value is None]
    for place in free:
        place.file.check()
    return free


def _kept(found: Setting, places: Sequence[Place]) -> list[Standing]:
    """The tokens that stand already; each must live, for nothing is ever written over a value that is not known."""
    standing = []
    for place in places:
        if place.value is None:
            continue
        me: ManagementToken = found.look(place.value)
        if not me.id:
            raise Refused(
                f"{place.path} holds a token that Cloudflare does not accept; nothing is written over it",
                "look what it is (another account's?), move the file away, and run the same command again",
            )
        if place.role == "management" and (trouble := unfit(found, me)) is not None:
            raise Refused(f"{place.path}: {trouble.message}", trouble.remedy)
        name = str((me.shown or {}).get("name") or "")
        standing.append(
            Standing(role=place.role, id=me.id, name=name, expires_at=me.expires_at, path=place.path, kept=True)
        )
    return standing


def _something_to_do(found: Setting, places: Sequence[Place], free: Sequence[Place], done: dict[str, Standing]) -> None:
    if free or done:
        return
    held = " and ".join(f"{place.path} ({place.role})" for place in places)
    more = "" if len(places) > 1 else f"; connection {found.name} names no standby_token"
    raise Refused(
        f"a living token stands in {held} and is kept{more}",
        "`rotator check` looks at it; to replace one, move its file away first",
        code="kept",
    )


def _planned(found: Setting, places: Sequence[Place], person: Person, lifetime: float) -> list[Standing]:
    planned = []
    for place in places:
        end = ends(place.role, person.now, lifetime)
        kept = place.value is not None
        name = "" if kept else token_name(found.name, place.role).rpartition(" ")[0]
        planned.append(
            Standing(role=place.role, id=None, name=name, expires_at=None if kept else end, path=place.path, kept=kept)
        )
    return planned


def _name_accounts(lacking: Setting, key: GlobalKey) -> None:
    """Find the account id that the configuration lacks; what else is wrong with it is told as it is."""
    authority = Authority(lacking.name, lacking.options, key, lacking.budget())
    try:
        authority.person()
        known = authority.reached()
    finally:
        authority.close()
    _choose(lacking, authority.login, known)


def _name_accounts_of(lacking: Setting, value: Secret) -> None:
    """The same, by a token that a person made."""
    refuse(value, "what was given")
    connection = lacking.connection(value)
    try:
        known = accounts.reached(connection)
    finally:
        connection.close()
    _choose(lacking, "the token that was given", known)


def _choose(lacking: Setting, who: str, known: Mapping[str, str]) -> None:
    """Tell which account ids can be written.

    Raises:
        ConfigError: where there is one.
    """
    if not known:
        return
    listed = ", ".join(f"{account_id} ({called})" for account_id, called in list(known.items())[:10])
    write = f"write `account_id: {next(iter(known))}`" if len(known) == 1 else "write one of them as account_id"
    raise ConfigError(
        f"connection {lacking.name} has no account_id; {who} reaches {listed}",
        f"{write} into connection {lacking.name}, and run the same command again",
    )
