"""The splicing of JSON objects: what is set is set, and no other byte changes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.targets.json_text import JsonObject

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = st.one_of(st.sampled_from(["A", "B", 'q"uote', "back\\slash", "ü", ""]), TEXTS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)


@given(OBJECTS, st.dictionaries(KEYS, TEXTS, max_size=3), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_setting_members_is_what_decoding_updating_and_encoding_would_be(
    before: dict[str, Any], new: dict[str, str], ascii_only: bool, indent: Any
) -> None:
    text = json.dumps(before, ensure_ascii=ascii_only, indent=indent)
    assert json.loads(JsonObject(text).with_strings(new)) == {**before, **new}


@given(OBJECTS, st.dictionaries(KEYS, TEXTS, max_size=3))
def test_setting_the_same_twice_changes_nothing_more(before: dict[str, Any], new: dict[str, str]) -> None:
    once = JsonObject(json.dumps(before)).with_strings(new)
    assert JsonObject(once).with_strings(new) == once


@given(OBJECTS)
def test_every_member_is_found_with_its_own_text(before: dict[str, Any]) -> None:
    found = JsonObject(json.dumps(before))
    assert {key: json.loads(found.raw(key) or "") for key in before} == before
    assert all(key in found for key in before)


@pytest.mark.parametrize(
    "before, after",
    [
        ("{}", '{"K": "v"}'),
        (" { } ", ' {"K": "v" } '),
        ('{"A":1.50}', '{"A":1.50, "K": "v"}'),
        ('{\n  "A": 1\n}\n', '{\n  "A": 1, "K": "v"\n}\n'),
        ('{"K":"old","A":[ 1 ]}', '{"K":"v","A":[ 1 ]}'),
        ('{"K": {"deep": "}"}, "A": 1e999}', '{"K": "v", "A": 1e999}'),
        ('{"\\u004b" : null}', '{"\\u004b" : "v"}'),
        ('{"K": 1, "K": 2}', '{"K": "v", "K": "v"}'),
        ('{"A": {"K": "not this one"}}', '{"A": {"K": "not this one"}, "K": "v"}'),
    ],
)
def test_everything_else_stays_to_the_letter(before: str, after: str) -> None:
    assert JsonObject(before).with_strings({"K": "v"}) == after


NO_OBJECTS = ["", " ", "null", "[]", '"{}"', "x", "{", "}", "{}}", "{} {}", "{,}", "{a:1}", "{'a':1}", '{"a', '{"a"}']
NO_OBJECTS += ['{"a":}', '{"a":1', '{"a":1,}', '{"a":1 "b":2}', '{"a":NaN}', '{"a":"CANARY', '{"a":' + "[" * 100_000]


@pytest.mark.parametrize("text", NO_OBJECTS)
def test_what_is_no_object_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a JSON object$") as caught:
        JsonObject(text)
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


STRINGS = {'"text"': "text", '""': "", "null": "", "1.50": "1.50", "true": "true", '{"a": 1}': '{"a": 1}'}
STRINGS |= {'"\\ud800"': '"\\ud800"'}  # half of a character, which no encoding can carry


@pytest.mark.parametrize("raw, string", STRINGS.items())
def test_a_value_as_one_string_is_the_text_or_its_json(raw: str, string: str) -> None:
    assert JsonObject(f'{{"K": {raw}}}').string("K") == string


def test_an_absent_member_is_an_empty_string_and_has_no_value() -> None:
    found = JsonObject("{}")
    assert (found.string("K"), found.value("K"), found.raw("K"), "K" in found) == ("", None, None, False)


def test_of_equal_keys_the_last_one_counts() -> None:
    assert JsonObject('{"K": "1", "K": "2"}').string("K") == "2"
