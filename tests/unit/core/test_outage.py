"""How long a roll leaves each target without a living value: measured from facts, target by target."""

from rotator.core.credential import Policy, Strategy, TargetRef
from rotator.core.facts import Kind
from rotator.core.protocol.target_view import UNSEEN
from rotator.core.status import credential_status
from tests.unit.core.story import Story, credential, published

K = Kind
ROLL = Policy(strategy=Strategy.ROLL, outage_budget=90.0)


def rolled() -> Story:
    """The roll was sent 2 s ago, and its answer is durable."""
    story = published(policy=ROLL).later(3600)
    return story.planned(Strategy.ROLL).intent().later(2).captured()


def publishing() -> Story:
    return rolled().verified().publishing()


def optional_left_out() -> Story:
    """The roll is over; the target `vault`, which is optional, could not be written."""
    required = TargetRef(name="env", type="fake", place="env")
    optional = TargetRef(name="vault", type="fake", place="vault", required=False)
    story = published(policy=ROLL, targets=(required, optional)).later(3600)
    story.planned(Strategy.ROLL).intent().later(2).captured().verified().publishing()
    return story.written("env").read_back("env").confirmed().tell(K.DONE)


def outages(story: Story) -> dict[str, float]:
    return {one.name: one.outage for one in credential_status(story.credential, story.view, story.at).targets}


def test_without_a_roll_no_target_has_an_outage():
    assert outages(published().later(9).rotated()) == {"env": 0.0, "vault": 0.0}
    assert UNSEEN.outage_by(9.0) == 0.0


def test_it_begins_when_the_roll_was_sent_and_grows_while_it_lasts():
    assert outages(rolled()) == {"env": 2.0, "vault": 2.0}
    assert outages(rolled().later(5)) == {"env": 7.0, "vault": 7.0}


def test_it_ends_at_each_target_when_the_new_value_was_read_back_there():
    story = publishing().written().later(1).read_back("env").later(30)

    assert outages(story) == {"env": 3.0, "vault": 33.0}
    assert outages(story.read_back("vault").confirmed().later(500)) == {"env": 3.0, "vault": 33.0}


def test_what_a_fact_says_was_measured_is_believed():
    story = publishing().written().later(1).of_rotation(K.READ_BACK, target="env", detail={"outage": 2.5})

    assert outages(story)["env"] == 2.5


def test_a_lost_answer_belongs_to_it():
    story = published(policy=ROLL).later(3600)
    story.planned(Strategy.ROLL).intent().later(61).intent().later(2).captured().verified().publishing()
    story.written().read_back()

    assert outages(story) == {"env": 63.0, "vault": 63.0}


def test_a_lost_answer_that_is_found_among_the_captured_values_ends_the_old_one_all_the_same():
    story = published(policy=ROLL).later(3600)
    story.planned(Strategy.ROLL).intent().later(70).of_rotation(K.VERIFIED, fingerprint="v2")

    assert outages(story) == {"env": 70.0, "vault": 70.0}


def test_a_refused_roll_ended_nothing():
    story = published(policy=ROLL).later(3600)
    story.planned(Strategy.ROLL).intent()
    story.failed("mint", token_name=story.view.opened.attempt_name, attempt=1)

    assert outages(story.later(50)) == {"env": 0.0, "vault": 0.0}


def test_an_optional_target_that_is_healed_after_the_roll_was_dead_until_then():
    story = optional_left_out().later(600).planned(Strategy.REPUBLISH).verified().publishing()
    assert outages(story)["vault"] == 602.0

    story.written().read_back().confirmed()
    assert outages(story.later(500)) == {"env": 2.0, "vault": 602.0}


def test_a_person_who_brings_the_living_value_there_ends_it():
    story = optional_left_out().later(100)
    story.tell(K.SEEN, target="vault", token_id="t1", fingerprint=story.view.fingerprint)

    assert outages(story.later(500)) == {"env": 2.0, "vault": 102.0}


def test_seeing_the_old_value_there_ends_nothing():
    story = publishing().tell(K.SEEN, target="vault", token_id="t1", fingerprint="v1").later(8)

    assert outages(story)["vault"] == 10.0


def test_a_roll_that_had_to_be_repeated_counts_from_the_first_one():
    story = publishing().written().read_back().confirmed().later(20)
    story.intent().later(2).captured().verified().publishing().written().read_back()

    assert outages(story) == {"env": 24.0, "vault": 24.0}


def test_a_target_that_held_nothing_of_the_rolled_token_has_none():
    refs = (TargetRef(name="env", type="fake", place="env"), TargetRef(name="late", type="fake", place="late"))
    story = published(policy=ROLL, targets=("env",)).later(3600)
    story.credential = credential(policy=ROLL, targets=refs)
    story.planned(Strategy.ROLL).intent().later(2).captured()

    assert outages(story) == {"env": 2.0, "late": 0.0}


def test_somebody_elses_value_at_a_target_is_no_outage_of_a_roll():
    story = publishing().tell(K.OVERRIDDEN, target="env", fingerprint="x").later(70)

    assert outages(story) == {"env": 0.0, "vault": 72.0}
