"""How the templates write times, lengths and names: filters and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from markupsafe import Markup, escape

from rotator.core.times import moment, relative

STATES: Final = {
    "needs_operator": "Needs a person",
    "failing": "Failing",
    "paused": "Paused",
    "uninitialized": "Not begun",
    "rotating": "Rotating",
    "idle": "Fresh",
    "unmanaged": "Unmanaged",
    "not_ready": "Not ready",
}
"""State -> how people read it; the word of the document stands beside it where it matters."""


def time(text: object, now: float, none: str = "–") -> Markup:
    """Return an RFC 3339 time as people read it, with the exact one for machines and whoever points at it."""
    if moment(text) is None:
        return escape(none)
    exact = str(text)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, exactly(exact), relative(text, now))


def exactly(text: object) -> str:
    """Return an RFC 3339 time with its date and its clock."""
    return str(text or "").replace("T", " ").replace("Z", " UTC")


def state(word: object) -> str:
    """Return a state as people read it; one that is not known by its own word."""
    return STATES.get(str(word), str(word).replace("_", " ").capitalize())


def path(name: object) -> str:
    """Return the address of a credential."""
    return f"/credentials/{quote(str(name), safe='')}"


def short(token_id: object) -> str:
    """Return the first digits of an id, enough for people."""
    found = str(token_id or "")
    return f"{found[:8]}…" if len(found) > 9 else found or "–"


def code(text: object) -> Markup:
    """Return a sentence in which what stands between backticks is code."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:  # one is not closed
        return escape(text)
    made = [Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)]
    return Markup("").join(made)


def hidden(fields: Mapping[str, str]) -> Markup:
    """Return the hidden fields of a form."""
    made = Markup('<input type="hidden" name="{}" value="{}">')
    return Markup("").join(made.format(key, value) for key, value in fields.items())
