"""Which crash points stand around the commit of which kind of fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rotator.core.facts import Kind

_WORDS: Final[Mapping[Kind, str]] = {
    Kind.PLANNED: "plan",
    Kind.CAPTURED: "capture",
    Kind.RETIRED: "done",
    **{
        kind: kind.value
        for kind in (
            Kind.INTENT,
            Kind.ABANDONED,
            Kind.VERIFIED,
            Kind.PUBLISHING,
            Kind.CONFIRMED,
            Kind.DONE,
            Kind.EXTENDED,
            Kind.PUBLISH_INTENT,
            Kind.WRITTEN,
            Kind.READ_BACK,
            Kind.RETIREMENT,
            Kind.SUPERSEDED,
            Kind.CONDEMNED,
            Kind.DISABLED,
            Kind.DELETED,
            Kind.BASELINE,
        )
    },
}


def around(kind: Kind) -> tuple[str, str]:
    """Return the points before and after the commit of such a fact; kinds without their own share a pair."""
    word = _WORDS.get(kind, "fact")
    return f"before_{word}_commit", f"after_{word}_commit"
