"""Facts in words: what a kind of fact says in one sentence, and the details that people want. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rotator.core.facts import Kind
from rotator.web.page.board import Document

WORDS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.PLANNED: ("a rotation is planned, its terms are frozen", "busy"),
    Kind.INTENT: ("a token is about to be asked for", "busy"),
    Kind.CAPTURED: ("the value was captured and sealed", "busy"),
    Kind.ABANDONED: ("an attempt was given up; its answer was lost", "warn"),
    Kind.VERIFIED: ("the provider accepts the new value", "busy"),
    Kind.PUBLISHING: ("publishing begins", "busy"),
    Kind.CONFIRMED: ("the new value stands at every required target", "good"),
    Kind.DONE: ("the rotation is over", "good"),
    Kind.DISPLACED: ("the rotation was closed for a fresh one", "warn"),
    Kind.EXTENDED: ("the token's end was moved", ""),
    Kind.FAILED: ("a try failed", "bad"),
    Kind.PUBLISH_INTENT: ("a target is about to be written", ""),
    Kind.WRITTEN: ("a target was written", ""),
    Kind.READ_BACK: ("the target was read back, and its value is accepted", ""),
    Kind.UNWRITTEN: ("a write did not take place", "warn"),
    Kind.HOOKED: ("what follows a publication was done", ""),
    Kind.RETIREMENT: ("the old token is to be retired", ""),
    Kind.SUPERSEDED: ("the old token is replaced and drained", ""),
    Kind.CONDEMNED: ("a token that was never published is to go", "warn"),
    Kind.DISABLED: ("the old token was disabled", ""),
    Kind.DELETED: ("the old token was deleted", ""),
    Kind.RETIRED: ("its retirement is over, its key destroyed", "good"),
    Kind.BASELINE: ("what stood at a target at first sight was noted", ""),
    Kind.SEEN: ("something was seen outside", ""),
    Kind.KNOWN: ("a value at a target is known", ""),
    Kind.ADOPTED: ("a token that exists was taken over", "good"),
    Kind.OVERRIDDEN: ("somebody else changed the managed key", "bad"),
    Kind.OVERRIDE_ENDED: ("the managed key holds our value again", "good"),
    Kind.TARGET_RELEASED: ("a target left the configuration", ""),
    Kind.TARGET_ADDED: ("a target came into the configuration", ""),
    Kind.HELD: ("a value of another credential stands here", "warn"),
    Kind.AHEAD: ("something outside is ahead of the journal", "warn"),
    Kind.COMPARED: ("the token was compared with what is configured", ""),
    Kind.UPDATING: ("the living token is about to be changed", "busy"),
    Kind.UPDATED: ("the living token was changed", "good"),
    Kind.KEPT: ("the token is taken as it is", ""),
    Kind.MEMBER: ("a management token belongs to this pair", ""),
    Kind.EXTENDING: ("a management token's end is about to be moved", "busy"),
    Kind.PROLONGED: ("a management token's end was moved", "good"),
    Kind.ROLLING: ("a management token is about to get a new value", "busy"),
    Kind.PLACED: ("a management token's new value stands in its place", "good"),
    Kind.UNKEPT: ("keeping a management token alive failed", "bad"),
    Kind.CONFIGURED: ("the configuration changed", ""),
    Kind.REQUEST: ("somebody asked for a rotation", "person"),
    Kind.REVOKED: ("its tokens were marked as leaked; nothing so marked is published again", "bad"),
    Kind.PAUSED: ("paused", "person"),
    Kind.RESUMED: ("resumed", "person"),
    Kind.RESOLVED: ("a person decided", "person"),
    Kind.ACK: ("a consumer says which generation it uses", "person"),
    Kind.FORGOTTEN: ("what the journal kept of it was ended", "person"),
    Kind.UNKNOWN: ("a fact of a newer version", "warn"),
}
"""Kind of fact -> what it says, and its style; a kind that is missing is shown by its own word."""

LEFT_OUT: Final = frozenset(
    {"token_name", "attempt_name", "born", "version", "digest", "required", "targets", "nonce", "request_id", "reason"}
)
"""Details that people are not shown, or are shown elsewhere; the document has them all."""

SHORT: Final = frozenset({"token_id", "old", "adopt"})
"""Details that are ids: eight digits are enough for people."""


def told(fact: Document) -> dict[str, Any]:
    """Return one fact as the timeline shows it: time, words, style, who, and pairs of detail."""
    kind = str(fact["kind"])
    known = next((found for found in Kind if found == kind), None)
    words, style = WORDS.get(known, (kind.replace("_", " "), "")) if known else (kind.replace("_", " "), "")
    detail: Mapping[str, Any] = fact["detail"]
    return {
        "time": fact["time"],
        "credential": fact["credential"],
        "kind": kind,
        "words": words,
        "style": style,
        "actor": fact["actor"],
        "rotation": str(fact["rotation"] or "")[:8],
        "reason": str(detail.get("reason") or ""),
        "detail": [(key.replace("_", " "), _shown(key, value)) for key, value in detail.items() if _tells(key, value)],
    }


def _tells(key: str, value: object) -> bool:
    return value not in (None, "", 0, False) and value != [] and key not in LEFT_OUT


def _shown(key: str, value: object) -> str:
    if key in SHORT:
        return f"{str(value)[:8]}…"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "yes" if value is True else str(value)
