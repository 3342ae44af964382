"""The driver's last words: what is written is read again, by this version and by others."""

import json

import pytest

from rotator.core.credential import NEVER
from rotator.core.notes import Note, Trouble, Waits, decode, encode
from rotator.core.reasons import OperatorCode, Reason

FULL = Note(
    waits={
        "rotation": Waits(until=7.0, why=Reason.FAILED, subject="write env"),
        "start": Waits(until=NEVER, why=Reason.FRESH),
        "t1": Waits(until=9.0, code=OperatorCode.TARGET_OVERRIDDEN, subject="env", since=3.0),
    },
    troubles={("env", "read"): Trouble(act="read", message="no route", remedy="look at the network")},
    ends={"vault": 90.0},
)


def test_what_is_written_is_read_again():
    assert decode(encode(FULL)) == FULL


def test_it_is_plain_json_that_earlier_versions_read():
    assert json.loads(encode(FULL)) == {
        "rotation": {"until": 7.0, "why": "failed", "subject": "write env"},
        "start": {"until": None, "why": "fresh"},
        "t1": {
            "until": 9.0,
            "why": "target_overridden",
            "code": "target_overridden",
            "subject": "env",
            "since": 3.0,
        },
        "troubles": [{"target": "env", "act": "read", "message": "no route", "remedy": "look at the network"}],
        "ends": [{"target": "vault", "at": 90.0}],
    }


def test_nothing_to_say_is_an_empty_text():
    assert encode(Note()) == ""


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[1]", '{"rotation": 5}', '{"troubles": 7}', '{"troubles": [7]}', '{"ends": [{"at": null}]}'],
)
def test_what_makes_no_sense_says_nothing(text):
    assert decode(text) == Note()


def test_words_of_another_version_are_dropped_and_the_rest_is_kept():
    found = decode('{"rotation": {"until": 5, "why": "mint failed"}, "start": {"until": 6, "why": "x", "code": "odd"}}')

    assert found.waits == {"rotation": Waits(until=5.0), "start": Waits(until=6.0)}


def test_a_reason_that_is_also_a_code_is_one_of_them_only():
    asked = Note(waits={"t": Waits(until=1.0, code=OperatorCode.RESTORED_JOURNAL, since=1.0)})
    waits = Note(waits={"t": Waits(until=1.0, why=Reason.RESTORED_JOURNAL)})

    assert decode(encode(asked)) == asked
    assert decode(encode(waits)) == waits
