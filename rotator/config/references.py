"""What only several stanzas together have wrong: names, claims on one place, and timings against their surroundings.

Every check stands in the table at the end and looks at stanzas that are valid by themselves, so that one mistake is one
error; only names, adopted tokens and claims are compared between all, for there they are mistakes of their own. Nothing
here reads a file of the operator's but the rights of secret files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from rotator.config.document import Spot, Tree, shown
from rotator.config.explain import Problems, nearest
from rotator.config.fields import as_written, format_duration, is_loopback
from rotator.config.kinds import VALUE_OUTPUTS, Complaint, Kinds
from rotator.config.models import LITERAL, Advanced, ConnectionStanza, CredentialStanza, TargetStanza
from rotator.config.policy import policy_of
from rotator.config.secret_ref import SecretRef
from rotator.config.stanzas import named_in
from rotator.core.credential import least_outage
from rotator.core.durations import HOUR, NEVER
from rotator.core.findings import STATE, Subject, of_connection, of_credential

WHOLE: Final = ""
"""Stands for all keys of a place; no key is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """All valid stanzas of one file with the trees that they were read from.

    Attributes:
        entries: of all credentials, those with errors included, the defaults merged in.
        strays: name of the credential, target and tree of the good targets of credentials that have errors.
    """

    kinds: Kinds
    advanced: Advanced
    advanced_tree: Tree
    connections: Mapping[str, ConnectionStanza]
    connection_trees: Mapping[str, Tree]
    credentials: list[tuple[CredentialStanza, Tree]]
    entries: Sequence[Tree] = ()
    strays: Sequence[tuple[str, TargetStanza, Tree]] = ()
    key: tuple[Spot, SecretRef] | None = None
    """Where the journal's key is configured, and how."""

    def loopback(self, connection: str) -> bool:
        """Whether a source's API is on loopback: a sandbox, where short times are welcome."""
        found = self.connections.get(connection)
        return found is not None and is_loopback(str(getattr(found.options, "api_url", "")))

    def sources(self) -> Iterator[tuple[ConnectionStanza, Tree]]:
        """Iterate over the connections that mint tokens."""
        for name, stanza in self.connections.items():
            if stanza.type in self.kinds.sources:
                yield stanza, self.connection_trees[name]

    def targets(self) -> Iterator[tuple[CredentialStanza, TargetStanza, Tree]]:
        """Iterate over all targets of all credentials."""
        for credential, tree in self.credentials:
            entries = tree.get("targets")
            for target, entry in zip(credential.targets, entries.value if entries is not None else (), strict=True):
                yield credential, target, entry


def check(read: Read, problems: Problems) -> None:
    """Note everything that the stanzas of one file have wrong together."""
    for one in _CHECKS:
        one(read, problems)


# ---------------------------------------------------------------------------------------------------------------- names
def _names(read: Read, problems: Problems) -> None:
    first: dict[str, Spot] = {}
    for tree in read.entries:
        spot, name = tree.at(("name",)), named_in(tree)
        if name is None:
            continue
        if name in first:
            problems.add(
                spot,
                f"a second credential is called `{name}`, the first stands in {first[name].said()}",
                "expected a name of its own",
                "rename one",
            )
        first.setdefault(name, spot)
    former: dict[str, Spot] = {}
    for credential, tree in read.credentials:
        name = credential.common.renamed_from  # of a valid one: only that has a history to go on with
        if name is None:
            continue
        spot = tree.at(("renamed_from",))
        if name in first:
            problems.add(
                spot,
                f"`{name}` is still the name of a credential ({first[name].said()})",
                "expected a name that no credential has any more",
                "remove renamed_from, or the other credential",
            )
        if name in former:
            problems.add(
                spot,
                f"`{name}` has become another credential already ({former[name].said()})",
                "expected one successor",
                "remove one renamed_from",
            )
        former.setdefault(name, spot)


def _adoptions(read: Read, problems: Problems) -> None:
    first: dict[str, tuple[str, Spot]] = {}
    for tree in read.entries:
        adopt = tree.get("adopt")
        written = adopt.get("id") if adopt is not None else None
        token = as_written(written.value) if written is not None else None
        if written is None or not isinstance(token, str):
            continue
        spot = written.spot
        if token in first:
            name, where = first[token]
            problems.add(
                spot,
                f"this token is adopted by `{name}` already ({where.said()})",
                "expected one credential for each token",
                "adopt another one, or publish one credential to more targets",
            )
        first.setdefault(token, (named_in(tree) or "a credential", spot))


def _target_names(read: Read, problems: Problems) -> None:
    seen: dict[tuple[str, str], Tree] = {}
    for credential, target, tree in read.targets():
        before = seen.setdefault((credential.name, target.name), tree)
        if before is not tree:
            problems.add(
                tree.at(("name",)),
                f"a second target of `{credential.name}` is called `{target.name}`, the first "
                f"stands in {before.spot.said()}",
                "expected a name of its own",
                "write `name: …` in one of them",
            )


def _required(read: Read, problems: Problems) -> None:
    for credential, tree in read.credentials:
        if credential.targets and not any(target.common.required for target in credential.targets):
            problems.add(
                tree.at(("targets",), key=True),
                f"no target of `{credential.name}` is required",
                "expected at least one that a rotation waits for",
                "remove `required: false` from one",
            )


# --------------------------------------------------------------------------------------------------------- keys, claims
def _keys(read: Read, problems: Problems) -> None:
    for credential, target, tree in read.targets():
        connection = read.connections.get(credential.common.connection)
        options = connection.options if connection is not None else None
        known = read.kinds.outputs_of(credential.source_type, options, credential.source)
        unknown = {k: o for k, o in target.keys.items() if o not in known and not o.startswith(LITERAL)}
        for key, output in unknown.items():
            meant = nearest(output, known)
            problems.add(
                tree.at(("keys", key)),
                f"the source has no output `{shown(output)}`",
                f"expected one of {', '.join(sorted(known))}, or a literal",
                f"write `{meant}`" if meant else "write for example token.value, or {literal: …}",
            )
        if not unknown and not VALUE_OUTPUTS & set(target.keys.values()):
            problems.add(
                tree.at(("keys",), key=True),
                "no key of this target holds the value",
                f"expected {' or '.join(sorted(VALUE_OUTPUTS & known, reverse=True))} at one key at least",
                "write for example `keys: {CLOUDFLARE_API_TOKEN: token.value}`",
            )
        kind = read.kinds.targets[target.common.type]
        _complaints(problems, tree, of_credential(credential.name), kind.check(target.options, target.keys))


def _claims(read: Read, problems: Problems) -> None:
    claims: dict[str, dict[str, tuple[str, Spot]]] = {}
    good = [(credential.name, target, tree) for credential, target, tree in read.targets()]
    for owner, target, tree in sorted([*good, *read.strays], key=lambda found: found[2].spot):
        whole = read.kinds.targets[target.common.type].whole(target.options)
        held = claims.setdefault(target.lease, {})
        twice: dict[tuple[str, Spot], list[str]] = {}
        for key in (WHOLE,) if whole else target.keys:
            other = held.get(key) or held.get(WHOLE) or (next(iter(held.values()), None) if whole else None)
            if other is not None:
                twice.setdefault(other, []).append(key)
            held.setdefault(key, (owner, tree.spot))
        for (name, spot), keys in twice.items():
            problems.add(
                tree.at(("keys", keys[0]), key=True),
                f"{_the_keys(keys, target.place)} claimed by `{name}` already ({spot.said()})",
                "expected one credential for each key of a place",
                "use other keys, or another place",
            )


def _the_keys(keys: list[str], place: str) -> str:
    if keys == [WHOLE]:
        return f"the whole of {place} is wanted, and a key of it is"
    names = ", ".join(f"`{key}`" for key in keys)
    return f"the {'key' if len(keys) == 1 else 'keys'} {names} of {place} {'is' if len(keys) == 1 else 'are'}"


# ----------------------------------------------------------------------------------------------------- sources' options
def _source_options(read: Read, problems: Problems) -> None:
    known: dict[tuple[str, int], list[Complaint]] = {}  # the rows of a fleet may say the same object to the source
    for credential, tree in read.credentials:
        connection = read.connections.get(credential.common.connection)
        if connection is not None:
            told = (connection.name, id(credential.source))
            found = known.get(told)
            if found is None:
                found = list(read.kinds.check_source(credential.source_type, connection.options, credential.source))
                known[told] = found
            _complaints(problems, tree, of_credential(credential.name), found)


def _complaints(problems: Problems, tree: Tree, subject: Subject, complaints: Iterable[Complaint]) -> None:
    for found in complaints:
        if found.fatal:
            problems.add(tree.at(found.at), found.wrong, found.expected, found.instead)
        else:
            problems.warn(tree.at(found.at), subject, "options", found.wrong, found.instead)


def _api_urls(read: Read, problems: Problems) -> None:
    for connection, tree in read.sources():
        url = str(getattr(connection.options, "api_url", ""))
        if url.startswith("http://") and not is_loopback(url):
            problems.add(
                tree.at(("api_url",)),
                "plain http would send the management token in clear",
                "expected https",
                "write https://… (http only to loopback)",
            )


def _budgets(read: Read, problems: Problems) -> None:
    for connection, tree in read.sources():
        ceiling, budget = read.kinds.ceilings.get(connection.type), getattr(connection.options, "rate_budget", None)
        if ceiling is None or budget is None or read.loopback(connection.name):
            continue
        requests, window = ceiling
        # All of a long window may be spent at once, and a short one comes several times within the provider's.
        if budget.requests * max(1.0, window / budget.window) > requests:
            problems.add(
                tree.at(("rate_budget",)),
                "the rate budget is above the provider's own limit",
                f"expected at most {requests} requests in {format_duration(window)}",
                f"write for example {{requests: {requests // 4}, window: {format_duration(window)}}}",
            )


# -------------------------------------------------------------------------------------------------------------- timings
def _patience(read: Read, problems: Problems) -> None:
    if all(read.loopback(connection.name) for connection, _ in read.sources()):
        return
    for key in ("settle", "propagation", "retry", "pair_gap"):
        least = float(Advanced.model_fields[key].default)
        if getattr(read.advanced, key) < least:
            problems.add(
                read.advanced_tree.at((key,)),
                f"`{key}` is shorter than is safe with a real provider",
                f"expected at least {format_duration(least)}",
                f"write `{key}: {format_duration(least)}`, or remove it (shorter only if every api_url is loopback)",
            )


def _timings(read: Read, problems: Problems) -> None:
    for credential, tree in read.credentials:
        if not credential.targets:
            continue  # only watched: nothing is ever minted
        lifetime, rotation = credential.common.lifetime, credential.common.rotation
        policy = policy_of(credential, read.advanced)
        if lifetime < HOUR and not read.loopback(credential.common.connection):
            problems.add(
                tree.at(("lifetime",)),
                "the lifetime is under one hour",
                "expected at least 1h (shorter only where api_url is loopback)",
                "write for example `lifetime: 90d`",
            )
        if lifetime == NEVER and rotation.every is None:
            problems.add(
                tree.at(("lifetime",)),
                "a token that never expires would never be rotated",
                "expected rotation.every beside it",
                "write for example `rotation: {every: 90d}`",
            )
        if lifetime == NEVER and rotation.renew_before is not None:
            problems.add(
                tree.at(("rotation", "renew_before")),
                "a token that never expires has nothing to be renewed before",
                "expected rotation.every alone",
                "remove renew_before",
            )
        elif policy.renew_before >= lifetime:
            problems.add(
                tree.at(("rotation", "renew_before")),
                "renew_before is not shorter than the lifetime, so a fresh token would be due at once",
                f"expected less than {format_duration(lifetime)}",
                f"write for example `renew_before: {format_duration(lifetime // 3 or lifetime / 3)}`",
            )
        if rotation.strategy == "recreate" and policy.grace < HOUR:
            problems.warn(
                tree.at(("rotation", "grace")),
                of_credential(credential.name),
                "short_grace",
                f"grace is {format_duration(policy.grace)}, so a value that was just read may end that soon",
                "write `rotation: {grace: 24h}`, or a time longer than your longest job",
            )
        if rotation.strategy == "roll":
            if not getattr(credential.source, "verifies", True):
                problems.add(
                    tree.at(("verify",)),
                    "a roll needs values that can be verified from this host",
                    "expected `verify: value`, or strategy recreate",
                    "use strategy recreate",
                )
            _outage(credential, tree, read, problems)
        elif policy.grace > policy.renew_before and lifetime != NEVER:
            problems.warn(
                tree.at(("rotation", "grace")),
                of_credential(credential.name),
                "long_grace",
                "grace is longer than renew_before: an old value expires before its grace is over",
                "lengthen renew_before, or shorten grace",
            )


def _outage(credential: CredentialStanza, tree: Tree, read: Read, problems: Problems) -> None:
    budget, least = credential.common.rotation.outage_budget, least_outage(read.advanced.settle)
    if budget is None or budget < least:
        problems.add(
            tree.at(("rotation", "outage_budget")),
            "a roll ends the old value at once, and no outage budget accepts that"
            if budget is None
            else "the outage budget is shorter than a lost answer takes to settle",
            f"expected an outage_budget of at least {format_duration(least)} (settle and 30s)",
            f"write `outage_budget: {format_duration(max(least, 120.0))}`, or use strategy recreate",
        )


# -------------------------------------------------------------------------------------------------------------- secrets
def _secret_files(read: Read, problems: Problems) -> None:
    found = [
        (of_connection(name), read.connection_trees[name].at(at), secret)
        for name, connection in read.connections.items()
        for at, secret in secrets_in(connection.options)
    ]
    if read.key is not None:
        found.append((STATE, *read.key))
    for subject, spot, secret in found:
        refusal, concern = secret.refusal(), secret.concern()
        if refusal is not None:
            problems.add(spot, refusal, "expected mode 0600", f"write `chmod go-w {secret.file}` in a shell")
        elif concern is not None:
            message, remedy = concern
            problems.warn(spot, subject, "secret_file", message, remedy)


def secrets_in(options: BaseModel, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], SecretRef]]:
    """Iterate over all references to secrets in options, with the way to each."""
    for key, field in type(options).model_fields.items():
        value, here = getattr(options, key), (*at, field.alias or key)
        if isinstance(value, SecretRef):
            yield here, value
        elif isinstance(value, BaseModel):
            yield from secrets_in(value, here)


_CHECKS: Final[tuple[Callable[[Read, Problems], None], ...]] = (
    _names,
    _adoptions,
    _target_names,
    _required,
    _keys,
    _claims,
    _source_options,
    _api_urls,
    _budgets,
    _patience,
    _timings,
    _secret_files,
)
