"""A credential that takes the former name of a renamed one: token names keep the name that their credential had."""

import pytest

from rotator.app.once import Once, once
from rotator.app.reload import reload
from rotator.core.facts import Kind

FILE = {"type": "env_file", "path": "workers-deploy.env"}


@pytest.fixture
def renamed(app, place):
    """`workers-deploy` has a token and is called `deploy` since."""
    assert once(app, 5.0) == 0
    place.write(place.credential("deploy", targets=[FILE]) | {"renamed_from": "workers-deploy"})
    assert reload(app)
    return app


def of_the_new_one(app, *kinds):
    return [fact for name, fact in app.queries.history("workers-deploy") if fact.kind in kinds]


def test_it_leaves_the_token_of_the_renamed_one_alone(renamed, place):
    place.write(
        place.credential("deploy", targets=[FILE]),
        place.credential("workers-deploy", targets=[FILE | {"path": "b.env"}]),
    )
    assert reload(renamed)

    assert once(renamed, 20.0) == 0
    assert len(of_the_new_one(renamed, Kind.CONFIRMED)) == 1
    assert not of_the_new_one(renamed, Kind.AHEAD, Kind.RETIREMENT)
    assert [s.needs_operator for s in renamed.queries.statuses()] == [None, None]


def test_it_writes_over_the_value_that_the_renamed_one_left_in_its_old_file_and_does_not_take_it_over(renamed, place):
    left = place.value()
    place.write(
        place.credential("deploy", targets=[FILE | {"path": "moved.env"}]),
        place.credential("workers-deploy", targets=[FILE]),
    )
    assert reload(renamed)

    assert once(renamed, 20.0) == 0
    assert not of_the_new_one(renamed, Kind.ADOPTED, Kind.KNOWN, Kind.OVERRIDDEN)
    assert place.value() != left


def test_nobody_is_asked_about_an_old_file_that_the_renamed_one_has_not_left_yet_as_the_journal_says(renamed, place):
    place.write(
        place.credential("deploy", targets=[FILE | {"path": "moved.env"}]),
        place.credential("workers-deploy", targets=[FILE]),
    )
    assert reload(renamed)
    new = next(stream.id for stream in renamed.queries.streams() if stream.name == "workers-deploy")

    assert Once(renamed).run(0.0, [new]) == 1  # the other one goes first
    assert not of_the_new_one(renamed, Kind.OVERRIDDEN, Kind.PLANNED)
    assert once(renamed, 20.0) == 0
    assert not of_the_new_one(renamed, Kind.OVERRIDDEN)


def test_a_rename_that_is_taken_back_goes_on_with_the_value_that_stands_there(renamed, place):
    left = place.value()
    place.write(place.credential("workers-deploy", targets=[FILE]))
    assert reload(renamed)

    assert once(renamed, 20.0) == 0
    assert len(of_the_new_one(renamed, Kind.ADOPTED)) == 1
    assert not of_the_new_one(renamed, Kind.AHEAD, Kind.PLANNED)
    assert place.value() == left
