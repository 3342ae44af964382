"""The expiry horizon: every credential's life, renewal window and deadline on one scale of time. Numbers, no markup.

A place on the scale is a percentage of the width, so that the picture fits a phone and a wall alike. Where lives differ
a hundredfold, time is drawn the denser the farther it is from now, because what ends tonight matters more than what
ends next year.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rotator.core.durations import DAY, HOUR, human
from rotator.core.times import moment
from rotator.web.page.board import Document

NAMED: Final = 40
"""Credentials up to which each has a lane with its name."""

LANES: Final = 240
"""Lanes at most; of more credentials several share one, which shows the one that ends first."""

STEPS: Final = (HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 180 * DAY, 365 * DAY)
FAR: Final = 1826 * DAY
"""Seconds beyond which nothing is drawn: what ends later ends at the edge."""

DENSE: Final = 60.0
"""Ratio of the whole scale to the nearest end from which the scale is compressed."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a lane: where it begins and how wide it is, in percent."""

    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One credential, or the first of several that share a lane.

    Attributes:
        name: of the credential.
        state: of the credential.
        life: from its last success to its end; None where nothing was published yet.
        window: from its renewal to its deadline.
        late: from its deadline to its end.
        endless: whether it never ends.
        ends: its end, RFC 3339.
        rotates: its next rotation, RFC 3339.
        shares: how many credentials the lane stands for.
    """

    name: str
    state: str
    life: Bar | None
    window: Bar | None
    late: Bar | None
    endless: bool
    ends: str | None
    rotates: str | None
    shares: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The picture: lanes with the soonest end first.

    Attributes:
        lanes: from top to bottom.
        ticks: (place in percent, text) of the scale.
        now: where now is, in percent.
        named: whether lanes have names.
        compressed: whether far times are drawn denser.
        total: how many credentials it shows.
        undrawn: how many have no life yet.
    """

    lanes: Sequence[Lane]
    ticks: Sequence[tuple[float, str]]
    now: float
    named: bool
    compressed: bool
    total: int
    undrawn: int


def horizon(credentials: Sequence[Document], now: float) -> Horizon | None:
    """Return the picture of some credentials; None where none of them has a life yet.

    Args:
        credentials: of the document.
        now: unix seconds.
    """
    alive = [one for one in credentials if one["token_id"]]
    if not alive:
        return None
    alive.sort(key=lambda one: (_end(one), str(one["name"])))
    starts = [found for one in alive if (found := moment(one["last_success"])) is not None]
    ends = [found for one in alive if (found := _end(one)) < math.inf]
    first = max(min([*starts, now - HOUR]), now - FAR)
    last = min(max([*ends, now + HOUR]), now + FAR)
    near = min((abs(end - now) for end in ends if end > now), default=last - now)
    compressed = (last - first) / max(near, 1.0) > DENSE
    scale = _compressed(first, last, now) if compressed else _linear(first, last)
    each = -(-len(alive) // LANES)
    return Horizon(
        lanes=[
            _lane(alive[number], scale, first, len(alive[number : number + each]))
            for number in range(0, len(alive), each)
        ],
        ticks=_ticks(scale, first, last, now, compressed=compressed),
        now=scale(now),
        named=len(alive) <= NAMED,
        compressed=compressed,
        total=len(alive),
        undrawn=len(credentials) - len(alive),
    )


Scale = Callable[[float], float]


def _linear(first: float, last: float) -> Scale:
    return lambda at: _percent((at - first) / (last - first))


def _compressed(first: float, last: float, now: float) -> Scale:
    """Logarithmic on both sides of now, an hour being the unit near it."""

    def place(at: float) -> float:
        return math.copysign(math.log1p(abs(at - now) / HOUR), at - now)

    low, high = place(first), place(last)
    # What lies behind gets a fifth of the width at most: the picture is about what comes.
    behind = min(-low / (high - low), 0.2)
    return lambda at: _percent(
        behind + (1 - behind) * place(at) / high if at >= now else behind * (1 - place(at) / low) if low else 0.0
    )


def _percent(part: float) -> float:
    return round(100 * min(max(part, 0.0), 1.0), 2)


def _end(credential: Document) -> float:
    end = moment(credential["expires_on"])
    return math.inf if end is None else end


def _lane(credential: Document, scale: Scale, first: float, shares: int) -> Lane:
    end, began = _end(credential), moment(credential["last_success"])
    renewal, deadline = moment(credential["next_rotation"]), moment(credential["rotation_deadline"])
    right = 100.0 if end == math.inf else scale(end)
    left = scale(first if began is None else min(began, end))
    return Lane(
        name=str(credential["name"]),
        state=str(credential["state"]),
        life=_bar(left, right),
        window=None if renewal is None else _bar(scale(renewal), right if deadline is None else scale(deadline)),
        late=None if deadline is None or end == math.inf else _bar(scale(deadline), right),
        endless=end == math.inf,
        ends=credential["expires_on"],
        rotates=credential["next_rotation"],
        shares=shares,
    )


def _bar(left: float, right: float) -> Bar:
    return Bar(left, round(max(right - left, 0.0), 2))


def _ticks(scale: Scale, first: float, last: float, now: float, *, compressed: bool) -> list[tuple[float, str]]:
    if compressed:
        far = [step for step in (HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY) if now + step < last]
        return _apart([(scale(now + step), f"in {human(step)}") for step in far], scale(now))
    span = last - first
    step = next((step for step in STEPS if span / step <= 6), STEPS[-1])
    begin = math.ceil(first / step) * step
    found: list[tuple[float, str]] = []
    at = begin
    while at <= last and len(found) < 12:
        found.append((scale(at), _named(at, step)))
        at += step
    return _apart(found, scale(now))


def _apart(ticks: list[tuple[float, str]], now: float) -> list[tuple[float, str]]:
    """Those whose texts do not run into each other, into that of now, or over the edge."""
    kept: list[tuple[float, str]] = []
    for place, text in ticks:
        if abs(place - now) < 7 or not 4 <= place <= 96 or (kept and place - kept[-1][0] < 11):
            continue
        kept.append((place, text))
    return kept


def _named(at: float, step: float) -> str:
    then = datetime.fromtimestamp(at, UTC)
    if step < DAY:
        return f"{then:%H:%M}"
    return f"{then.day} {then:%b}" if step < 180 * DAY else f"{then:%b %Y}"
