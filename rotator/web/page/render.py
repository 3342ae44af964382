"""The templates: loaded once, every value escaped, a missing one an error. The only home of Jinja."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rotator import __version__
from rotator.core.reasons import Reason
from rotator.core.remarks import named, paused, remarks, requested
from rotator.web.page import words

if TYPE_CHECKING:
    from jinja2 import Environment

HERE: Final = Path(__file__).parent

TYPES: Final[Mapping[str, str]] = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""What is served beside the pages, all of it ours."""


@cache
def asset(name: str) -> bytes:
    """Return the bytes of one of `TYPES`."""
    return (HERE / "static" / name).read_bytes()


@cache
def asset_address(name: str) -> str:
    """Return its address, which changes with its content, so that browsers may keep it for ever."""
    return f"/static/{name}?v={hashlib.blake2b(asset(name), digest_size=6).hexdigest()}"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "asset": asset_address,
        "version": __version__,
        "time": words.time,
        "exactly": words.exactly,
        "state": words.state,
        "path": words.path,
        "short": words.short,
        "code": words.code,
        "named": named,
        "paused": paused,
        "requested": requested,
        "remarks": remarks,
        "reason": reason,
        "hidden": words.hidden,
    }
    made.filters["capitalize_first"] = lambda text: str(text)[:1].upper() + str(text)[1:]
    return made


def reason(word: object) -> str:
    """Return what a word of the closed list of reasons means; one that is not known by itself."""
    known = Reason.of(word)
    return known.text if known else str(word or "")


def page(template: str, **told: Any) -> str:
    """Return a page as HTML."""
    return _environment().get_template(template).render(told)
