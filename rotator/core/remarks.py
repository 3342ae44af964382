"""What is said of a credential of the `status` document: which is worse, and what is wrong, line by line.

The terminal and the page draw the same remarks. Pure: a document and a time in, words out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from rotator.core.times import both, moment, relative

Document = Mapping[str, Any]


class Remark(NamedTuple):
    """One thing that is said; `style` is `bad`, `warn` or empty."""

    text: str
    style: str = ""


STATES: Final[Mapping[str, str]] = {
    "needs_operator": "bad",
    "failing": "bad",
    "paused": "warn",
    "uninitialized": "warn",
    "rotating": "busy",
    "idle": "good",
    "unmanaged": "quiet",
}
"""State of a credential -> style; the worst first."""

QUIET: Final = frozenset({"idle", "uninitialized"})
"""States that explain themselves."""

HIDDEN: Final = frozenset({"idle", "unmanaged"})
"""States of which nothing needs to be shown where there are too many credentials."""


def rank(credential: Document, now: float) -> tuple[int, float, str]:
    """Where a credential stands: the worst state first, within a state the soonest to expire."""
    order = list(STATES)
    state = str(credential["state"])
    worst = order.index(state) if state in order else len(order)
    if state == "idle" and not calm(credential, now):
        worst = order.index("rotating")
    return worst, moment(credential["expires_on"]) or float("inf"), str(credential["name"])


def calm(credential: Document, now: float) -> bool:
    """Whether there is nothing to say of it."""
    return credential["state"] in HIDDEN and not remarks(credential, now)


def remarks(credential: Document, now: float) -> list[Remark]:
    """What is wrong with a credential and what to do, the most urgent first; nothing of one that is fresh."""
    notes = []
    needs = credential["needs_operator"]
    if needs:
        notes.append(Remark(needs["message"], "bad"))
        notes.append(Remark("do: " + named(needs["remedy"], credential["name"])))
    elif credential["paused"]:
        notes.append(Remark(f"paused {paused(credential['paused'], now)}", "warn"))
    elif credential["state"] not in QUIET or _restless(credential, now):
        notes.append(Remark(credential["message"], "bad" if credential["state"] == "failing" else ""))
    if request := credential.get("request"):
        notes.append(Remark(f"rotation requested {requested(request, now)}"))
    if drift := credential.get("drift"):
        notes.append(Remark(f"{drifted(drift)}: {', '.join(one['message'] for one in drift['differences'])}", "warn"))
        notes += [Remark(f"do: {drift['remedy']}")] if drift.get("remedy") else []
    if (leak := credential.get("revoked")) and leak["unfinished"]:
        notes.append(Remark(f"revoked {relative(leak['at'], now)} by {leak['by']}: its tokens are being ended", "bad"))
    if not needs:
        notes += trouble_of(credential, credential["message"])
    if credential["next_attempt"] and not needs:
        notes.append(Remark(f"next attempt {relative(credential['next_attempt'], now)}"))
    for target in credential["targets"]:
        notes += trouble_of(target, credential["message"])
        notes += follows(target)
    for retirement in credential["retirements"]:
        if retirement["blocked"] and retirement["blocked"] not in ("grace", "soak"):
            notes.append(Remark(f"retirement of {retirement['token_id'][:8]}… is held: {blocked(retirement, now)}"))
            notes += trouble_of(retirement)
    return notes


def drifted(drift: Document) -> str:
    """Who changed what, and what is done about it."""
    who = "the configuration asks for another token" if drift["by"] == "configuration" else "changed at the provider"
    does = {"update": "it is updated in place", "rotate": "it is rotated", "keep": "it is taken as it is"}
    return who + (f" ({does[drift['fix']]})" if drift["fix"] in does else "")


def trouble_of(subject: Document, said: str = "") -> list[Remark]:
    """What is wrong with a target, a retirement or the rotation, unless that was said already, and what to do."""
    accepted = subject.get("accepted")
    notes = [Remark(f"{subject['name']}: {_accepted(accepted)}", "warn")] if accepted else []
    if ends := subject.get("ends"):
        notes.append(Remark(f"{subject['name']} will delete what stands there at {_moment(ends)}", "warn"))
    problem = subject.get("problem")
    if not problem:
        return notes
    name = f"{subject['name']}: " if "in_sync" in subject else ""
    notes += [] if problem["message"] in said else [Remark(f"{name}{problem['message']}", "bad")]
    return notes + ([Remark(f"do: {problem['remedy']}")] if problem["remedy"] else [])


def follows(target: Document) -> list[Remark]:
    """What follows a publication and failed."""
    hooks = target.get("after_publish")
    if not hooks or hooks["state"] != "failing":
        return []
    notes = [Remark(f"{target['name']}: after_publish failed and is tried again: {hooks['message']}", "warn")]
    return notes + ([Remark(f"do: {hooks['remedy']}")] if hooks["remedy"] else [])


def _accepted(accepted: Document) -> str:
    at = _moment(accepted["at"])
    return f"a value that is not ours stands there, accepted by {accepted['by']} at {at}; `resolve --undo` ends that"


def _moment(at: object) -> str:
    return str(at or "-").replace("T", " ").replace("Z", " UTC")


def requested(request: Document, now: float) -> str:
    """When a rotation was asked for, by whom and why."""
    reason = f": {request['reason']}" if request["reason"] else ""
    return f"{relative(request['at'], now)} by {request['by']}{reason}"


def _restless(credential: Document, now: float) -> bool:
    """Whether an idle credential has something to say: it is due, or a target is not in sync."""
    due = (moment(credential["next_rotation"]) or float("inf")) <= now
    strayed = any(target["in_sync"] is False for target in credential["targets"])
    return credential["state"] == "idle" and (due or strayed)


def named(remedy: str, name: str) -> str:
    """A remedy for one credential."""
    return remedy.replace("NAME", name)


def blocked(retirement: Document, now: float) -> str:
    """What holds a retirement up."""
    why = str(retirement["blocked"])
    if why == "still_used":
        return f"still_used, last used {relative(retirement['last_used_on'], now, 'at an unknown time')}"
    return f"{why}: {retirement['message']}" if retirement.get("message") else why


def paused(pause: Document, now: float) -> str:
    """Until when somebody paused a credential, who and why."""
    until = f"until {both(pause['until'], now)}" if pause["until"] else "until `rotator resume`"
    by = f", by {pause['actor']}" if pause.get("actor") else ""
    return until + by + (f": {pause['reason']}" if pause["reason"] else "")
