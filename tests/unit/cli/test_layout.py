"""Tables and blocks: aligned, at most as wide as the terminal, never wrapped where there is none."""

import pytest

from rotator.cli.layout import Column, Row, Span, Table, block, plain, table, wrapped


def lines(found):
    return [plain(line) for line in found]


def two_columns(*rows, notes=()):
    made = Table([Column("NAME"), Column("COUNT", right=True)])
    made.rows = [Row(row, notes) for row in rows]
    return made


def test_columns_are_aligned_to_their_widest_cell():
    assert lines(table(two_columns(("a", "1"), ("longer", "22")), None)) == [
        "NAME    COUNT",
        "a           1",
        "longer     22",
    ]


def test_no_line_ends_in_a_space():
    assert all(line == line.rstrip() for line in lines(table(two_columns(("a", "")), 80)))


def test_without_a_terminal_nothing_is_wrapped_however_long_it_is():
    found = lines(table(two_columns(("word " * 60, "1"), notes=("note " * 60,)), None))
    assert len(found) == 3


@pytest.mark.parametrize("width", [40, 60, 80])
def test_on_a_terminal_no_line_is_wider_than_it(width):
    made = two_columns(("word " * 40, "1"), ("x" * 200, "2"), notes=("note " * 40,))
    assert max(map(len, lines(table(made, width)))) <= width


def test_a_cell_that_is_folded_loses_no_character():
    token = "0123456789abcdef" * 8
    folded = lines(table(two_columns((token, "1")), 40))[1:]
    assert "".join(line.split()[0] for line in folded) == token


def test_a_title_is_never_folded():
    assert lines(table(two_columns(("a" * 100, "b" * 100)), 40))[0].split() == ["NAME", "COUNT"]


def test_notes_stand_below_their_row_and_are_indented():
    assert lines(table(two_columns(("a", "1"), notes=("because of this",)), None))[2] == "  because of this"


def test_a_wrapped_paragraph_hangs_where_it_is_told_to():
    assert lines(wrapped("one two three", 11, indent=2, hang=2)) == ["  one two", "    three"]


def test_an_empty_paragraph_is_an_empty_line():
    assert lines(wrapped("", 80)) == [""]


def test_a_block_aligns_its_texts_and_wraps_them_below_themselves():
    found = lines(block([("a", "one two three four five six"), ("label", "x")], 24, indent=2))
    assert found == ["  a      one two three", "         four five six", "  label  x"]


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\rb", "left‮right", "bell\a", "two\nlines"])
def test_no_text_can_steer_the_terminal(text):
    shown = (
        lines(table(two_columns((text, "1")), None)) + lines(wrapped(Span(text), 80)) + lines(block([("l", text)], 80))
    )
    assert all(line.isprintable() for line in shown)
