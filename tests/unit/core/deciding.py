"""What the tests of agenda share."""

from rotator.core.credential import DAY
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Do, Result, Sight
from rotator.core.schedule.agenda import Step
from tests.unit.core.story import LIFE, Story, acts, credential

K, S, R = Kind, Sight, Result


HEALTHY = ((S.STANDS, "env", R.CURRENT), (S.STANDS, "vault", R.CURRENT))


def asked(step: Step) -> list[tuple[str, str]]:
    return acts(Do(step.actions))


def due(story: Story) -> Story:
    return story.later(LIFE - 20 * DAY)


def occupied(*names: str, **more: object) -> Story:
    story = Story(credential(**more))
    for name in names:
        story.tell(K.OVERRIDDEN, target=name, fingerprint="x")
    return story.seen_first()
