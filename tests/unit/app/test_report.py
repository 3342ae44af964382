"""The evidence of a period: what the facts of one credential say to an auditor."""

from rotator.app.report import report
from rotator.core.credential import DAY
from rotator.core.facts import Fact, Kind
from rotator.core.instants import rfc3339
from tests.unit.core.story import START, Story, credential

K = Kind


class Told(Story):
    """A story whose facts are kept."""

    def __init__(self):
        super().__init__(credential())
        self.facts = []

    def tell(self, kind, **fields):
        draft = self.draft(kind, **fields)
        given = {name: getattr(draft, name) for name in ("what", "at", "rid", "actor")}
        at = len(self.facts) + 1
        self.facts.append(Fact(**given, fact_id=f"f{at}", stream="c", position=at, epoch=1, writer="w"))
        return super().tell(kind, **fields)

    def report(self, since=START, until=START + 1000 * DAY):
        return report("deploy", self.facts, since, until)


def published():
    return Told().seen_first().rotated()


def only(story, **period):
    (rotation,) = story.report(**period)["rotations"]
    return rotation


def test_a_rotation_says_when_it_began_and_how_long_it_took():
    story = Told().seen_first().planned().later(30).minted().verified().publishing().written().later(12)
    rotation = only(story.read_back().confirmed())

    assert (rotation["began_at"], rotation["confirmed_at"]) == (rfc3339(START), rfc3339(START + 42))
    assert (rotation["seconds"], rotation["outcome"], rotation["generation"]) == (42.0, "confirmed", 1)
    assert [one["verified_at"] for one in rotation["targets"]] == [rfc3339(START + 42)] * 2


def test_an_open_rotation_is_open_and_shows_what_failed():
    rotation = only(Told().seen_first().planned().failed("mint", why="refused").failed("mint", why="refused again"))

    assert (rotation["outcome"], rotation["seconds"]) == ("open", None)
    assert (rotation["failures"], rotation["last_failure"]) == (2, "refused again")


def test_a_rotation_that_was_given_up_says_why():
    story = Told().seen_first().planned().of_rotation(K.DISPLACED, detail={"why": "closed by an operator"})

    assert (only(story)["outcome"], only(story)["closed_why"]) == ("closed", "closed by an operator")


def test_the_end_of_the_old_token_stands_beside_the_rotation_that_replaced_it():
    story = published().later(DAY).rotated()
    story.later(DAY).tell(K.SUPERSEDED, token_id="t1").tell(K.DISABLED, token_id="t1")
    story.later(DAY).tell(K.DELETED, token_id="t1")

    assert story.report()["rotations"][1]["replaced"] == {
        "token_id": "t1",
        "disabled_at": rfc3339(START + 2 * DAY),
        "deleted_at": rfc3339(START + 3 * DAY),
    }


def test_a_rotation_belongs_to_every_period_in_which_it_was_open():
    story = Told().seen_first().planned().later(10 * DAY).minted().verified().publishing().written().read_back()
    story.confirmed()

    assert only(story, since=START + 5 * DAY, until=START + 6 * DAY)
    assert story.report(since=START + 11 * DAY)["rotations"] == []
    assert story.report(since=START - DAY, until=START)["rotations"] == []


def test_who_asked_stands_beside_the_rotation_and_among_the_acts():
    story = published().later(DAY)
    story.tell(K.REQUEST, actor="alice", detail={"request_id": "q", "reason": "left on a bus"})
    story.planned(request_id="q")

    rotation = story.report()["rotations"][1]
    assert (rotation["asked_by"], rotation["reason"]) == ("alice", "left on a bus")
    assert story.report()["acts"] == [
        {"time": rfc3339(START + DAY), "act": "request", "actor": "alice", "how": None, "reason": "left on a bus"}
    ]


def test_what_people_decided_says_how():
    story = published().tell(K.RESOLVED, actor="bob", detail={"how": "retry"})

    assert [(act["actor"], act["act"], act["how"]) for act in story.report()["acts"]] == [("bob", "resolved", "retry")]


def test_an_adopted_token_is_replaced_by_the_first_that_is_minted():
    story = Told().seen_first()
    detail = {"born": START, "ours": False}
    story.tell(K.ADOPTED, target="env", token_id="t0", fingerprint="v0", detail=detail).later(DAY).rotated()

    assert only(story)["replaced"]["token_id"] == "t0"
