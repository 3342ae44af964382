"""The fast parser and the one that explains read the same: values, and where each stands."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml.error import YAMLError
from yaml.cyaml import CParser

from rotator.config import compose as module
from rotator.config.compose import YamlNode, compose, no_collection, tag_of

ROOT = Path(__file__).parents[3]

PLAIN = """
~ null Null nULL true True TRUE tRUE yes on = << 0 007 0o17 0b11 0x1F 1_000 -1 +1 - + . .. 1. .5 -.5 1.5e3 1e3 1E+3 1e
1.2.3.4 .inf -.INF +.inf .nan .NaN -.nan 2026-11-30 2026-11-30T10:00:00Z 12:30:45 0:30 190:20:30 _ _1 1_ 0x 0o8 08 1d
90d -_ é 1.2e-3 .5e3 .5e+3 ._ +.5
"""
SCALARS = PLAIN.split()

FORMS = (
    "a: &x {b: 1}\nc: *x\n",
    "a: &x 1\nb: &x 2\nc: *x\n",
    "<<: &d {a: 1}\nb: 2\n",
    "a:\n  - b:\n    c:\n",
    "? a\n: b\n",
    "a: |\n  b\n  c\nd: >-\n  e\n  f\n",
    "a: 'b''c'\nd: \"\\u00e9\\/\"\n",
    "---\na: 1\n...\n",
    "# only a comment\n",
    "- - a\n- b",
    "a: !!str 1\nb: !mine x\n",
    "a:\r\n  b: 1\r\n",
    "{a: [b, {c: d}], e: }",
    "a: b # c\n",
    "'a':\n- 1\n",
)


def shape(node: YamlNode | None) -> object:
    """A node with everything that matters of it: an empty value has no place, and a timestamp is a text here."""
    if node is None:
        return None
    spot = (node.start_mark.line, node.start_mark.column)
    if node.id == "scalar":
        return node.tag.replace("timestamp", "str"), str(node.value), spot if node.value else None
    if node.id == "sequence":
        return node.tag, [shape(inner) for inner in node.value], spot
    return node.tag, [(shape(key), shape(value)) for key, value in node.value], spot


def fast(text: str) -> object:
    return shape(module._by_libyaml(text, CParser))


def slow(text: str) -> object:
    return shape(module._by_ruamel(text))


@pytest.mark.parametrize("scalar", SCALARS)
def test_a_plain_scalar_means_what_yaml_1_2_says(scalar: str) -> None:
    text = f"[{scalar}, x]"
    assert fast(text) == slow(text)


@given(st.text(alphabet="0123456789+-._eExobXinfaNtruTRUEF~<= ", max_size=8))
def test_no_plain_scalar_gets_another_tag(text: str) -> None:
    try:
        expected = module._by_ruamel(f"k: {text}\n")
    except (YAMLError, ValueError):
        return
    if expected is not None and expected.id == "mapping":
        value = expected.value[0][1]
        if value.id == "scalar" and value.start_mark.line == 0:
            assert tag_of(str(value.value)) == value.tag.replace("timestamp", "str")


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(trees)
def test_json_reads_the_same(tree: object) -> None:
    text = json.dumps(tree)
    assert shape(compose(text)) == slow(text)


@given(trees, st.booleans())
def test_what_a_person_would_write_reads_the_same(tree: object, flow: bool) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow)
    assert shape(compose(text)) == slow(text)


SHIPPED = [ROOT / "config/rotator.example.yaml", *sorted((ROOT / "config/recipes").glob("*.yaml"))]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_shipped_file_takes_the_fast_way_and_reads_the_same(file: Path) -> None:
    assert fast(file.read_text()) == slow(file.read_text())


@pytest.mark.parametrize("text", FORMS)
def test_every_form_of_the_language_reads_the_same(text: str) -> None:
    assert fast(text) == slow(text)


@pytest.mark.parametrize("text", ["%YAML 1.1\n---\na: yes\n", "a:\tb\n", "a: 1\n---\nb: 2\n", "a: [", "*x", "[" * 5000])
def test_what_the_fast_parser_does_not_take_the_other_one_judges(text: str) -> None:
    with pytest.raises((ValueError, KeyError, RecursionError, yaml.YAMLError)):
        module._by_libyaml(text, CParser)


def test_the_collector_of_cycles_works_again_after_a_failed_load() -> None:
    def fail() -> None:
        with no_collection():
            assert not gc.isenabled()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert gc.isenabled()
