"""Two management tokens that keep each other alive, by a process that dies around each effect: neither is ever lost."""

import pytest

from rotator.core.protocol.pair_view import Phase
from rotator.host.crashpoints import Point
from tests.crash.matrix import killed
from tests.installation import Installation, eventually

pytestmark = pytest.mark.slow

ROLES = ("management", "standby")
LIFE = 3600.0


@pytest.fixture
def place(tmp_path):
    """A connection with two tokens that live for an hour; the standby ends five minutes earlier, and both were seen."""
    made = Installation(tmp_path, advanced={"pair_gap": "1s"})
    made.file()
    connection = made.document["connections"]["cf"]
    connection |= {"standby_token": {"file": "tokens/account-standby"}, "keep": "roll"}
    made.write()
    now = made.world.clock.now()
    for role, life in (("management", LIFE), ("standby", LIFE - 300)):
        token_of(made, role).expires_on = now + life
    assert made.run("once", "--wait", "5s").code == 0
    yield made
    made.close()


def token_of(place, role):
    return place.world.tokens[place.world.roles[f"account-{role}"]]


def stands(place, role):
    return (place.folder / "tokens" / f"account-{role}").read_text()


def pair(place):
    journal = place.journal()
    try:
        (stream,) = journal.streams.pairs("cf")
        return {member.role: member for member in journal.view(stream).pair.values()}
    finally:
        journal.close()


def both_live(place):
    return all(place.accepts(stands(place, role)) for role in ROLES)


def at_rest(place):
    return both_live(place) and all(found.phase is Phase.KEPT for found in pair(place).values())


@pytest.mark.parametrize(
    "point",
    [
        Point.BEFORE_KEEP_EXTEND_SEND,
        Point.AFTER_KEEP_EXTEND_SEND,
        Point.BEFORE_KEEP_ROLL_SEND,
        Point.AFTER_KEEP_ROLL_SEND,
        Point.BEFORE_KEEP_WRITE,
        Point.AFTER_KEEP_WRITE,
    ],
)
def test_a_pair_survives_a_crash(place, point):
    before = {role: stands(place, role) for role in ROLES}
    ended = {role: token_of(place, role).expires_on for role in ROLES}
    place.advance(LIFE * 2 / 3 + 10)

    killed(place.run("once", crash=point), point)
    assert any(place.accepts(stands(place, role)) for role in ROLES)

    def recovered():
        place.run("once", "--wait", "5s")
        return at_rest(place) and all(stands(place, role) != before[role] for role in ROLES)

    eventually(recovered, 90)
    assert all(token_of(place, role).expires_on > ended[role] for role in ROLES)
    assert {pair(place)[role].token_id for role in ROLES} == {token_of(place, role).id for role in ROLES}
