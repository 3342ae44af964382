"""What every target must do, whatever it can show: preflight, writing, fencing, crashes, trouble."""

from __future__ import annotations

from typing import ClassVar

import pytest

from rotator.core.errors import Fenced, Refused, Unavailable
from rotator.core.ports.target import Target
from rotator.testing.target_contract.moves import crash_after, pass_by
from rotator.testing.target_contract.place import AWKWARD, Place, SimulatedCrash, fresh_values, publication


class EveryTargetContract:
    """What holds for targets that can be read back and for write-only ones. Derive one of its two subclasses."""

    awkward: ClassVar[str] = AWKWARD

    @pytest.fixture
    def place(self) -> Place:
        """A fresh place. To be overridden."""
        raise NotImplementedError("a subclass of TargetContract provides the place")

    @pytest.fixture
    def target(self, place: Place) -> Target:
        """One target on the place."""
        return place.open(pass_by)

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
            place.open(pass_by).check()
        assert caught.value.remedy

    def test_the_target_names_its_managed_keys(self, place: Place, target: Target) -> None:
        assert dict(target.keys) == dict(place.keys)

    # ---------------------------------------------------------------------------------------- baseline
    def test_a_place_that_holds_nothing_is_an_empty_reading(self, target: Target) -> None:
        assert dict(target.read().values) == {}

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

    def test_drift_is_healed_by_a_publication_that_expects_it(self, place: Place, target: Target) -> None:
        ours = fresh_values(place)
        target.write(publication(ours, target.read()))
        place.overwrite(fresh_values(place))
        target.write(publication(ours, target.read(), generation=2))
        assert dict(place.look()) == ours

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

    # ---------------------------------------------------------------------------------------- crashes
    def test_a_crash_at_any_point_leaves_one_whole_set_and_the_next_write_heals_it(self, place: Place) -> None:
        points = self._points(place)
        assert points, "a write without crash points cannot be crash-tested"
        for round_, same in enumerate([True, False] * len(points)):
            number = round_ // 2
            old = dict(place.look())
            new = fresh_values(place)
            written = publication(new, place.open(pass_by).read(), generation=2 + round_)
            with pytest.raises(SimulatedCrash):
                place.open(crash_after(number)).write(written)
            assert dict(place.look()) in (old, new), f"crash at {points[number]}"
            fresh = place.open(pass_by)
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
        for target_now in (target, place.open(pass_by)):
            with pytest.raises(Unavailable):
                target_now.read()
            with pytest.raises(Unavailable):
                target_now.check()
            with pytest.raises(Unavailable):
                target_now.write(publication(fresh_values(place), expected))

    def test_a_write_without_the_right_is_refused_and_changes_nothing(self, place: Place) -> None:
        stood = fresh_values(place)
        place.overwrite(stood)
        expected = place.open(pass_by).read()
        place.deny()
        with pytest.raises(Refused):
            place.open(pass_by).write(publication(fresh_values(place), expected))
        assert dict(place.look()) == stood
