"""What the tests of keep share."""

from rotator.core.facts import Member
from tests.unit.core.pair_story import LIFE, PairStory

MANAGEMENT_DUE = LIFE * 2 / 3 + 10


def rolling_story(**policy: float) -> PairStory:
    """Both known, values durable, the end of neither near, the value of the management token due."""
    story = PairStory(rolls=True, **policy).known().later(MANAGEMENT_DUE)
    story.sees("a", expires_at=story.at + LIFE).sees("b", expires_at=story.at + LIFE / 2)
    return story.tell(
        Member(
            token_id="b",
            expires_at=story.at + LIFE / 2,
            fingerprint="vb2",
            role="standby",
            life=LIFE,
            durable=True,
        )
    ).sees("b", fingerprint="vb2")


def member(token: str, role: str = "management") -> Member:
    return Member(token_id=token, fingerprint=f"v{token}", role=role)
