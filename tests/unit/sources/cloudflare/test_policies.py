"""Two sets of policies are the same when they mean the same, whatever order and clothing they come in."""

import copy
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.sources.cloudflare.differences import differences
from rotator.sources.cloudflare.policies import DENY, TokenPolicy, same_condition

ACCOUNT = "com.cloudflare.api.account.a1"
ZONES = {"com.cloudflare.api.account.zone.z1": "*", "com.cloudflare.api.account.zone.z2": "*"}
WANTED = (
    TokenPolicy(groups=("g1", "g2"), resources={ACCOUNT: "*"}),
    TokenPolicy(groups=("g3",), resources=ZONES),
    TokenPolicy(groups=("g4",), resources={ACCOUNT: {"com.cloudflare.api.account.zone.*": "*"}}),
    TokenPolicy(effect=DENY, groups=("g4",), resources={"com.cloudflare.api.account.zone.z2": "*"}),
)


def same(wanted: tuple[TokenPolicy, ...], shown: object) -> bool:
    return differences(wanted, {}, {"policies": shown}) == ()


def shown() -> list[dict[str, Any]]:
    return [
        {**copy.deepcopy(p.to_json()), "id": f"p{n}", "permission_groups": [{"id": g, "name": "N"} for g in p.groups]}
        for n, p in enumerate(WANTED)
    ]


def test_ids_names_and_order_do_not_matter():
    there = shown()
    there.reverse()
    for policy in there:
        policy["permission_groups"].reverse()
        policy["resources"] = dict(reversed(policy["resources"].items()))

    assert same(WANTED, there)


def test_a_policy_that_was_split_by_group_or_resource_or_joined_means_the_same():
    there = shown()
    split = [
        {**there[0], "permission_groups": [{"id": "g1"}]},
        {**there[0], "permission_groups": [{"id": "g2"}]},
        {**there[1], "resources": {"com.cloudflare.api.account.zone.z1": "*"}},
        {**there[1], "resources": {"com.cloudflare.api.account.zone.z2": "*"}},
        *there[2:],
    ]
    assert same(WANTED, split)


@pytest.mark.parametrize("number", range(4))
def test_a_missing_policy_matters(number: int):
    there = shown()
    del there[number]

    assert not same(WANTED, there)


def test_more_or_other_or_wider_matters():
    more, other, flat, allowed, wider = shown(), shown(), shown(), shown(), shown()
    more[0]["permission_groups"].append({"id": "g9"})
    other[1]["resources"] = {"com.cloudflare.api.account.zone.z1": "*", "com.cloudflare.api.account.zone.z3": "*"}
    flat[2]["resources"] = {"com.cloudflare.api.account.zone.*": "*"}
    allowed[3]["effect"] = "allow"
    wider[1]["resources"]["com.cloudflare.api.account.zone.*"] = "*"

    for there in (more, other, flat, allowed, wider):
        assert not same(WANTED, there)


@pytest.mark.parametrize(
    "there",
    [
        None,
        "all",
        {},
        ["x"],
        [{"effect": "allow"}],
        [{"effect": "allow", "permission_groups": [{"name": "G"}], "resources": {}}],
        [{"effect": "allow", "permission_groups": [], "resources": "*"}],
    ],
)
def test_what_cannot_be_read_is_equal_to_nothing(there: object):
    assert not same(WANTED, there)
    assert not same((), there)


def test_no_policies_at_all_are_equal_to_none():
    assert same((), [])


@given(st.randoms(use_true_random=False))
def test_any_shuffle_of_the_atoms_means_the_same(chance: random.Random):
    atoms = [
        {"effect": p.effect, "permission_groups": [{"id": g}], "resources": {key: value}}
        for p in WANTED
        for g in p.groups
        for key, value in p.resources.items()
    ]
    chance.shuffle(atoms)

    assert same(WANTED, atoms)
    assert not same(WANTED, atoms[1:])


IN = {"in": ("203.0.113.0/24", "198.51.100.7/32")}


@pytest.mark.parametrize(
    "there",
    [
        {"request_ip": {"in": ["198.51.100.7/32", "203.0.113.0/24"]}},
        {"request.ip": {"in": ["203.0.113.0/24", "198.51.100.7"]}},
        {"request_ip": {"in": ["203.0.113.0/24", "198.51.100.7"], "not_in": []}},
        {"request_ip": {"in": ["203.0.113.0/24", "198.51.100.7"], "not_in": None}},
    ],
)
def test_a_condition_is_the_same_under_either_key_in_any_order_and_spelling(there: object):
    assert same_condition(IN, there)


@pytest.mark.parametrize("there", [None, {}, {"request_ip": None}, {"request_ip": {}}, {"request.ip": {"in": []}}])
def test_an_empty_condition_is_none(there: object):
    assert same_condition({}, there)
    assert not same_condition(IN, there)


@pytest.mark.parametrize(
    "there",
    [
        {"request_ip": {"in": ["203.0.113.0/25", "198.51.100.7"]}},
        {"request_ip": {"not_in": ["203.0.113.0/24", "198.51.100.7"]}},
        {"request_ip": {"in": "203.0.113.0/24"}},
        {"request_ip": {"in": ["203.0.113.0/24", "198.51.100.7"]}, "hour": {}},
        {"request_ip": ["203.0.113.0/24"]},
        ["x"],
        {"request_ip": {"in": [7]}},
    ],
)
def test_another_condition_is_another(there: object):
    assert not same_condition(IN, there)
    assert not same_condition({}, there)
