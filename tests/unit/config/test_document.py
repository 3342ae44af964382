"""The tree: values as YAML 1.2 means them, and where each one stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.config.document import LARGEST_FILE, DocumentError, Spot, Tree, parse, shown

SAMPLE = """\
version: 1
connections:
  prod: {type: cloudflare, token: {file: t}}
credentials:
  - name: a
    targets:
      - type: env_file
        path: .env
"""


@pytest.mark.parametrize(
    "loc, line, column",
    [
        ((), 1, 1),
        (("version",), 1, 10),
        (("connections",), 3, 3),
        (("connections", "prod"), 3, 9),
        (("connections", "prod", "token", "file"), 3, 42),
        (("credentials",), 5, 3),
        (("credentials", 0), 5, 5),
        (("credentials", 0, "targets", 0, "path"), 8, 15),
        (("credentials", 0, "missing"), 5, 5),
        (("credentials", 7), 5, 3),
        (("connections", "prod", "name-of-an-alternative", "type"), 3, 16),
    ],
)
def test_every_value_knows_its_line_and_column(loc: tuple[str | int, ...], line: int, column: int) -> None:
    assert parse(SAMPLE.encode()).at(loc) == Spot(line, column)


@pytest.mark.parametrize(
    "loc, line, column", [(("version",), 1, 1), (("connections", "prod", "token"), 3, 28), (("credentials", 0), 5, 5)]
)
def test_every_key_knows_its_line_and_column(loc: tuple[str | int, ...], line: int, column: int) -> None:
    assert parse(SAMPLE.encode()).at(loc, key=True) == Spot(line, column)


def test_columns_count_characters_and_not_bytes() -> None:
    assert parse("{é: 1, b: 2}".encode()).at(("b",)) == Spot(1, 11)


def test_a_byte_order_mark_and_line_ends_of_windows_change_no_place() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n").at(("b",)) == Spot(2, 4)


@pytest.mark.parametrize(
    "text, value",
    [
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-5", -5),
        ("+5", 5),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("2026-11-22", "2026-11-22"),
        ("12:30:45", "12:30:45"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("=", "="),
        ("|\n  a\n  b", "a\nb\n"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    found = parse(f"x: {text}\n".encode()).plain()["x"]

    assert (found, type(found).__mro__[-2]) == (value, type(value).__mro__[-2])


def test_a_file_that_asks_for_yaml_1_1_still_gets_texts_for_yes() -> None:
    assert parse(b"%YAML 1.1\n---\nx: yes\n").plain() == {"x": "yes"}


def test_a_number_remembers_how_it_was_written() -> None:
    tree = parse(b"mode: 0600\nid: 4e123456789012345678901234567890\n")

    assert [tree.value[key].value.text for key in ("mode", "id")] == ["0600", "4e123456789012345678901234567890"]


def test_merge_keys_lie_below_the_own_keys() -> None:
    tree = parse(b"base: &base {a: 1, b: 2}\nmore: &more {c: 3}\nx: {<<: [*base, *more], b: 9}\ny: {<<: *base}\n")

    assert tree.plain()["x"] == {"a": 1, "b": 9, "c": 3}
    assert tree.plain()["y"] == {"a": 1, "b": 2}
    assert tree.at(("x", "a")) == Spot(1, 17)


@pytest.mark.parametrize(
    "text", ["x: {<<: 3}", "x: {<<: [3]}", "x: !!int y", "x: !!float y", "x: !mine {a: 1}", "x: !mine [1]"]
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        parse(text.encode())


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63)
        | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), inner, max_size=4)
        ),
        max_leaves=12,
    ).filter(lambda value: value is not None),
    st.sampled_from([None, 2, "\t"]),
    st.booleans(),
)
def test_json_is_yaml(value: object, indent: int | str | None, ascii_only: bool) -> None:
    assert parse(json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()).plain() == value


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused_with_a_place(content: bytes) -> None:
    try:
        tree = parse(content)
    except DocumentError as error:
        found = [spot.line >= 1 and spot.column >= 1 and text.count("; ") == 2 for spot, text in error.problems]
    else:
        found = [isinstance(tree, Tree)]

    assert found
    assert all(found)


def test_a_file_larger_than_the_cap_is_refused_unread() -> None:
    with pytest.raises(DocumentError, match="larger than 5 MiB"):
        parse(b"#" * (LARGEST_FILE + 1))


def test_nesting_that_exhausts_the_parser_is_refused() -> None:
    with pytest.raises(DocumentError, match="nested deeper"):
        parse(b"[" * 50_000)


def test_many_aliases_of_a_small_value_are_fine() -> None:
    text = "a: &a x\nb: [" + ", ".join(["*a"] * 2000) + "]\n"

    assert len(parse(text.encode()).plain()["b"]) == 2000


def test_two_anchors_of_one_name_warn_nobody() -> None:
    assert parse(b"a: &x 1\nb: &x 2\nc: *x\n").plain() == {"a": 1, "b": 2, "c": 2}


def test_a_key_in_a_message_is_short_and_printable() -> None:
    assert (shown("lifetme"), shown("a\x1b[0m"), shown("canary-" * 9)) == ("lifetme", "a?[0m", "canary…")


def test_laying_over_keeps_places_and_goes_deep_only_where_told() -> None:
    below = parse(b"rotation: {grace: 1h, soak: 2h}\nrequest_ip: {in: [a]}\n")
    above = parse(b"#\n#\nrotation: {soak: 3h}\nrequest_ip: {not_in: [b]}\n")

    found = above.over(below, deep=("rotation",))

    assert found.plain() == {"rotation": {"grace": "1h", "soak": "3h"}, "request_ip": {"not_in": ["b"]}}
    assert (found.at(("rotation", "grace")).line, found.at(("rotation", "soak")).line) == (1, 3)
