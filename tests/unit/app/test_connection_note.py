"""The note of a connection: written and read by one codec, and whatever another version wrote does no harm."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.app.connection_note import ConnectionNote, Need, Quota, decode, encode
from rotator.core.durations import NEVER
from rotator.core.reasons import KeepCode

roles = st.sampled_from(["management", "standby"])
needs = st.builds(
    Need,
    role=roles,
    code=st.sampled_from(KeepCode),
    message=st.text(max_size=20),
    remedy=st.text(max_size=20),
    due=st.floats(0, 4e9) | st.just(NEVER),
)
notes = st.builds(
    ConnectionNote,
    needs=st.lists(needs, max_size=3).map(tuple),
    renewal=st.dictionaries(roles, st.floats(0, 4e9) | st.just(NEVER)),
    reachable=st.none() | st.booleans(),
    token_expires_on=st.dictionaries(roles, st.floats(0, 4e9) | st.just(NEVER)),
    accepted=st.dictionaries(roles, st.booleans()),
    problem=st.text(max_size=20),
    remedy=st.text(max_size=20),
    rate_remaining=st.none() | st.integers(0, 1200),
    quota=st.none() | st.builds(Quota, used=st.integers(0, 500), limit=st.integers(0, 500)),
    orphans=st.integers(0, 9),
    offset=st.none() | st.floats(-1e6, 1e6),
)


@given(notes)
def test_what_is_written_is_read_as_it_was(note):
    assert decode(encode(note)) == note


@pytest.mark.parametrize(
    "text", ["", "no json", "[1]", "5", '{"quota": 5, "reachable": "yes", "token_expires_on": []}']
)
def test_what_makes_no_sense_is_an_empty_note(text):
    assert decode(text) == ConnectionNote()


def test_what_the_first_landing_wrote_is_read():
    old = {
        "reachable": False,
        "token_expires_on": {"management": None},
        "problem": "no answer",
        "rate_remaining": 280,
        "quota": {"used": 4, "limit": 500},
        "orphans": 1,
        "offset": -0.3,
    }
    assert decode(json.dumps(old)) == ConnectionNote(
        reachable=False,
        token_expires_on={"management": NEVER},
        problem="no answer",
        rate_remaining=280,
        quota=Quota(used=4, limit=500),
        orphans=1,
        offset=-0.3,
    )


def test_what_a_newer_version_asks_a_person_for_is_left_out():
    text = json.dumps({"needs": [{"role": "standby", "code": "odd"}, 5, {"role": "standby", "code": "member_dead"}]})

    assert [need.code for need in decode(text).needs] == [KeepCode.MEMBER_DEAD]


@pytest.mark.parametrize(
    ("accepted", "degraded"), [({}, False), ({"a": True, "b": False}, False), ({"a": False}, True)]
)
def test_a_connection_of_which_no_token_is_accepted_is_degraded(accepted, degraded):
    assert ConnectionNote(accepted=accepted).degraded is degraded
