"""What is said about models that adapters bring, whatever their validators raise."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from rotator.config.document import parse
from rotator.config.explain import Problems, nearest, unknown_key
from rotator.config.fields import Stanza


def _by_kind(value: object) -> str:
    return "table" if isinstance(value, dict) else "word"


class Inner(Stanza):
    id: str
    size: Annotated[int, Field(strict=True, gt=0, lt=10)] = 1


class Options(Stanza):
    word: str = ""
    flag: Annotated[bool, Field(strict=True)] = False
    ratio: Annotated[float, Field(strict=True)] = 1.0
    names: tuple[str, ...] = ()
    table: dict[str, str] = Field(default_factory=dict)
    either: Annotated[Annotated[str, Tag("word")] | Annotated[Inner, Tag("table")], Discriminator(_by_kind)] = ""
    inner: Inner | None = None
    choice: Literal["a", "b"] = "a"
    short: Annotated[str, Field(max_length=3)] = ""
    few: Annotated[list[str], Field(max_length=1)] = Field(default_factory=list)
    raises: str = ""
    terse: Annotated[str, BeforeValidator(lambda value: _terse())] = ""
    complete: Annotated[str, AfterValidator(lambda value: _complete())] = ""
    in_: str = Field(default="", alias="in")

    @field_validator("raises")
    @classmethod
    def _raises(cls, value: str) -> str:
        raise ValueError("it must not be so")


def _terse() -> str:
    raise PydanticCustomError("rotator", "{text}", {"text": "too bad"})


def _complete() -> str:
    raise PydanticCustomError("theirs", "mine is wrong")


def said(text: str) -> str:
    tree, problems = parse(text.encode()), Problems("f")
    with pytest.raises(ValidationError) as caught:
        Options.model_validate(tree.plain())
    problems.invalid(caught.value, tree, Options, "the thing")
    return "\n".join(problems.error().messages)


@pytest.mark.parametrize(
    "text, message",
    [
        ("word: 3", "f:1:7: `word` is a number; expected a text; write it in quotes"),
        ("word: true", "f:1:7: `word` is true or false; expected a text; write it in quotes"),
        ("word:", "f:1:6: `word` is empty; expected a text; write it in quotes"),
        ("word: [a]", "f:1:7: `word` is a list; expected a text; write it in quotes"),
        ("word: {a: b}", "f:1:7: `word` is a mapping; expected a text; write it in quotes"),
        ("flag: yes", "f:1:7: `flag` is a text; expected true or false; write true or false"),
        ("ratio: much", "f:1:8: `ratio` is a text; expected a number; write it without quotes and unit"),
        ("names: [a, 3]", "f:1:12: entry 2 of `names` is a number; expected a text; write it in quotes"),
        ("names: x", "f:1:8: `names` is a text; expected a list; write [ … ], or one `- …` a line"),
        ("table: x", "f:1:8: `table` is a text; expected a mapping; write { … }, or one `key: value` a line"),
        ("inner: x", "f:1:8: `inner` is a text; expected a mapping; write { … }, or one `key: value` a line"),
        ("either: 3", "f:1:9: `either` is a number; expected a text; write it in quotes"),
        ("either: {}", "f:1:9: the key `id` is missing; expected a value for it; write `id: …`"),
        ("inner: {id: a, size: 0}", "f:1:22: `size` is out of bounds; expected more than 0; write another"),
        ("inner: {id: a, size: 10}", "f:1:22: `size` is out of bounds; expected less than 10; write another"),
        (
            "inner: {id: a, sizes: 1}",
            "f:1:16: the key `sizes` is not known here; expected one of id, size; write `size`",
        ),
        ("choice: c", "f:1:9: `choice` does not have that choice; expected 'a' or 'b'; write one of these"),
        ("short: abcd", "f:1:8: `short` is out of bounds; expected a text of at most 3 characters; write another"),
        ("few: [a, b]", "f:1:6: `few` is out of bounds; expected at most 1 entries; write another"),
        (
            "raises: canary",
            "f:1:9: `raises` is not valid: it must not be so; expected another value; see `rotator schema`",
        ),
        ("terse: canary", "f:1:8: too bad; expected another value; see `rotator schema`"),
        (
            "complete: canary",
            "f:1:11: `complete` is not valid; expected another value (mine is wrong); see `rotator schema`",
        ),
        ("in: 3", "f:1:5: `in` is a number; expected a text; write it in quotes"),
    ],
)
def test_each_kind_of_error_says_what_stands_there_and_what_should(text: str, message: str) -> None:
    assert said(text) == message


def test_entries_with_errors_of_their_own_are_not_missed_as_well() -> None:
    class Many(Stanza):
        inner: Annotated[tuple[Inner, ...], Field(min_length=1)]

    tree, problems = parse(b"inner: [{id: a, siz: 1}]"), Problems("f")
    with pytest.raises(ValidationError) as caught:
        Many.model_validate(tree.plain())

    problems.invalid(caught.value, tree, Many)

    assert [message.split(":")[2] for message in problems.error().messages] == ["17"]


@pytest.mark.parametrize(
    "word, meant",
    [("lifetme", "lifetime"), ("LIFETIME", "lifetime"), ("Life Time", "lifetime"), ("zzz", None), ("", None)],
)
def test_what_was_probably_meant_is_offered_and_nothing_far_fetched(word: str, meant: str | None) -> None:
    assert nearest(word, ["lifetime", "name"]) == meant


def test_a_later_key_is_told_from_a_mistake() -> None:
    assert unknown_key("templates", ["name"]) == (
        "the key `templates` is not in this version; expected one of name; remove it"
    )
    assert unknown_key("x", []) == "the key `x` is not known here; expected nothing; remove it"


def test_a_long_unknown_key_is_not_repeated_for_it_may_be_a_secret() -> None:
    assert "canary-secret" not in unknown_key("canary-secret-value-that-was-pasted-here", ["name"])
