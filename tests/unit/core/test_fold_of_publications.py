"""Folding: from a verified value to its confirmation."""

from rotator.core.credential import Strategy
from rotator.core.facts import Kind
from tests.unit.core.story import LIFE, START, Story, credential, published

K = Kind


def test_verified_may_name_the_value_that_the_oracle_found():
    story = published().planned(Strategy.ROLL).intent()
    story.of_rotation(K.VERIFIED, fingerprint="v7")

    assert story.view.opened.fingerprint == "v7"
    assert story.view.opened.token_id == "t1"


def test_publishing_starts_a_new_generation_with_nothing_written():
    story = published().planned().minted().verified().publishing()

    assert story.view.generation == story.view.opened.generation == 2
    assert not story.view.opened.written


def test_a_publish_intent_holds_a_write_open_until_it_is_written():
    story = Story().planned().minted().verified().publishing()
    story.of_rotation(K.PUBLISH_INTENT, target="env", detail={"version": "7"})
    assert story.view.open_writes == {("env", "t1"): ("7",)}
    assert story.view.ever_published("t1")
    assert story.view.opened.published

    story.of_rotation(K.WRITTEN, target="env")
    assert story.view.open_writes == {}
    assert story.view.opened.written == {"env"}
    assert story.view.last["env"] == "t1"


def test_a_write_that_certainly_failed_is_open_no_more_and_an_earlier_one_still_is():
    story = Story().planned().minted().verified().publishing()
    for _ in range(2):  # the first writer was paused, and another process took over
        story.of_rotation(K.PUBLISH_INTENT, target="env", detail={"version": "7"})
    failed = {"act": "write", "why": "read-only"}

    story.of_rotation(K.FAILED, target="env", detail={**failed, "not_written": "7"})
    assert story.view.open_writes == {("env", "t1"): ("7",)}
    story.of_rotation(K.FAILED, target="env", detail=failed)
    assert story.view.open_writes, "the answer was lost"
    story.of_rotation(K.FAILED, target="env", detail={**failed, "not_written": "7"})
    assert story.view.open_writes == {}


def test_a_write_ends_the_back_off_of_its_target_alone():
    story = Story().planned().minted().verified().publishing().failed("write", "env").failed("write", "vault")

    assert set(story.written("env").view.opened.failures) == {("write", "vault")}


def test_reading_back_ends_its_back_off():
    story = Story().planned().minted().verified().publishing().written().failed("read_back", "env")
    story.read_back("env")

    assert story.view.opened.read_back == {"env"}
    assert not story.view.opened.failures


def test_a_target_that_lost_the_value_again_is_written_again():
    story = Story().planned().minted().verified().publishing().written().read_back("env")
    story.of_rotation(K.UNWRITTEN, target="env")

    assert story.view.opened.written == {"vault"}
    assert story.view.opened.read_back == frozenset()


def test_a_write_starts_the_grace_of_what_stood_there():
    story = published().planned().minted().verified().publishing().later(50).written("env")

    assert story.view.let_go == {"t1": story.at}
    story.later(50).written("vault")
    assert story.view.let_go == {"t1": story.at}, "grace counts from the last target that let go"


def test_a_write_also_starts_the_grace_of_the_token_that_it_found_there():
    story = Story().planned().minted().verified().publishing()
    story.of_rotation(K.WRITTEN, target="env", detail={"old": "t7"})

    assert story.view.let_go == {"t7": story.at}


def test_confirmed_makes_the_token_current_and_retires_the_old_one():
    story = published().rotated()

    assert story.view.current == "t2"
    assert story.view.fingerprint == "v2"
    assert set(story.view.retirements) == {"t1"}
    assert story.view.rotation is None


def test_the_first_creation_is_no_rotation_yet():
    assert published().view.rotations == 0
    assert published().rotated().view.rotations == 1


def test_the_first_confirmed_retires_the_token_named_for_adoption():
    assert set(published(adopt="t0").view.retirements) == {"t0"}


def test_a_republish_changes_neither_count_nor_age():
    story = published().later(100)
    confirmed = story.view.confirmed_at
    story.planned(Strategy.REPUBLISH).verified().publishing().written().read_back().confirmed()

    assert story.view.confirmed_at == confirmed
    assert story.view.rotations == 0
    assert story.view.retirements == {}
    assert story.view.generation == 2


def test_a_roll_stays_open_after_confirmed_until_done():
    story = published().planned(Strategy.ROLL).minted().verified().publishing().written().read_back().confirmed()
    assert story.view.opened.step is K.CONFIRMED
    assert story.view.fingerprint == "v2"
    assert story.view.retirements == {}, "it is the same token"

    assert story.tell(K.DONE).view.rotation is None


def test_extended_moves_the_expiry_of_the_token():
    story = published().planned(Strategy.ROLL)
    story.tell(K.EXTENDED, token_id="t1", detail={"expires_at": START + 2 * LIFE})

    assert story.view.expires_at("t1") == START + 2 * LIFE
    assert story.view.opened.extended == START + 2 * LIFE


def test_extended_makes_a_token_known_that_was_named_for_adoption():
    story = Story(credential(adopt="t0")).planned(Strategy.ROLL)
    story.tell(K.EXTENDED, token_id="t0", detail={"expires_at": START + LIFE, "born": 5.0})

    assert story.view.tokens["t0"].born == 5.0


def test_displaced_gives_the_captured_token_a_retirement_and_wants_a_successor():
    story = published().planned().minted().tell(K.DISPLACED)

    assert set(story.view.retirements) == {"t2"}
    assert story.view.want
    assert story.view.current == "t1"


def test_a_displaced_roll_retires_nothing():
    assert published().planned(Strategy.ROLL).tell(K.DISPLACED).view.retirements == {}


def test_displaced_abandons_an_open_attempt():
    story = published().planned(Strategy.ROLL).intent().tell(K.DISPLACED)

    assert [*story.view.attempts.values()][-1] == "abandoned"


def test_a_rotation_that_an_operator_closed_wants_no_successor():
    story = published().planned().tell(K.RESOLVED, detail={"how": "abandon"})
    assert story.view.closing == "r2"

    story.tell(K.DISPLACED, detail={"closed": True})
    assert not story.view.want
    assert story.view.closing == ""


def test_a_displaced_republish_wants_a_successor_only_if_its_token_is_dead():
    assert not published().planned(Strategy.REPUBLISH).tell(K.DISPLACED).view.want
    assert published().planned(Strategy.REPUBLISH).tell(K.DISPLACED, detail={"dead": True}).view.want
