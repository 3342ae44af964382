"""What a write-only target must do: it shows that something was written, never what."""

from __future__ import annotations

from typing import Protocol

from rotator.core.ports.target import Evidence, Target
from rotator.testing.target_contract.every import EveryTargetContract
from rotator.testing.target_contract.moves import failure, pass_by
from rotator.testing.target_contract.place import Place, fresh_values, publication


class MarkerPlace(Place, Protocol):
    """A place that shows no value. Its consumers can see one, which is how `look` knows."""

    def later(self, seconds: float) -> None:
        """Let time pass by the place's own clock, which may count whole seconds."""


class MarkerTargetContract(EveryTargetContract):
    """What a write-only target must do. A subclass gives `place`, a `MarkerPlace`."""

    def test_it_says_that_it_shows_a_marker_only(self, target: Target) -> None:
        assert target.evidence is Evidence.MARKER

    def test_where_nothing_stands_there_is_no_marker(self, target: Target) -> None:
        assert target.read().marker == ""

    def test_a_reading_never_holds_a_value(self, place: Place, target: Target) -> None:
        target.write(publication(fresh_values(place), target.read()))
        found = target.read()
        assert (dict(found.values), bool(found.marker), bool(found.version)) == ({}, True, True)

    def test_every_write_moves_the_marker_and_without_one_it_stays(self, place: MarkerPlace, target: Target) -> None:
        markers = []
        for _ in range(3):
            place.later(2)
            target.write(publication(fresh_values(place), target.read()))
            markers += [target.read().marker, place.open(pass_by).read().marker]
        assert [len(set(markers)), markers[::2]] == [3, markers[1::2]]

    def test_a_write_by_somebody_else_moves_the_marker(self, place: MarkerPlace, target: Target) -> None:
        target.write(publication(fresh_values(place), target.read()))
        before = target.read()
        place.later(2)
        place.overwrite(fresh_values(place))
        found = target.read()
        assert (found.marker != before.marker, found.version != before.version) == (True, True)

    def test_what_was_taken_away_leaves_no_marker(self, place: Place, target: Target) -> None:
        target.write(publication(fresh_values(place), target.read()))
        place.overwrite({})
        assert target.read().marker == ""

    def test_its_age_grows_by_its_own_clock_or_nothing_is_said_of_time(
        self, place: MarkerPlace, target: Target
    ) -> None:
        target.write(publication(fresh_values(place), target.read()))
        young = target.read().age
        place.later(5)
        assert target.read().age >= min(young + 4, 5)

    def test_it_compares_nothing_and_writes_whatever_stands_there(self, place: MarkerPlace, target: Target) -> None:
        expected, new = target.read(), fresh_values(place)
        place.overwrite(fresh_values(place))
        place.later(2)
        target.write(publication(new, expected))
        assert dict(place.look()) == new

    def test_the_same_publication_twice_leaves_the_same(self, place: MarkerPlace, target: Target) -> None:
        new = fresh_values(place)
        written = publication(new, target.read())
        target.write(written)
        place.later(2)
        place.open(pass_by).write(written)
        assert dict(place.look()) == new

    def test_awkward_characters_arrive_unchanged(self, place: Place, target: Target) -> None:
        new = dict.fromkeys(place.keys, self.awkward)
        target.write(publication(new, target.read()))
        assert dict(place.look()) == new

    def test_no_error_holds_a_value(self, place: Place, target: Target) -> None:
        ours, before = fresh_values(place), target.read()
        place.deny()
        shown = [failure(place.open(pass_by), publication(ours, before))]
        place.cut()
        shown.append(failure(place.open(pass_by), publication(ours, before)))
        assert [text for text in shown for value in ours.values() if value in text] == []
