"""Which credentials are shown, in which order and on which page, and how many are in which state. Pure."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from rotator.core.remarks import STATES
from rotator.web.page.board import Document

ROWS: Final = 100
"""Credentials on one page."""

SORTS: Final = {"worst": "Worst first", "expires": "Expires soonest", "rotates": "Rotates soonest", "name": "Name"}
_BY: Final = {"expires": "expires_on", "rotates": "next_rotation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What somebody wants to see, as it stands behind the `?` of the address.

    Attributes:
        text: a part of a name, or a glob.
        states: any of these; `not_ready` for what is not ready in whichever state.
        labels: all of these, each `key=value` or a key alone.
        target: part or glob of the name of one of its targets.
        connection: part or glob of its connection's name.
        sort: one of `SORTS`.
        page: from 1.
    """

    text: str = ""
    states: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    target: str = ""
    connection: str = ""
    sort: str = "worst"
    page: int = 1

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.text or self.states or self.labels or self.target or self.connection)

    def address(self, **other: object) -> str:
        """Return the address of the fleet with this filter, some of its parts replaced; the first page unless given."""
        found = {
            "q": self.text,
            "state": self.states,
            "label": self.labels,
            "target": self.target,
            "connection": self.connection,
            "sort": "" if self.sort == "worst" else self.sort,
            "page": "",
            **other,
        }
        query = urlencode({key: value for key, value in found.items() if value}, doseq=True)
        return f"/?{query}" if query else "/"


def asked(pairs: Iterable[tuple[str, str]]) -> Filter:
    """Return the filter of a query; what makes no sense is passed over."""
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        if value := value.strip()[:200]:
            found.setdefault(key, []).append(value)
    number = found.get("page", ["1"])[-1]
    sort = found.get("sort", ["worst"])[-1]
    return Filter(
        text=found.get("q", [""])[-1],
        states=tuple(dict.fromkeys(s for s in found.get("state", []) if s in STATES or s == "not_ready")),
        labels=tuple(dict.fromkeys(found.get("label", [])))[:10],
        target=found.get("target", [""])[-1],
        connection=found.get("connection", [""])[-1],
        sort=sort if sort in SORTS else "worst",
        page=int(number) if number.isascii() and number.isdigit() and 0 < int(number[:9]) < 10**6 else 1,
    )


def fits(credential: Document, wanted: Filter) -> bool:
    """Whether a credential of the document is to be shown."""
    labels: Mapping[str, object] = credential.get("labels") or {}
    return (
        (not wanted.text or _like(str(credential["name"]), wanted.text))
        and (not wanted.states or any(_in(credential, state) for state in wanted.states))
        and all(_labelled(labels, label) for label in wanted.labels)
        and (not wanted.target or any(_like(str(one["name"]), wanted.target) for one in credential["targets"]))
        and (not wanted.connection or _like(str(credential["connection"]), wanted.connection))
    )


def _in(credential: Document, state: str) -> bool:
    if state == "not_ready":
        return not credential["ready"] and credential["state"] != "unmanaged"
    return bool(credential["state"] == state)


def _labelled(labels: Mapping[str, object], label: str) -> bool:
    key, given, value = label.partition("=")
    return key in labels and (not given or str(labels[key]) == value)


def _like(name: str, wanted: str) -> bool:
    if any(sign in wanted for sign in "*?["):
        return fnmatch.fnmatchcase(name, wanted)
    return wanted.lower() in name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one page shows.

    Attributes:
        rows: its credentials.
        every: all that fit, in order.
        total: how many credentials there are without the filter.
        counts: state -> number, over all credentials; `not_ready` beside them.
        pages: how many pages there are, at least 1.
        page: which of them this is.
    """

    rows: Sequence[Document]
    every: Sequence[Document]
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)
    pages: int = 1
    page: int = 1


def shown(worst_first: Sequence[Document], wanted: Filter, rows: int = ROWS) -> Shown:
    """Return what to show of credentials that stand with the worst first; `rows` on one page."""
    every = [one for one in worst_first if fits(one, wanted)]
    if wanted.sort == "name":
        every.sort(key=lambda one: str(one["name"]))
    elif wanted.sort in _BY:
        key = _BY[wanted.sort]
        every.sort(key=lambda one: (one[key] is None, one[key] or "", str(one["name"])))
    pages = max(-(-len(every) // rows), 1)
    page = min(wanted.page, pages)
    return Shown(
        rows=every[(page - 1) * rows : page * rows],
        every=every,
        total=len(worst_first),
        counts=counted(worst_first),
        pages=pages,
        page=page,
    )


def counted(credentials: Sequence[Document]) -> dict[str, int]:
    """Return state -> number in the order of `STATES`, states of nobody left out; `not_ready` last."""
    found = Counter(str(one["state"]) for one in credentials)
    behind = sum(_in(one, "not_ready") for one in credentials)
    return {state: found[state] for state in STATES if found[state]} | ({"not_ready": behind} if behind else {})


def labels_of(credentials: Iterable[Document], most: int = 200) -> list[str]:
    """Return every `key=value` that a credential has, sorted, at most `most`."""
    found = {f"{key}={value}" for one in credentials for key, value in (one.get("labels") or {}).items()}
    return sorted(found)[:most]
