"""What a channel has before it, as text that the journal keeps beside the positions of its cursor."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rotator.config.notify import Topic
from rotator.notify.decide import Message, Notice, Standing, Trouble, Waiting


def encode(standing: Standing) -> str:
    """Return the text; never empty, so that a channel that was never served is told from one with nothing to say."""
    return json.dumps(asdict(standing), sort_keys=True, separators=(",", ":"))


def decode(kept: str) -> Standing:
    """Read what `encode` wrote; nothing stands before a channel that keeps nothing.

    A topic that this version does not know is left out.
    """
    found = json.loads(kept) if kept else {}
    troubles = [
        Trouble(**{**one, "notice": _notice(one["notice"])}) for one in _known(found.get("troubles", {}).values())
    ]
    waiting = [Waiting(**{**one, "notice": _notice(one["notice"])}) for one in _known(found.get("waiting", ()))]
    return Standing(
        troubles={one.notice.key: one for one in troubles},
        waiting=tuple(waiting),
        outbox=tuple(_message(one) for one in found.get("outbox", ()) if _is_topic(one["topic"])),
        made=tuple(found.get("made", ())),
    )


def _known(entries: Any) -> list[dict[str, Any]]:
    return [one for one in entries if _is_topic(one["notice"]["topic"])]


def _is_topic(word: str) -> bool:
    return Topic.of(word) is not None


def _notice(found: dict[str, Any]) -> Notice:
    return Notice(**{**found, "topic": Topic[found["topic"].upper()]})


def _message(found: dict[str, Any]) -> Message:
    notices = tuple(_notice(one) for one in found["notices"])
    return Message(**{**found, "topic": Topic[found["topic"].upper()], "notices": notices})
