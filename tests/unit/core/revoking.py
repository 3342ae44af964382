"""What the tests of revoke share."""

from __future__ import annotations

from typing import Any

from rotator.core.facts import Kind
from rotator.core.protocol.decide import decide_retirements
from rotator.core.protocol.rules import Result, Sight
from tests.unit.core.story import Story, published

K, S, R = Kind, Sight, Result


SEEN = ((S.STANDS, "env", R.CURRENT), (S.STANDS, "vault", R.CURRENT), (S.ALIVE, "v1", R.GOOD))


def revoke(story: Story, *tokens: str, **more: Any) -> Story:
    """An operator revokes: the current token, or these."""
    named = list(tokens) or [story.view.current]
    detail = {"tokens": named, "request_id": "q1", "policy": story.credential.policy.to_json(), **more}
    return story.tell(K.REVOKED, detail=detail, actor="ops")


def leaked(**more: Any) -> Story:
    """Token t1 is published and was revoked just now."""
    return revoke(published(**more))


def end_of(story: Story, token: str = "t1", **more: Any) -> Any:
    """What the end of a leaked token wants."""
    return decide_retirements(story.case(**more), revoked=True)[token]


def succeeding(story: Story) -> Story:
    """Its successor t2 is being published; nothing is written yet."""
    return story.planned().minted().verified().publishing()
