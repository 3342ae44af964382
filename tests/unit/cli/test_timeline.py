"""The picture of `plan`, cell by cell."""

import pytest

from rotator.cli.layout import plain
from rotator.cli.output import draws_unicode
from rotator.cli.timeline import ASCII, LONGEST, UNICODE, timeline
from tests.unit.cli.documents import NOW

WIDTH = 60


def day(number):
    return f"2026-11-{22 + number:02d}T10:00:00Z"


def life(name="deploy", expires=None, token_id="ab"):
    return {"credential": name, "token_id": token_id, "expires_on": expires}


def rotation(at, retired=None, name="deploy"):
    return {"credential": name, "time": at, "retired_at": retired}


def planned(*lives, rotations=(), days=8.0):
    return {"time": NOW, "days": days, "lives": list(lives), "rotations": list(rotations)}


def drawn(document, width=WIDTH, signs=ASCII):
    return [plain(line) for line in timeline(document, width, signs)]


def bar(document, name="deploy", width=24):
    """The cells of one credential; with the name `deploy` on 24 columns, two for each of the eight days."""
    return next(line for line in drawn(document, width) if line.startswith(name))[len(name) + 2 :]


def test_a_value_lives_is_rotated_and_overlaps_its_successor_until_the_old_one_is_retired():
    document = planned(life(expires=day(6)), rotations=[rotation(day(2), day(4))])
    assert bar(document) == "====R####======="


def test_what_a_roll_replaces_does_not_live_on():
    assert bar(planned(life(expires=day(6)), rotations=[rotation(day(2))])) == "====R==========="


def test_a_value_that_expires_with_no_rotation_before_is_dead_afterwards():
    assert bar(planned(life(expires=day(4)))) == "========X......."


def test_a_rotation_after_the_expiry_ends_the_dead_time():
    assert bar(planned(life(expires=day(3)), rotations=[rotation(day(5))])) == "======X...R====="


def test_nothing_lives_before_the_first_value_is_made():
    first = planned(life(token_id=None), rotations=[rotation(day(4))])
    assert bar(first) == "        R======="


def test_a_value_that_never_expires_lives_before_its_rotation():
    assert bar(planned(life(), rotations=[rotation(day(4))])) == "========R======="


def test_the_axis_names_now_and_the_end_and_ends_with_the_bars():
    lines = drawn(planned(life("a", day(4))), 40)
    axis, first = lines[1], lines[2]
    assert axis.split()[0] == "now"
    assert axis.endswith("in 8 d")
    assert len(axis) == len(first)


def test_what_expires_unsaved_comes_first_then_what_happens_soonest():
    document = planned(
        life("late", day(7)),
        life("lost", day(5)),
        life("soon", day(7)),
        rotations=[rotation(day(3), name="late"), rotation(day(1), name="soon")],
    )
    assert [line.split()[0] for line in drawn(document)[2:5]] == ["lost", "soon", "late"]


def test_what_neither_rotates_nor_expires_in_time_is_not_drawn():
    assert drawn(planned(life(expires="2027-06-01T00:00:00Z"))) == []
    assert drawn(planned()) == []
    assert drawn(planned(life(expires=day(2)), days=0.0)) == []


@pytest.mark.parametrize("width", [40, 60, 80, 120, 300])
@pytest.mark.parametrize("name", ["a", "workers-deploy", "n" * 90])
@pytest.mark.parametrize("signs", [ASCII, UNICODE])
def test_the_picture_is_never_wider_than_the_terminal(width, name, signs):
    document = planned(life(name, day(4)), rotations=[rotation(day(2), day(3), name)])
    assert max(map(len, drawn(document, width, signs))) <= width


def test_of_many_twenty_are_drawn_and_the_rest_is_counted():
    document = planned(*(life(f"c{number:03d}", day(4)) for number in range(300)))
    assert "and 280 more; -o json lists them all" in drawn(document)
    assert sum(line.startswith("c") for line in drawn(document)) == LONGEST


def test_without_other_signs_the_picture_is_ascii():
    document = planned(life("n" * 90, day(4)), rotations=[rotation(day(2), day(3), "n" * 90)])
    assert "".join(drawn(document)).isascii()
    assert not "".join(drawn(document, signs=UNICODE)).isascii()


@pytest.mark.parametrize(
    ("locale", "draws"),
    [
        ({}, True),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, True),
        ({"LC_CTYPE": "de_DE.ISO-8859-1", "LANG": "en_US.UTF-8"}, False),
    ],
)
def test_the_locale_says_what_can_be_drawn(monkeypatch, locale, draws):
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("rotator.cli.output._ascii_only", lambda: False)
    assert draws_unicode() is draws


def test_an_output_that_is_not_utf_8_gets_ascii_whatever_the_locale(monkeypatch):
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.setattr("rotator.cli.output._ascii_only", lambda: True)
    assert draws_unicode() is False
