"""What a target must do whose values can be read back: reading, drift, stale writers."""

from __future__ import annotations

import pytest

from rotator.core.errors import Conflict
from rotator.core.ports.target import Evidence, Reading, Target
from rotator.testing.target_contract.every import EveryTargetContract
from rotator.testing.target_contract.moves import failure, once, pass_by
from rotator.testing.target_contract.place import Place, fresh_values, plain, publication


class TargetContract(EveryTargetContract):
    """What such a target must do. A subclass gives `place`; what cannot hold for it, it overrides with the reason."""

    def test_it_says_that_its_values_can_be_read(self, target: Target) -> None:
        assert target.evidence is Evidence.VALUE

    def test_what_stood_there_before_is_read_as_it_is(self, place: Place, target: Target) -> None:
        stood = fresh_values(place)
        place.overwrite(stood)
        found = target.read()
        assert (plain(found), bool(found.version)) == (stood, True)

    def test_another_process_reads_back_what_was_published(self, place: Place, target: Target) -> None:
        new = fresh_values(place)
        target.write(publication(new, target.read()))
        assert plain(place.open(pass_by).read()) == new

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
        place.open(pass_by).write(written)
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
        meddle = once(lambda: place.overwrite(theirs))
        with pytest.raises(Conflict):
            target.write(publication(fresh_values(place), target.read(), still_mine=meddle))
        assert dict(place.look()) == theirs

    def test_a_writer_that_was_paused_cannot_undo_a_newer_publication(self, place: Place) -> None:
        paused, successor = place.open(pass_by), place.open(pass_by)
        stale = publication(fresh_values(place), paused.read())
        newer = fresh_values(place)
        successor.write(publication(newer, successor.read(), generation=2))
        with pytest.raises(Conflict):
            paused.write(stale)
        assert dict(place.look()) == newer

    def test_no_error_holds_a_value(self, place: Place, target: Target) -> None:
        theirs, ours = fresh_values(place), fresh_values(place)
        place.overwrite(theirs)
        empty, right = Reading(version=""), target.read()
        shown = [failure(target, publication(ours, empty))]
        place.deny()
        shown.append(failure(place.open(pass_by), publication(ours, right)))
        place.cut()
        shown.append(failure(place.open(pass_by), publication(ours, right)))
        assert [text for text in shown for value in (*theirs.values(), *ours.values()) if value in text] == []
