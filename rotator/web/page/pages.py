"""Each page out of what it shows. Pure: documents, a filter and a time in, HTML out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from rotator.core.choices import CHOICES
from rotator.core.durations import human
from rotator.core.reasons import OperatorCode
from rotator.core.remarks import Remark, follows, remarks, trouble_of
from rotator.core.times import moment, relative
from rotator.web.page.board import Document, Told
from rotator.web.page.fleet import SORTS, Filter, labels_of, shown
from rotator.web.page.horizon import NAMED, Lane, horizon
from rotator.web.page.looks import Look
from rotator.web.page.render import page
from rotator.web.page.timeline import told

Form = Callable[[str], Mapping[str, str] | None]
"""An act -> the hidden fields of its form, None where the user may not."""

TOKENS: Final = 100
"""Tokens on one page of discover."""

LEVELS: Final = ("fail", "warn", "info")


def nobody_may(act: str) -> None:
    """Return the forms of somebody who may do nothing."""


# --------------------------------------------------------------------------------------------------------------- fleet
def fleet_page(look: Look, wanted: Filter, user: str | None) -> str:
    """Return the fleet, the worst first, with the picture of what ends when."""
    found = shown(look.worst_first, wanted)
    text, mood = headline(look)
    picture = horizon(found.every, look.now)
    thick = 6 if picture and len(picture.lanes) <= 120 else 3
    return page(
        "fleet.html",
        here="/",
        look=look,
        user=user,
        headline=text,
        mood=mood,
        wanted=wanted,
        shown=found,
        sorts=SORTS,
        labels=labels_of(look.worst_first),
        picture=picture,
        thick=thick,
        gap=1 if thick > 3 else 0.5,
        most_named=NAMED,
        horizon_words=horizon_words(look.now),
        connections_wrong=[
            one for one in look.document["connections"] if one.get("problem") or one["reachable"] is False
        ],
    )


def headline(look: Look) -> tuple[str, str]:
    """Return how the fleet is in one sentence, and the mood of it: bad, warn, good or quiet."""
    states = Counter(str(one["state"]) for one in look.worst_first)
    number = len(look.worst_first)
    if not number:
        return "Nothing is kept fresh yet", "quiet"
    behind = sum(not one["ready"] for one in look.worst_first if one["state"] != "unmanaged")
    parts = []
    if people := states["needs_operator"]:
        parts.append(f"{people} need{'s' * (people == 1)} a person")
    if failing := states["failing"]:
        parts.append(f"{failing} {'is' if failing == 1 else 'are'} failing")
    if not parts and behind:
        parts.append(f"{behind} {'is' if behind == 1 else 'are'} not ready")
    if parts:
        # What only waits for its first publication is no trouble yet.
        early = not people and not failing and behind <= states["uninitialized"] + states["rotating"]
        return f"{' and '.join(parts)} of {number}", "warn" if early else "bad"
    return ("The credential is ready" if number == 1 else f"All {number} are ready"), "good"


def horizon_words(now: float) -> Callable[[Lane], str]:
    """Return what says a lane in words, for whoever does not see it."""

    def words(lane: Lane) -> str:
        ends = "never ends" if lane.endless else f"ends {relative(lane.ends, now)}"
        return f"rotates {relative(lane.rotates, now)}, {ends}" if lane.rotates else ends

    return words


# ---------------------------------------------------------------------------------------------------------- credential
def credential_page(
    look: Look, one: Document, facts: Told, user: str | None, form: Form = nobody_may, done: str = ""
) -> str:
    """Return everything about one credential.

    Args:
        look: at the fleet.
        one: the credential.
        facts: its facts.
        user: who looks.
        form: the forms of its acts.
        done: what was done just now, in words.
    """
    name = str(one["name"])
    needs = one["needs_operator"]
    known = OperatorCode.of(needs["code"]) if needs else None
    choices = CHOICES.get(known) if known else None
    notes = [] if needs else remarks(one, look.now)
    return page(
        "credential.html",
        here="/credentials",
        look=look,
        now=_after(facts, look.now),
        user=user,
        one=one,
        done=done,
        notes=[note for note in notes if note.text != one["message"]],
        picture=horizon([one], look.now),
        horizon_words=horizon_words(look.now),
        choices=[("retry", choices.retry), ("accept", choices.accept), ("abandon", choices.abandon)] if choices else [],
        form=form,
        acts=any(form(act) for act in ("rotate", "pause", "resume", "revoke")),
        target_notes=_target_notes,
        label_address=lambda key, value: Filter().address(label=(f"{key}={value}",)),
        facts=[told(fact) for fact in facts.facts],
        older_address=f"/history?{urlencode({'name': name, 'before': facts.older})}" if facts.older else "",
        of_one=True,
    )


def _after(facts: Told, now: float) -> float:
    """A time before which all of these facts were: they may be newer than the look, or by the clock of a provider."""
    return max([now, *(moment(fact["time"]) or 0.0 for fact in facts.facts)])


def _target_notes(target: Document) -> list[Remark]:
    return [*trouble_of(target), *follows(target)]


# -------------------------------------------------------------------------------------------------- history, discover
def history_page(facts: Told, now: float, user: str | None, *, name: str, people: bool, before: int | None) -> str:
    """Return what happened, the newest first."""
    query = {"name": name, "people": "1" if people else "", "before": facts.older}
    return page(
        "history.html",
        here="/history",
        look=None,
        now=_after(facts, now),
        user=user,
        name=name,
        people=people,
        before=before,
        facts=[told(fact) for fact in facts.facts],
        of_one=False,
        older_address="/history?" + urlencode({k: v for k, v in query.items() if v}) if facts.older else "",
    )


def discover_page(
    document: Document | None,
    now: float,
    user: str | None,
    *,
    level: str = "",
    number: int = 1,
    keeps: float = 0.0,
    problem: str = "",
    remedy: str = "",
) -> str:
    """Return every token that the providers list, the worst first; without a document that they are being asked."""
    tokens = sorted((document or {}).get("tokens", ()), key=lambda one: (_worst(one), str(one["name"])))
    counts = Counter(LEVELS[_worst(one)] for one in tokens if _worst(one) < len(LEVELS))
    fit = [one for one in tokens if not level or _worst(one) == LEVELS.index(level)]
    pages = max(-(-len(fit) // TOKENS), 1)
    number = min(max(number, 1), pages)
    return page(
        "discover.html",
        here="/discover",
        look=None,
        now=now,
        user=user,
        document=document,
        waiting=document is None and not problem,
        problem=problem,
        remedy=remedy,
        keeps=human(keeps),
        level=level,
        levels={word: counts[word] for word in LEVELS if counts[word]},
        tokens=fit[(number - 1) * TOKENS : number * TOKENS],
        page=number,
        pages=pages,
        page_address=lambda n: "/discover?" + urlencode({k: v for k, v in (("level", level), ("page", n)) if v}),
    )


def _worst(token: Mapping[str, Any]) -> int:
    found = {str(one["level"]) for one in token["findings"]}
    return next((number for number, level in enumerate(LEVELS) if level in found), len(LEVELS))


def problem_page(title: str, message: str, user: str | None = None, back: str = "") -> str:
    """Return why there is no answer."""
    return page("problem.html", here="", look=None, user=user, title=title, message=message, back=back)
