"""What follows a publication: when hooks run, and that none of them holds anything up."""

from dataclasses import replace

from rotator.core.credential import TargetRef
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Act, Do, Wait
from rotator.core.reasons import Reason
from rotator.core.schedule.agenda import next_step
from rotator.core.schedule.hooks import after_publish
from rotator.core.status import credential_status
from tests.unit.core.story import credential, published


def hooked(story=None):
    """The target `env` has hooks, `vault` none."""
    story = story or published()
    refs = (TargetRef(name="env", type="fake", place="env", hooks=True), story.credential.targets[1])
    story.credential = replace(story.credential, targets=refs)
    return story


def tell(story, failed=(), generation=None):
    generation = generation or story.view.generation
    detail = {"failed": list(failed), "why": "no" if failed else "", "remedy": "look" if failed else ""}
    return story.tell(Kind.HOOKED, target="env", generation=generation, detail=detail)


def asked(story):
    verdict = after_publish(story.case())
    return [(action.act, action.target) for action in verdict.actions] if isinstance(verdict, Do) else verdict


def state(story):
    return credential_status(story.credential, story.view, story.at).targets[0].hooks


def test_hooks_run_once_for_each_publication():
    story = hooked()

    assert asked(story) == [(Act.HOOK, "env")]
    assert asked(tell(story)) is None


def test_hooks_run_again_after_the_next_publication():
    story = tell(hooked(), generation=99)

    assert asked(story) == [(Act.HOOK, "env")]


def test_before_the_first_publication_nothing_runs():
    story = hooked(replace_view(published()))

    assert asked(story) is None
    assert state(story).state == "none"


def replace_view(story):
    story.view = type(story.view)()
    return story


def test_while_a_written_value_is_not_read_back_nothing_runs():
    story = tell(hooked())
    story.planned().minted().verified().publishing().written("env")
    assert asked(story) is None
    story.read_back("env")
    assert asked(story) == [(Act.HOOK, "env")]


def test_a_failing_hook_waits_longer_each_time_and_its_wait_is_the_targets():
    story = tell(hooked(), failed=("1. touch x",))
    first = asked(story)
    assert (first.why, first.subject) == (Reason.HOOK, "env")

    story.later(first.until - story.at)
    assert asked(story) == [(Act.HOOK, "env")]
    second = asked(tell(story, failed=("1. touch x",)))
    assert isinstance(second, Wait)
    assert second.until - story.at > first.until - story.view.at("env").hooked.at - 1


def test_a_failing_hook_changes_neither_state_nor_readiness_of_the_credential():
    before = hooked()
    after = tell(hooked(), failed=("1. touch x",))

    def words(story):
        found = credential_status(story.credential, story.view, story.at)
        return found.state, found.ready, found.message, found.targets[0].in_sync

    assert words(before) == words(after)
    assert (state(after).state, state(after).failed, state(after).remedy) == ("failing", ("1. touch x",), "look")


def test_a_failing_hook_stops_no_rotation():
    story = tell(hooked(), failed=("1. touch x",)).tell(Kind.REQUEST, detail={"request_id": "q"})
    step = next_step(story.case())

    assert all(action.act is not Act.HOOK for action in step.actions)
    assert step.actions


def test_the_hooks_of_a_credential_that_left_the_configuration_do_not_run():
    story = hooked()
    story.credential = replace(story.credential, managed=False)

    assert asked(story) is None
    assert credential().targets[0].hooks is False
