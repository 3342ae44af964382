"""A value that is shown once is taken whatever stands around it; a state that tokens die by must be whole."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.core.credential import NEVER
from rotator.core.ports.source import Minted
from rotator.sources.cloudflare.answers import Envelope
from rotator.sources.cloudflare.policies import TokenPolicy
from rotator.sources.cloudflare.tokens import api_time, changed_body, groups_of, minted, new_body, state, user_of

VALUE = "cfat_" + "a" * 40 + "00000000"
ID = "ed17574386854bf78a67040be0a770b0"


def take(result: object, token_id: str = "", success: bool = True) -> Minted | None:
    return minted(Envelope(success, (), result), name="asked", token_id=token_id, issued_at=7.0, expires_at=9.0)


@pytest.mark.parametrize(
    "around",
    [
        {},
        {"name": None, "issued_on": "nonsense", "expires_on": 3, "status": [], "policies": "?"},
        {"name": 5, "expires_on": None},
        {"new_field": {"deep": [1]}},
    ],
)
@pytest.mark.parametrize("success", [True, False])
def test_a_value_is_taken_whatever_stands_around_it(around: dict[str, Any], success: bool):
    found = take({"id": ID, "value": VALUE, **around}, success=success)

    assert found is not None
    assert (found.token_id, found.value.reveal(), found.name) == (ID, VALUE, "asked")
    assert (found.issued_at, found.expires_at) == (7.0, 9.0)


def test_what_the_answer_says_beats_what_was_asked_for():
    shown = {
        "id": ID,
        "value": VALUE,
        "name": "cut",
        "issued_on": "1970-01-01T00:00:01Z",
        "expires_on": "1970-01-01T00:01:00Z",
    }
    found = take(shown)

    assert found is not None
    assert (found.name, found.issued_at, found.expires_at) == ("cut", 1.0, 60.0)


def test_a_roll_answers_with_the_bare_value_and_the_id_is_known():
    found = take(VALUE, token_id=ID)

    assert found is not None
    assert (found.token_id, found.value.reveal()) == (ID, VALUE)
    also = take({"value": VALUE}, token_id=ID)
    assert also is not None
    assert also.token_id == ID


@pytest.mark.parametrize(
    "value",
    ["", "short", "x" * 19, "x" * 513, "with space " * 3, "line\n" * 5, "ü" * 40, None, 5, ["x" * 40], {"value": 1}],
)
def test_what_cannot_be_a_value_is_none(value: object):
    assert take({"id": ID, "value": value}) is None


@pytest.mark.parametrize("token_id", [None, "", 5, "../x", "a" * 65, "a b"])
def test_a_value_without_an_id_can_be_neither_verified_nor_retired_and_is_none(token_id: object):
    assert take({"id": token_id, "value": VALUE}) is None


def test_a_minted_value_is_not_shown_by_its_repr():
    assert VALUE not in repr(take({"id": ID, "value": VALUE}))


SHOWN = {
    "id": ID,
    "name": "one",
    "status": "active",
    "issued_on": "2026-11-22T10:00:00Z",
    "modified_on": "2026-11-22T11:00:00Z",
    "expires_on": "2026-11-23T10:00:00Z",
    "last_used_on": None,
}


def test_a_state_has_everything_that_the_provider_says():
    found = state(SHOWN)

    assert found is not None
    assert (found.id, found.name, found.active, found.last_used_at) == (ID, "one", True, None)
    assert (found.expires_at - found.issued_at, found.modified_at - found.issued_at) == (86400, 3600)


def test_an_unknown_status_is_kept_and_is_not_alive():
    found = state({**SHOWN, "status": "revoked (exposed)"})

    assert found is not None
    assert (found.status, found.active) == ("revoked (exposed)", False)


def test_no_expiry_is_never():
    for shown in ({**SHOWN, "expires_on": None}, {k: v for k, v in SHOWN.items() if k != "expires_on"}):
        found = state(shown)
        assert found is not None
        assert found.expires_at == NEVER


@pytest.mark.parametrize(
    "odd",
    [
        {"id": None},
        {"id": "a/b"},
        {"status": None},
        {"status": ""},
        {"status": True},
        {"expires_on": "soon"},
        {"expires_on": 17},
        {"last_used_on": "yesterday"},
    ],
)
def test_where_something_that_a_decision_rests_on_is_odd_there_is_no_state(odd: dict[str, object]):
    assert state({**SHOWN, **odd}) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*SHOWN, "value", "policies", "condition"]), json_values))
def test_no_token_object_breaks_the_parsers(shown: dict[str, object]):
    state(shown)
    take(shown)
    user_of(shown)
    groups_of(shown)


# --------------------------------------------------------------------------------------------------------------- bodies
POLICY = TokenPolicy(groups=("g",), resources={"r": "*"})


def test_a_new_token_has_what_it_needs_and_no_more():
    assert new_body("n", [POLICY], {}, NEVER) == {
        "name": "n",
        "policies": [{"effect": "allow", "permission_groups": [{"id": "g"}], "resources": {"r": "*"}}],
    }
    body = new_body("n", [], {"in": ("203.0.113.0/24",)}, 86400.9)
    assert body["expires_on"] == "1970-01-02T00:00:00Z"
    assert body["condition"] == {"request_ip": {"in": ["203.0.113.0/24"]}}
    assert "not_before" not in body


def test_a_changed_token_keeps_all_that_was_shown_and_nothing_that_is_the_providers_own():
    shown = {
        **SHOWN,
        "not_before": "2026-11-22T10:00:00.5Z",
        "policies": [
            {
                "id": "p",
                "effect": "deny",
                "permission_groups": [{"id": "g", "name": "G", "meta": {}}],
                "resources": {"a": {"b": "*"}},
            }
        ],
        "condition": {"request.ip": {"in": ["203.0.113.7"]}},
    }

    assert changed_body(shown, status="disabled") == {
        "name": "one",
        "status": "disabled",
        "policies": [{"effect": "deny", "permission_groups": [{"id": "g"}], "resources": {"a": {"b": "*"}}}],
        "not_before": "2026-11-22T10:00:00Z",
        "expires_on": "2026-11-23T10:00:00Z",
        "condition": {"request.ip": {"in": ["203.0.113.7"]}},
    }


def test_a_change_of_something_else_sends_no_status_so_that_a_late_one_wakes_no_disabled_token():
    body = changed_body({**SHOWN, "status": "active", "policies": []}, expires_on="2026-11-24T10:00:00Z")

    assert body is not None
    assert "status" not in body


@pytest.mark.parametrize("condition", [None, {}, {"request_ip": {}}, {"request_ip": None}])
def test_an_empty_condition_is_not_sent_for_it_would_shut_everybody_out(condition: object):
    assert "condition" not in (changed_body({**SHOWN, "policies": [], "condition": condition}) or {"condition": 0})


def test_the_user_is_read_from_policies_that_name_exactly_one():
    def with_users(*users: str) -> dict[str, object]:
        return {"policies": [{"resources": {f"com.cloudflare.api.user.{u}": "*"}} for u in users]}

    assert user_of(with_users("c1", "c1")) == "c1"
    assert user_of(with_users("c1", "c2")) is None
    assert user_of(with_users("*")) is None
    assert user_of({"policies": [{"resources": {"com.cloudflare.api.account.a1": "*"}}]}) is None


def test_the_groups_of_a_token_are_those_that_it_allows():
    policies = [
        {"effect": "allow", "permission_groups": [{"id": "a"}, {"id": "b"}]},
        {"effect": "deny", "permission_groups": [{"id": "c"}]},
    ]
    assert groups_of({"policies": policies}) == {"a", "b"}


@pytest.mark.parametrize(
    "odd",
    [
        {"name": None},
        {"policies": None},
        {"policies": "all"},
        {"policies": ["x"]},
        {"policies": [{"permission_groups": [{"id": "g"}]}]},
        {"policies": [{"permission_groups": [{"name": "G"}], "resources": {}}]},
        {"policies": [{"permission_groups": None, "resources": {}}]},
    ],
)
def test_what_cannot_be_sent_back_unchanged_is_not_sent_back(odd: dict[str, object]):
    assert changed_body({**SHOWN, "policies": [], **odd}) is None


def test_times_are_written_as_the_api_takes_them_and_none_beyond_the_calendar():
    assert api_time(1795341600.99) == "2026-11-22T10:00:00Z"
    with pytest.raises(ValueError, match="9999"):
        api_time(1e15)
