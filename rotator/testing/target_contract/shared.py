"""What a target must do besides where its place is shared: keys of others, removed keys, two writers at once."""

from __future__ import annotations

import threading

from rotator.core.errors import Conflict
from rotator.core.ports.target import Target
from rotator.testing.target_contract.moves import insist, once, pass_by
from rotator.testing.target_contract.place import Place, fresh_values, publication
from rotator.testing.target_contract.whole import TargetContract


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
        meddle = once(lambda: place.overwrite({**old, "OTHER": "during"}))
        try:
            target.write(publication(new, target.read(), still_mine=meddle))
        except Conflict:
            new = old
        assert dict(place.look()) == {**new, "OTHER": "during"}

    def test_two_credentials_that_share_a_place_at_once_lose_nothing(self, place: Place) -> None:
        """One writer at a time is the rule (a lease per place); a writer that is late must still harm nobody."""
        mine, yours = place.open(pass_by, {"MINE": "token.value"}), place.open(pass_by, {"YOURS": "token.value"})
        errors: list[BaseException] = []

        def keep_writing(target: Target, key: str) -> None:
            for number in range(5):
                try:
                    insist(target, {key: f"{key}-{number}"}, number)
                except BaseException as error:  # noqa: BLE001 - the thread's outcome is judged below
                    errors.append(error)

        threads = [threading.Thread(target=keep_writing, args=args) for args in ((mine, "MINE"), (yours, "YOURS"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (errors, dict(place.look())) == ([], {"MINE": "MINE-4", "YOURS": "YOURS-4"})
