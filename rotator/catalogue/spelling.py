"""Permissions as people write them: which groups a spelling fits, from the exact name to short names.

API names and dashboard names ("Edit" is "Write"), the level in parentheses or behind a colon, an arrow or a blank, the
scope in front, any case, any blanks, singular and plural, `&` for "and", short names (R2, KV, Pages). The level that is
written is never changed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from rotator.catalogue.groups import LEVELS, Group, Scope, catalogue, named

Words = tuple[str, ...]

_DROPPED: Final = frozenset({"and", "the", "cloudflare"})
"""Words that people write or leave out; no two groups of a scope differ in them alone."""

_SHORT: Final[Mapping[Scope, Mapping[str, str]]] = {
    Scope.ACCOUNT: {
        "r2": "workers r2 storage",
        "r2 storage": "workers r2 storage",
        "workers r2": "workers r2 storage",
        "kv": "workers kv storage",
        "kv storage": "workers kv storage",
        "workers kv": "workers kv storage",
        "scripts": "workers scripts",
        "tail": "workers tail",
        "d1 database": "d1",
        "argo tunnel": "tunnel",
        "monitors and pools": "load balancing monitors and pools",
        "turnstile": "turnstile sites",
        "registrar": "registrar domains",
        "bulk redirects": "mass url redirects",
    },
    Scope.ZONE: {
        "ssl": "ssl and certificates",
        "ssl tls": "ssl and certificates",
        "certificates": "ssl and certificates",
        "dns records": "dns",
        "routes": "workers routes",
        "firewall": "firewall services",
    },
    Scope.USER: {},
    Scope.BUCKET: {
        "r2": "workers r2 storage bucket item",
        "object": "workers r2 storage bucket item",
        "r2 object": "workers r2 storage bucket item",
        "bucket item": "workers r2 storage bucket item",
        "r2 bucket item": "workers r2 storage bucket item",
        "r2 storage bucket item": "workers r2 storage bucket item",
    },
}
"""Short name -> the name that it stands for, without levels."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """What somebody wrote: words without the level, and the level (empty where none is written)."""

    base: Words
    level: str


@lru_cache(maxsize=4096)
def spelling(text: str) -> Spelling:
    """Take a written permission apart: `Zone → DNS (Edit)` has the words zone, dns and the level write."""
    words = _words(text)
    level = LEVELS.get(words[-1], "") if len(words) > 1 else ""
    while len(words) > 2 and level and LEVELS.get(words[-2]) == level:
        words = words[:-1]  # `Cache Purge (Purge)`, `D1 Write (Edit)`
    return Spelling(_stems(words[:-1] if level else words), level)


@lru_cache(maxsize=4096)  # a fleet writes the same few names thousands of times
def fits(text: str, among: frozenset[Scope]) -> tuple[Group, ...]:
    """Return the groups that a spelling fits best; of those that fit equally well, the ones of the scopes `among`.

    An exact name beats the same words in another clothing, and these beat short names and scopes in front. What fits
    groups of other scopes only is returned too, for the caller to say so.
    """
    for found in _tiers(text, among):
        inside = tuple(group for group in found if group.scope in among)
        if inside or found:
            with_id = tuple(group for group in inside or found if group.id)
            return with_id or inside or found
    return ()


def _tiers(text: str, among: frozenset[Scope]) -> Iterator[tuple[Group, ...]]:
    """What fits best first; a later tier is only looked at where the earlier ones fit nothing."""
    said = spelling(text)
    yield named(text)
    yield _clothed(said)
    yield tuple(dict.fromkeys(_levelled(said, _short(said, text, among))))


@lru_cache(maxsize=4096)
def former(text: str) -> str:
    """Return today's name of a permission that was written by a former one, else an empty text."""
    said = spelling(text)
    return next((new for old, new in catalogue().renamed.items() if spelling(old) == said), "")


@cache
def bases(group: Group) -> frozenset[Words]:
    """Return all ways of writing a group's name without its level: whole, without its scope, and short names."""
    base = spelling(group.name).base
    found = {base}
    if len(base) > 1 and base[0] == group.scope.value:
        found.add(base[1:])
    found |= {_stems(_words(short)) for short, name in _SHORT[group.scope].items() if _stems(_words(name)) in found}
    return frozenset(found)


def _clothed(said: Spelling) -> tuple[Group, ...]:
    """Groups of the same words and level; without a level the one that has none, else those of every level."""
    return _levelled(said, _by_base().get(said.base, ()))


def _levelled(said: Spelling, groups: Iterable[Group]) -> tuple[Group, ...]:
    """Those of the written level; without one those that have none, else all."""
    same = tuple(groups)
    exact = tuple(group for group in same if spelling(group.name).level == said.level)
    return exact if exact or said.level else same


def _short(said: Spelling, text: str, among: frozenset[Scope]) -> Iterator[Group]:
    """Groups by short name, by the name without the scope, with the scope in front, or by a former name."""
    if new := former(text):
        yield from named(new)
    for group in catalogue().groups:
        ways = bases(group)
        if (said.base in ways and group.scope in among) or any(
            rest in ways for rest in _behind(group.scope, said.base)
        ):
            yield group


def _behind(scope: Scope, base: Words) -> Iterator[Words]:
    """What stands behind the name of the scope, which may stand there twice: `Zone > Zone DNS`."""
    while len(base) > 1 and base[0] == scope.value:
        base = base[1:]
        yield base


@cache
def _by_base() -> dict[Words, tuple[Group, ...]]:
    found: dict[Words, tuple[Group, ...]] = {}
    for group in catalogue().groups:
        base = spelling(group.name).base
        found[base] = (*found.get(base, ()), group)
    return found


def _words(text: str) -> Words:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("&", " and ")
    return tuple(word for word in re.findall(r"[^\W_]+", plain) if word not in _DROPPED)


@cache
def _stems(words: Words) -> Words:
    return tuple(_stem(word) for word in words)


def _stem(word: str) -> str:
    """The singular, as far as names of permissions need it."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word
