"""Facts in words."""

from rotator.core.facts import Kind
from rotator.web.page.timeline import WORDS, told
from tests.unit.web.page.boards import fact


def test_every_kind_of_fact_has_words():
    assert set(WORDS) == set(Kind)


def test_a_kind_of_a_newer_version_is_shown_by_its_own_word():
    assert told(fact("danced_twice"))["words"] == "danced twice"


def test_details_are_those_that_people_want():
    detail = {
        "token_id": "0123456789abcdef",
        "target": "env",
        "generation": 0,
        "token_name": "long",
        "failed": ["a", "b"],
    }
    detail |= {"rolls": True, "old": "abc", "reason": "why", "empty": []}
    found = told(fact("failed", detail=detail))

    assert found["detail"] == [
        ("token id", "01234567…"),
        ("target", "env"),
        ("failed", "a, b"),
        ("rolls", "yes"),
        ("old", "abc…"),
    ]
    assert found["reason"] == "why"
