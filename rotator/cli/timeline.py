"""The picture of `plan`: a bar for each credential, from now to the end of the look ahead.

Pure: it draws what the JSON document says. The signs are letters of ASCII where the terminal shows no others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rotator.cli.layout import GAP, Line, Span, text, wrapped
from rotator.core.durations import DAY, human
from rotator.core.times import drawn_at, moment
from rotator.observability.loggable import printable

Document = Mapping[str, Any]

LONGEST: Final = 20
"""Bars that people are shown; the rest is counted, and the document has all."""

BAR: Final = 60
"""Cells of a bar where there is no terminal, and at most where there is one."""

SHORTEST: Final = 16
"""Cells of a bar at least; a name that leaves less is cut in the middle, where names differ least."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the cells of a bar look like, each one character wide."""

    lives: str
    both: str
    rotates: str
    expires: str
    dead: str
    cut: str


UNICODE: Final = Signs(lives="━", both="▒", rotates="◆", expires="╳", dead="·", cut="…")
ASCII: Final = Signs(lives="=", both="#", rotates="R", expires="X", dead=".", cut="~")


@dataclass(frozen=True, slots=True)
class Life:
    """One credential of the picture, all times in unix seconds; `made` says whether it has a token now."""

    name: str
    made: bool
    expires: float | None
    rotates: Sequence[tuple[float, float | None]]

    def unsaved(self, until: float) -> bool:
        """Whether its value expires within the picture and no rotation begins before."""
        if self.expires is None or self.expires > until:
            return False
        return not any(at < self.expires for at, _ in self.rotates)

    def first(self) -> float:
        """When the first thing happens to it."""
        times = [at for at, _ in self.rotates]
        return min(times if self.expires is None else [*times, self.expires])


def timeline(document: Document, width: int | None, signs: Signs = UNICODE) -> list[Line]:
    """Return the picture; nothing where nothing rotates or expires within the days of the document.

    What expires with no rotation before it stands first, the rest in the order of time.

    Args:
        document: of `plan -o json`.
        width: columns of the terminal, None where there is none.
        signs: what the bars are made of.
    """
    now = drawn_at(document)
    until = now + document["days"] * DAY
    found = [one for one in _lives(document) if one.rotates or one.unsaved(until)]
    if not found or until <= now:
        return []
    found.sort(key=lambda one: (not one.unsaved(until), one.first(), one.name))
    shown = found[:LONGEST]
    room = (BAR + 40 if width is None else width) - GAP
    names = max(len(printable(one.name)) for one in shown)
    cells = max(SHORTEST, min(BAR, room - names))
    names = min(names, max(room - cells, 1))
    lines = [text(""), _axis(document["days"], names, cells)]
    for one in shown:
        name = _shortened(printable(one.name), names, signs)
        lines.append((Span(name.ljust(names + GAP)), *_bar(one, now, until, cells, signs)))
    if len(found) > len(shown):
        lines.append(text(f"and {len(found) - len(shown)} more; -o json lists them all", "quiet"))
    legend = f"{signs.lives} lives, {signs.rotates} rotates, {signs.both} old and new both live, "
    legend += f"{signs.expires} expires and nothing rotates it before, {signs.dead} dead"
    return [*lines, *wrapped(Span(legend, "quiet"), width)]


def _lives(document: Document) -> list[Life]:
    rotates: dict[str, list[tuple[float, float | None]]] = defaultdict(list)
    for row in document["rotations"]:
        rotates[row["credential"]].append((moment(row["time"]) or 0.0, moment(row["retired_at"])))
    return [
        Life(one["credential"], bool(one["token_id"]), moment(one["expires_on"]), rotates.get(one["credential"], ()))
        for one in document["lives"]
    ]


def _axis(days: float, names: int, cells: int) -> Line:
    """Where now, the middle and the end of the bars are."""
    middle, end = f"in {human(days * DAY / 2)}", f"in {human(days * DAY)}"
    half = cells // 2
    ruler = "now".ljust(half) + middle if half >= 3 + GAP and half + len(middle) + len(end) < cells else "now"
    return (Span(" " * (names + GAP)), Span(ruler.ljust(cells - len(end)) + end, "title"))


def _shortened(name: str, most: int, signs: Signs) -> str:
    if len(name) <= most:
        return name
    head = (most - 1) // 2
    return name[:head] + signs.cut + name[len(name) - (most - 1 - head) :]


def _bar(one: Life, now: float, until: float, cells: int, signs: Signs) -> list[Span]:
    """The cells of one credential; of what falls into one cell, what matters most wins."""

    def cell(at: float) -> int:
        return max(0, min(cells - 1, int((at - now) / (until - now) * cells)))

    first = min((at for at, _ in one.rotates), default=None)
    bar = [(signs.lives, "good")] * cells
    if not one.made and first is not None:
        bar[: cell(first)] = [(" ", "")] * cell(first)  # nothing lives before the first value is made
    for at, retired in one.rotates:
        if retired is not None:
            for place in range(cell(at), cell(min(retired, until)) + 1):
                bar[place] = (signs.both, "good")
    for at, _ in one.rotates:
        bar[cell(at)] = (signs.rotates, "busy")
    if one.unsaved(until) and one.expires is not None:
        reborn = cell(first) if first is not None else cells
        for place in range(cell(one.expires), reborn):
            bar[place] = (signs.dead, "bad")
        bar[cell(one.expires)] = (signs.expires, "bad")
    return [Span(sign, style) for sign, style in bar]
