"""The Secrets Manager target against the strict double: the order of calls, what is refused, and what is unknown."""

import json

import pytest

from rotator.core.errors import Conflict, Fenced
from rotator.testing.target_contract import SimulatedCrash, fresh_values, plain, publication
from tests.integration.aws.managed import SECRET, Place


@pytest.fixture(autouse=True)
def _identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")


def test_a_version_is_pending_before_it_is_current_and_loses_the_label_after(held: Place) -> None:
    target = held.open()
    before = held.stored.holder("AWSCURRENT")
    seen: dict[str, tuple[bool, bool]] = {}

    def look(point: str) -> None:
        seen[point] = (held.stored.holder("ROTATOR_PENDING") is not None, held.stored.holder("AWSCURRENT") == before)

    held.open(crash=look).write(publication(fresh_values(held), target.read()))
    assert seen == {
        "before_aws_put": (False, True),
        "after_aws_put": (True, True),
        "before_aws_move_stage": (True, True),
        "after_aws_move_stage": (True, False),
        "before_aws_remove_pending": (True, False),
        "after_aws_remove_pending": (False, False),
    }
    assert held.stored.holder("AWSPREVIOUS") == before


def test_the_move_names_the_version_that_was_expected(held: Place) -> None:
    target = held.open()
    expected = target.read()
    target.write(publication(fresh_values(held), expected))
    moves = [asked for _, asked in held.aws.requests if "MoveToVersionId" in asked]
    assert [asked["RemoveFromVersionId"] for asked in moves] == [expected.version]


def test_a_lease_that_is_lost_between_put_and_move_moves_nothing(held: Place) -> None:
    target, before = held.open(), held.text()
    asked: list[int] = []

    def lost_the_second_time() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise Fenced("the lease of this place belongs to somebody else")

    with pytest.raises(Fenced):
        target.write(publication(fresh_values(held), target.read(), still_mine=lost_the_second_time))
    assert held.text() == before


def test_a_generation_costs_one_version(held: Place) -> None:
    target = held.open()
    new = publication(fresh_values(held), target.read())
    for _ in range(3):
        target.write(new)
    assert (len(held.stored.versions), held.aws.count("PutSecretValue")) == (2, 2)


def test_a_crash_costs_no_second_version(held: Place) -> None:
    expected = held.open().read()
    new = publication(fresh_values(held), expected)
    for fatal in ("after_aws_put", "before_aws_move_stage", "after_aws_move_stage", "before_aws_remove_pending"):

        def die(point: str, fatal: str = fatal) -> None:
            if point == fatal:
                raise SimulatedCrash(point)

        with pytest.raises(SimulatedCrash):
            held.open(crash=die).write(new)
    held.open().write(new)
    assert (len(held.stored.versions), held.stored.holder("ROTATOR_PENDING")) == (2, None)


def test_the_version_id_tells_nothing_of_the_value(held: Place) -> None:
    """The same text in another rotation has another id, so nobody can try values against ids."""
    one, two = held.open(), held.open(secret=SECRET)
    values, expected = fresh_values(held), held.open().read()
    one.write(publication(values, expected))
    first = one.read().version
    held.overwrite({key: value.reveal() for key, value in expected.values.items()})
    two.write(publication(values, two.read(), generation=2))
    assert two.read().version != first


def test_what_others_keep_there_stays_to_the_letter(place: Place) -> None:
    theirs = '{ "n": 1.50, "n2": 1e400,\n  "CLOUDFLARE_API_TOKEN" : "old","x":{"a":[1,2]}, "u": "\\u00fc" }'
    place.api.put_secret_value(SecretId=SECRET, SecretString=theirs)
    target = place.open()
    target.write(publication({"CLOUDFLARE_API_TOKEN": "new", "CLOUDFLARE_ACCOUNT_ID": "acc"}, target.read()))
    assert place.text() == (
        '{ "n": 1.50, "n2": 1e400,\n  "CLOUDFLARE_API_TOKEN" : "new","x":{"a":[1,2]}, "u": "\\u00fc", '
        '"CLOUDFLARE_ACCOUNT_ID": "acc" }'
    )


def test_a_secret_that_is_one_string_holds_the_value_and_nothing_else(place: Place) -> None:
    target = place.open(format="string")
    target.write(publication({"CLOUDFLARE_API_TOKEN": "the value"}, target.read()))
    assert (place.text(), plain(target.read())) == ("the value", {"CLOUDFLARE_API_TOKEN": "the value"})


def test_a_secret_that_others_change_without_pause_is_given_up_and_left_to_them(held: Place) -> None:
    target = held.open()
    expected = target.read()
    mine = {key: value.reveal() for key, value in expected.values.items()}
    count = iter(range(100))

    def meddle(point: str) -> None:
        if point == "before_aws_move_stage":
            held.overwrite({**mine, "OTHER": str(next(count))})

    with pytest.raises(Conflict, match="others changed it"):
        held.open(crash=meddle).write(publication(fresh_values(held), expected))
    assert json.loads(held.text()) == {**mine, "OTHER": "4"}
