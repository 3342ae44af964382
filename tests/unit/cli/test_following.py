"""A request is followed through the facts until the rotation that serves it is confirmed or done."""

import itertools

import pytest

from rotator.cli.following import Follower, Served
from rotator.core.credential import Policy, Strategy, Terms
from rotator.core.encoding import draft
from rotator.core.facts import Kind
from rotator.journal.records import placed

OLD, NEW, NEXT = "old" * 8, "new" * 8, "nxt" * 8


class Story:
    """Facts of one credential, told one after the other."""

    def __init__(self, request_id="r1"):
        self.follower = Follower(request_id)
        self._positions = itertools.count(1)

    def told(self, kind, rid="", token="", **more):
        detail = more.pop("detail", {})
        position = next(self._positions)
        self.follower.take(
            placed(
                draft(kind, at=1000.0 + position, rid=rid, token_id=token, detail=detail, **more),
                fact_id=str(position),
                stream="s",
                position=position,
                epoch=1,
                writer="w",
            )
        )
        return self

    def requested(self, request_id="r1"):
        return self.told(Kind.REQUEST, detail={"request_id": request_id})

    def planned(self, rid, strategy=Strategy.RECREATE, request_id=""):
        terms = Terms(policy=Policy(strategy=strategy), targets=frozenset({"t"}), required=frozenset({"t"}))
        token = self.follower.view.current if strategy is Strategy.ROLL else ""
        return self.told(Kind.PLANNED, rid, token, detail={**terms.to_json(), "request_id": request_id})

    def minted(self, rid, token):
        name = f"name-of-{token}"
        self.told(Kind.INTENT, rid, token_name=name, attempt=1)
        return self.told(Kind.CAPTURED, rid, token, token_name=name, fingerprint=f"f-{rid}", attempt=1)

    def published(self, rid, token, generation):
        return self.told(Kind.VERIFIED, rid).told(Kind.PUBLISHING, rid, token, generation=generation)

    def confirmed(self, rid, token, generation=1):
        return self.minted(rid, token).published(rid, token, generation).told(Kind.CONFIRMED, rid, token)

    def retired(self, token):
        for kind in (Kind.SUPERSEDED, Kind.DISABLED, Kind.DELETED, Kind.RETIRED):
            self.told(kind, token=token)
        return self

    @property
    def state(self):
        return self.follower.state


@pytest.fixture
def story():
    """A credential that has a current token."""
    return Story().planned("a").confirmed("a", OLD)


def test_a_request_that_no_rotation_serves_is_requested(story):
    assert story.requested().state is Served.REQUESTED
    assert story.follower.rotation_id is None


def test_a_rotation_that_was_planned_before_the_request_does_not_serve_it(story):
    story.planned("b").requested().confirmed("b", NEW, 2)
    assert story.state is Served.REQUESTED


def test_a_republish_does_not_serve_it(story):
    story.requested().planned("b", Strategy.REPUBLISH)
    assert story.state is Served.REQUESTED


def test_the_first_rotation_planned_after_it_serves_it(story):
    story.requested().planned("b", request_id="r1")
    assert (story.state, story.follower.rotation_id, story.follower.step) == (Served.ROTATING, "b", "planned")


def test_it_is_confirmed_with_its_rotation_while_the_old_token_retires(story):
    story.requested().planned("b", request_id="r1").confirmed("b", NEW, 2)
    assert (story.state, story.follower.step) == (Served.CONFIRMED, "")


def test_it_is_done_when_the_old_token_is_retired(story):
    story.requested().planned("b", request_id="r1").confirmed("b", NEW, 2).retired(OLD)
    assert story.state is Served.DONE


def test_a_first_creation_is_done_when_it_is_confirmed():
    assert Story().requested().planned("a", request_id="r1").confirmed("a", NEW).state is Served.DONE


def test_a_later_rotation_does_not_undo_what_is_done(story):
    story.requested().planned("b", request_id="r1").confirmed("b", NEW, 2).retired(OLD)
    assert story.planned("c").confirmed("c", NEXT, 3).state is Served.DONE
    assert story.follower.rotation_id == "b"


def test_a_retirement_that_was_open_before_is_not_waited_for(story):
    story.planned("b").confirmed("b", NEW, 2)  # the retirement of OLD is open
    story.requested().planned("c", request_id="r1").confirmed("c", NEXT, 3).retired(NEW)
    assert story.state is Served.DONE


def test_a_roll_is_confirmed_until_it_is_done(story):
    story.requested().planned("b", Strategy.ROLL, "r1").minted("b", OLD).published("b", OLD, 2)
    assert story.told(Kind.CONFIRMED, "b", OLD).state is Served.CONFIRMED
    assert story.told(Kind.DONE, "b").state is Served.DONE


def test_a_displaced_rotation_hands_the_request_on_to_its_successor(story):
    story.requested().planned("b", request_id="r1").told(Kind.DISPLACED, "b", detail={"dead": True})
    assert story.state is Served.ROTATING
    story.planned("c").confirmed("c", NEW, 2)
    assert (story.state, story.follower.rotation_id) == (Served.CONFIRMED, "c")


def test_a_rotation_that_an_operator_closed_is_the_end_of_it(story):
    story.requested().planned("b", request_id="r1").told(Kind.DISPLACED, "b", detail={"closed": True})
    assert story.state is Served.DISPLACED


def test_a_newer_request_is_served_by_the_same_rotation(story):
    story.requested().requested("r2").planned("b", request_id="r2").confirmed("b", NEW, 2)
    assert story.state is Served.CONFIRMED


def test_a_request_of_somebody_else_is_not_ours(story):
    story.requested("r2").planned("b", request_id="r2")
    assert story.state is Served.REQUESTED
