"""The text of one secret: what counts as nothing, and what is not in the configured format."""

import pytest

from rotator.core.secret import Secret
from rotator.targets.aws_secrets_manager.document import NotThisFormat, values_in, with_values

KEYS = {"TOKEN": "token.value"}


@pytest.mark.parametrize("format_", ["json", "string"])
@pytest.mark.parametrize("text", ["", "{}", " { }\n", "null", '""', "  "])
def test_a_secret_that_holds_nothing_is_empty_in_every_format(text, format_):
    assert values_in(text, KEYS, format_) == {}


def test_an_empty_secret_becomes_an_object_or_the_value():
    for text in ("", "null", '""', "{}"):
        assert with_values(text, {"TOKEN": Secret("v")}, "json") == '{"TOKEN": "v"}'
        assert with_values(text, {"TOKEN": Secret("v")}, "string") == "v"


def test_an_object_is_no_string():
    with pytest.raises(NotThisFormat):
        values_in('{"DB_PASSWORD": "hunter2"}', KEYS, "string")


@pytest.mark.parametrize("text", ["[1]", "hunter2", '"hunter2"', "1"])
def test_another_text_is_no_object(text):
    with pytest.raises(NotThisFormat):
        values_in(text, KEYS, "json")


def test_a_whole_text_is_the_value():
    assert values_in("hunter2", KEYS, "string") == {"TOKEN": Secret("hunter2")}
