"""The contract of the target port as tests: derive a class, give it a `place` fixture, and pytest does the rest.

    class TestMyTarget(SharedTargetContract):   # or TargetContract, where a place holds one value and nothing else
        @pytest.fixture
        def place(self, tmp_path):
            return MyPlace(tmp_path)

A *place* is what the target writes to, seen from the outside: by a consumer, by another writer, by an operator who
takes permissions away. It must not use the target's own code, or a defect could hide behind itself. The suite knows
nothing of the engine; `rotator.core.ports.target` says what is tested and why.
"""

from __future__ import annotations

import secrets
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

import pytest

from rotator.core.errors import Conflict, Fenced, OutcomeUnknown, Refused, RotatorError, Unavailable
from rotator.core.ports.target import Publication, Reading, Target
from rotator.core.secret import Secret

AWKWARD = "two words 'single' \"double\" $HOME #hash =sign \\back ünï"
"""A value that quoting, escaping and encoding get wrong first."""


class Place(Protocol):
    """One fresh place of its own for one test: it exists as far as an operator must prepare it, and holds no value.

    Attributes:
        keys: managed key -> output name, as the targets of this place get it; `token.value` is among the outputs.
    """

    keys: Mapping[str, str]

    def open(self, crash: Callable[[str], None], keys: Mapping[str, str] | None = None) -> Target:
        """A target on this place, as another process would open it; with other managed keys where given."""

    def look(self) -> Mapping[str, str]:
        """Everything that a consumer finds there now; empty where there is nothing."""

    def overwrite(self, values: Mapping[str, str]) -> None:
        """Another writer replaces everything that stands there by `values`."""

    def deny(self) -> None:
        """From now on targets of this place, opened before or after, may read and may not write."""

    def cut(self) -> None:
        """From now on nobody reaches the place."""


class SimulatedCrash(BaseException):
    """The end of the process at a crash point; not an Exception, so that no handler survives it by mistake."""


def _on(point: str) -> None:
    """Pass a crash point and go on."""


class TargetContract:
    """What every target must do. A subclass gives `place`; what cannot hold for it, it overrides with the reason."""

    awkward: ClassVar[str] = AWKWARD

    @pytest.fixture
    def place(self) -> Place:
        """A fresh place. To be overridden."""
        raise NotImplementedError("a subclass of TargetContract provides the place")

    @pytest.fixture
    def target(self, place: Place) -> Target:
        """One target on the place."""
        return place.open(_on)

    # ---------------------------------------------------------------------------------------- write preflight
    def test_the_preflight_passes_where_a_write_would_and_changes_nothing(self, place: Place, target: Target) -> None:
        place.overwrite(fresh_values(place))
        before, version = dict(place.look()), target.read().version
        target.check()
        assert (dict(place.look()), target.read().version) == (before, version)

    def test_the_preflight_passes_on_a_place_that_holds_nothing_yet(self, place: Place, target: Target) -> None:
        target.check()
        assert dict(place.look()) == {}

    def test_the_preflight_refuses_without_the_right_to_write_and_says_what_to_do(self, place: Place) -> None:
        place.overwrite(fresh_values(place))
        place.deny()
        with pytest.raises(Refused) as caught:
            place.open(_on).check()
        assert caught.value.remedy

    def test_the_target_names_its_managed_keys(self, place: Place, target: Target) -> None:
        assert dict(target.keys) == dict(place.keys)

    # ---------------------------------------------------------------------------------------- baseline
    def test_a_place_that_holds_nothing_is_an_empty_reading(self, target: Target) -> None:
        assert dict(target.read().values) == {}

    def test_what_stood_there_before_is_read_as_it_is(self, place: Place, target: Target) -> None:
        stood = fresh_values(place)
        place.overwrite(stood)
        found = target.read()
        assert (plain(found), bool(found.version)) == (stood, True)

    # ---------------------------------------------------------------------------------------- write, read back
    def test_a_first_publication_is_what_consumers_find(self, place: Place, target: Target) -> None:
        new = fresh_values(place)
        target.write(publication(new, target.read()))
        assert dict(place.look()) == new

    def test_a_publication_replaces_what_was_expected(self, place: Place, target: Target) -> None:
        place.overwrite(fresh_values(place))
        new = fresh_values(place)
        target.write(publication(new, target.read()))
        assert dict(place.look()) == new

    def test_another_process_reads_back_what_was_published(self, place: Place, target: Target) -> None:
        new = fresh_values(place)
        target.write(publication(new, target.read()))
        assert plain(place.open(_on).read()) == new

    def test_awkward_characters_arrive_unchanged(self, place: Place, target: Target) -> None:
        new = dict.fromkeys(place.keys, self.awkward)
        target.write(publication(new, target.read()))
        assert (dict(place.look()), plain(target.read())) == (new, new)

    def test_every_change_makes_another_version_and_no_change_keeps_it(self, place: Place, target: Target) -> None:
        versions = [target.read().version]
        for _ in range(3):
            target.write(publication(fresh_values(place), target.read()))
            versions += [target.read().version, target.read().version]
        assert [len(set(versions)), versions[1::2]] == [4, versions[2::2]]

    # ---------------------------------------------------------------------------------------- repeated
    def test_the_same_publication_twice_is_one_write(self, place: Place, target: Target) -> None:
        written = publication(fresh_values(place), target.read())
        target.write(written)
        version = target.read().version
        place.open(_on).write(written)
        assert target.read().version == version

    def test_a_value_that_already_stands_there_is_not_written_again(self, place: Place, target: Target) -> None:
        new = fresh_values(place)
        target.write(publication(new, target.read()))
        found = target.read()
        target.write(publication(new, found, generation=2))
        assert target.read().version == found.version

    # ---------------------------------------------------------------------------------------- drift and healing
    def test_drift_is_seen_by_the_next_read(self, place: Place, target: Target) -> None:
        target.write(publication(fresh_values(place), target.read()))
        version, theirs = target.read().version, fresh_values(place)
        place.overwrite(theirs)
        found = target.read()
        assert (plain(found), found.version != version) == (theirs, True)

    def test_drift_is_healed_by_a_publication_that_expects_it(self, place: Place, target: Target) -> None:
        ours = fresh_values(place)
        target.write(publication(ours, target.read()))
        place.overwrite(fresh_values(place))
        target.write(publication(ours, target.read(), generation=2))
        assert dict(place.look()) == ours

    # ---------------------------------------------------------------------------------------- stale writers
    def test_a_managed_key_that_changed_since_the_read_is_a_conflict(self, place: Place, target: Target) -> None:
        target.write(publication(fresh_values(place), target.read()))
        expected, theirs = target.read(), fresh_values(place)
        place.overwrite(theirs)
        with pytest.raises(Conflict):
            target.write(publication(fresh_values(place), expected, generation=2))
        assert dict(place.look()) == theirs

    def test_a_value_where_none_was_expected_is_a_conflict(self, place: Place, target: Target) -> None:
        expected, theirs = target.read(), fresh_values(place)
        place.overwrite(theirs)
        with pytest.raises(Conflict):
            target.write(publication(fresh_values(place), expected))
        assert dict(place.look()) == theirs

    def test_a_managed_key_that_changes_during_the_write_is_a_conflict(self, place: Place, target: Target) -> None:
        place.overwrite(fresh_values(place))
        theirs = fresh_values(place)
        meddle = _once(lambda: place.overwrite(theirs))
        with pytest.raises(Conflict):
            target.write(publication(fresh_values(place), target.read(), still_mine=meddle))
        assert dict(place.look()) == theirs

    def test_a_writer_whose_lease_is_gone_writes_nothing(self, place: Place, target: Target) -> None:
        stood = fresh_values(place)
        place.overwrite(stood)
        expected = target.read()

        def lost() -> None:
            raise Fenced("the lease of this place belongs to somebody else")

        with pytest.raises(Fenced):
            target.write(publication(fresh_values(place), expected, still_mine=lost))
        assert (dict(place.look()), target.read().version) == (stood, expected.version)

    def test_a_first_publication_is_fenced_too(self, place: Place, target: Target) -> None:
        def lost() -> None:
            raise Fenced("the lease of this place belongs to somebody else")

        with pytest.raises(Fenced):
            target.write(publication(fresh_values(place), target.read(), still_mine=lost))
        assert dict(place.look()) == {}

    def test_a_writer_that_was_paused_cannot_undo_a_newer_publication(self, place: Place) -> None:
        paused, successor = place.open(_on), place.open(_on)
        stale = publication(fresh_values(place), paused.read())
        newer = fresh_values(place)
        successor.write(publication(newer, successor.read(), generation=2))
        with pytest.raises(Conflict):
            paused.write(stale)
        assert dict(place.look()) == newer

    # ---------------------------------------------------------------------------------------- crashes
    def test_a_crash_at_any_point_leaves_one_whole_set_and_the_next_write_heals_it(self, place: Place) -> None:
        points = self._points(place)
        assert points, "a write without crash points cannot be crash-tested"
        for round_, same in enumerate([True, False] * len(points)):
            number = round_ // 2
            old = dict(place.look())
            new = fresh_values(place)
            written = publication(new, place.open(_on).read(), generation=2 + round_)
            with pytest.raises(SimulatedCrash):
                place.open(_crash_after(number)).write(written)
            assert dict(place.look()) in (old, new), f"crash at {points[number]}"
            fresh = place.open(_on)
            fresh.write(written if same else publication(new, fresh.read(), generation=2 + round_))
            assert dict(place.look()) == new, f"after a crash at {points[number]}"

    def test_consumers_see_the_old_or_the_new_set_at_every_point(self, place: Place) -> None:
        old, new = fresh_values(place), fresh_values(place)
        place.overwrite(old)
        seen: list[dict[str, str]] = []
        target = place.open(lambda point: seen.append(dict(place.look())))
        target.write(publication(new, target.read()))
        switch = seen.index(new)
        assert (seen[:switch], seen[switch:]) == ([old] * switch, [new] * (len(seen) - switch))

    def _points(self, place: Place) -> list[str]:
        points: list[str] = []
        target = place.open(points.append)
        target.write(publication(fresh_values(place), target.read()))
        return points

    # ---------------------------------------------------------------------------------------- trouble
    def test_a_place_out_of_reach_is_unavailable_and_nothing_was_sent(self, place: Place, target: Target) -> None:
        expected = target.read()
        place.cut()
        for target_now in (target, place.open(_on)):
            with pytest.raises(Unavailable):
                target_now.read()
            with pytest.raises(Unavailable):
                target_now.check()
            with pytest.raises(Unavailable):
                target_now.write(publication(fresh_values(place), expected))

    def test_a_write_without_the_right_is_refused_and_changes_nothing(self, place: Place) -> None:
        stood = fresh_values(place)
        place.overwrite(stood)
        expected = place.open(_on).read()
        place.deny()
        with pytest.raises(Refused):
            place.open(_on).write(publication(fresh_values(place), expected))
        assert dict(place.look()) == stood

    def test_no_error_holds_a_value(self, place: Place, target: Target) -> None:
        theirs, ours = fresh_values(place), fresh_values(place)
        place.overwrite(theirs)
        empty, right = Reading(version=""), target.read()
        shown = [_failure(target, publication(ours, empty))]
        place.deny()
        shown.append(_failure(place.open(_on), publication(ours, right)))
        place.cut()
        shown.append(_failure(place.open(_on), publication(ours, right)))
        assert [text for text in shown for value in (*theirs.values(), *ours.values()) if value in text] == []


class SharedTargetContract(TargetContract):
    """What a target must do besides where keys of others may stand beside its own, and keys may be empty or removed."""

    def test_a_managed_key_with_an_empty_value_counts_as_absent(self, place: Place, target: Target) -> None:
        place.overwrite(dict.fromkeys(place.keys, ""))
        assert dict(target.read().values) == {}

    def test_a_place_that_exists_without_managed_keys_has_a_version_and_no_values(
        self, place: Place, target: Target
    ) -> None:
        place.overwrite({"OTHER": "theirs"})
        found = target.read()
        assert (dict(found.values), bool(found.version)) == ({}, True)

    def test_keys_that_somebody_removed_are_put_back(self, place: Place, target: Target) -> None:
        ours = fresh_values(place)
        target.write(publication(ours, target.read()))
        place.overwrite({})
        found = target.read()
        target.write(publication(ours, found, generation=2))
        assert (dict(found.values), dict(place.look())) == ({}, ours)

    def test_keys_of_others_stay(self, place: Place, target: Target) -> None:
        theirs = {"OTHER": "theirs", "ANOTHER": self.awkward}
        place.overwrite(theirs)
        first, second = fresh_values(place), fresh_values(place)
        target.write(publication(first, target.read()))
        target.write(publication(second, target.read(), generation=2))
        assert dict(place.look()) == {**theirs, **second}

    def test_a_key_of_others_that_changed_since_the_read_is_no_conflict_or_leaves_the_place(
        self, place: Place, target: Target
    ) -> None:
        old, new = fresh_values(place), fresh_values(place)
        place.overwrite({**old, "OTHER": "before"})
        expected = target.read()
        place.overwrite({**old, "OTHER": "after"})
        try:
            target.write(publication(new, expected))
        except Conflict:
            new = old
        assert dict(place.look()) == {**new, "OTHER": "after"}

    def test_a_key_of_others_that_changes_during_the_write_is_kept(self, place: Place, target: Target) -> None:
        old, new = fresh_values(place), fresh_values(place)
        place.overwrite({**old, "OTHER": "before"})
        meddle = _once(lambda: place.overwrite({**old, "OTHER": "during"}))
        try:
            target.write(publication(new, target.read(), still_mine=meddle))
        except Conflict:
            new = old
        assert dict(place.look()) == {**new, "OTHER": "during"}

    def test_two_credentials_that_share_a_place_at_once_lose_nothing(self, place: Place) -> None:
        """One writer at a time is the rule (a lease per place); a writer that is late must still harm nobody."""
        mine, yours = place.open(_on, {"MINE": "token.value"}), place.open(_on, {"YOURS": "token.value"})
        errors: list[BaseException] = []

        def keep_writing(target: Target, key: str) -> None:
            for number in range(5):
                try:
                    _insist(target, {key: f"{key}-{number}"}, number)
                except BaseException as error:  # noqa: BLE001 - the thread's outcome is judged below
                    errors.append(error)

        threads = [threading.Thread(target=keep_writing, args=args) for args in ((mine, "MINE"), (yours, "YOURS"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (errors, dict(place.look())) == ([], {"MINE": "MINE-4", "YOURS": "YOURS-4"})


# ------------------------------------------------------------------------------------------------ the suite's own
def fresh_values(place: Place) -> dict[str, str]:
    """Random values for all managed keys of `place`, easy to find where they must not be."""
    return {key: f"CANARY-{secrets.token_hex(16)}" for key in place.keys}


def plain(reading: Reading) -> dict[str, str]:
    """The values of a reading, revealed."""
    return {key: value.reveal() for key, value in reading.values.items()}


def publication(
    values: Mapping[str, str],
    expected: Reading,
    *,
    generation: int = 1,
    still_mine: Callable[[], None] = lambda: None,
) -> Publication:
    """A publication of `values` on top of `expected`, as the engine would make it."""
    return Publication(
        credential="workers-deploy",
        rid=f"rid-{generation}",
        generation=generation,
        token_id="0" * 32,
        expires_at=1_800_000_000.0,
        values={key: Secret(value) for key, value in values.items()},
        expected=expected,
        still_mine=still_mine,
    )


def _insist(target: Target, values: Mapping[str, str], generation: int) -> None:
    """Write as the engine does: after a conflict or an unknown outcome it reads again and asks again."""
    for _ in range(50):
        try:
            target.write(publication(values, target.read(), generation=generation))
        except (Conflict, OutcomeUnknown, Unavailable):
            continue
        return
    raise AssertionError("the place never came to rest")


def _once(call: Callable[[], None]) -> Callable[[], None]:
    """Call it the first time only: a target that merges anew asks `still_mine` again."""
    left = [call]

    def run() -> None:
        if left:
            left.pop()()

    return run


def _crash_after(passages: int) -> Callable[[str], None]:
    left = [passages]

    def crash(point: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise SimulatedCrash(point)

    return crash


def _failure(target: Target, written: Publication) -> str:
    """Everything that a log could show of the error that this write raises."""
    with pytest.raises(RotatorError) as caught:
        target.write(written)
    error = caught.value
    return "".join([*traceback.format_exception(error), str(error), repr(error), error.message, error.remedy])
