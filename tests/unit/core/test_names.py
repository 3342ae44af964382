"""Token names: `base~instance.rid.epoch.n`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.core.protocol.names import LIMIT, AttemptName, is_of, parse

WORD = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=16)
NONCE = st.one_of(st.just(""), st.text("0123456789abcdef", min_size=1, max_size=6).map(lambda s: "x" + s))
BASE = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=200)
NUMBER = st.integers(0, 10**9)
NAMES = st.builds(AttemptName, BASE, WORD, WORD, NUMBER, NUMBER, NONCE)


def test_a_name_says_who_minted_it_when():
    name = AttemptName("deploy", "ece208f1", "77ec1ecf0ddc", 3, 2, "x706a")

    assert str(name) == "deploy~ece208f1.77ec1ecf0ddc.3.2x706a"


@given(NAMES)
def test_a_name_is_never_longer_than_the_provider_takes(name):
    assert len(str(name)) <= LIMIT == 120


@given(NAMES)
def test_the_suffix_is_never_cut(name):
    assert str(name).endswith(f"~{name.instance}.{name.rid}.{name.epoch}.{name.attempt}{name.nonce}")


@given(NAMES)
def test_what_was_written_is_read_back(name):
    parsed = parse(str(name))

    assert parsed is not None
    assert str(parsed) == str(name)
    if len(name.base) + len(str(name).rpartition("~")[2]) + 1 <= LIMIT:
        assert parsed == name


@given(NAMES)
def test_a_name_belongs_to_its_credential_even_where_it_was_cut(name):
    parsed = parse(str(name))

    assert parsed is not None
    assert is_of(parsed, name.base)


def test_a_name_does_not_belong_to_a_credential_whose_name_only_begins_alike():
    parsed = parse("deploy~i.r.1.1")

    assert parsed is not None
    assert not is_of(parsed, "deploy-api")
    assert not is_of(parsed, "dep")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "deploy",
        "deploy~i.r.1",
        "~i.r.1.1",
        "deploy~I.r.1.1",
        "deploy~i.r.one.1",
        "deploy~i.r.1.1 copy",
        "a~i.r.1.1x",
    ],
)
def test_names_of_others_are_not_ours(name):
    assert parse(name) is None


def test_a_base_may_hold_a_tilde():
    parsed = parse("a~b~i.r.1.1")

    assert parsed is not None
    assert parsed.base == "a~b"
