"""From policies back to grants: what is written means exactly the policies that it was written from."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator import catalogue
from rotator.catalogue import Scope
from rotator.core.errors import ConfigError
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.adopting import _Offline, options_of
from rotator.sources.cloudflare.audit import Listed
from rotator.sources.cloudflare.grants import policies_of
from rotator.sources.cloudflare.options import CredentialOptions
from rotator.sources.cloudflare.policies import DENY, atoms
from tests.sandbox_calls import ACCOUNT, ACCOUNT_API_TOKENS_WRITE, DNS_WRITE, SECOND_ACCOUNT, USER, all_of, allow, zone

ZONES = {f"b{number:031}": name for number, name in enumerate(("example.com", "example.net", "twice.org", "twice.org"))}
NAMES = {name: zone_id for zone_id, name in ZONES.items() if name != "twice.org"}
BY_SCOPE = {scope: [g.id for g in catalogue.all_groups() if g.id and g.scope is scope] for scope in Scope}


def listed(policies, owner="user", **more):
    row = {"id": "4a" * 16, "name": "old", "status": "active", "issued_on": "2026-01-01T00:00:00Z"}
    row |= {"modified_on": row["issued_on"], "policies": policies, **more}
    return Listed(owner=owner, account_id=ACCOUNT, row=row, state=tokens.state(row))


def written(policies, **more):
    return options_of(listed(policies, **more), ACCOUNT, ZONES)


def ids(scope):
    safe = [i for i in BY_SCOPE[scope] if i not in ("686d18d5ac6c441c867cbf6771e58a0a", ACCOUNT_API_TOKENS_WRITE)]
    return st.lists(st.sampled_from(safe), min_size=1, max_size=4, unique=True)


def by_id(drawn):
    return [{"id": i} for i in drawn]


grant = st.one_of(
    ids(Scope.ACCOUNT).map(lambda drawn: {"permissions": by_id(drawn)}),
    ids(Scope.USER).map(lambda drawn: {"permissions": by_id(drawn)}),
    ids(Scope.ACCOUNT).map(lambda drawn: {"permissions": by_id(drawn), "accounts": [ACCOUNT, SECOND_ACCOUNT]}),
    ids(Scope.ACCOUNT).map(lambda drawn: {"permissions": by_id(drawn), "accounts": "all"}),
    st.tuples(ids(Scope.ZONE), st.lists(st.sampled_from(sorted(ZONES)), min_size=1, unique=True)).map(
        lambda both: {"permissions": by_id(both[0]), "zones": [{"id": zone_id} for zone_id in both[1]]}
    ),
    ids(Scope.ZONE).map(lambda drawn: {"permissions": by_id(drawn), "zones": "all"}),
    ids(Scope.ZONE).map(lambda drawn: {"permissions": by_id(drawn), "zones": "all", "accounts": "all"}),
    ids(Scope.ZONE).map(
        lambda drawn: {"permissions": by_id(drawn), "zones": "all", "except_zones": [{"id": sorted(ZONES)[0]}]}
    ),
    ids(Scope.BUCKET).map(lambda drawn: {"permissions": by_id(drawn), "buckets": "all"}),
    ids(Scope.BUCKET).map(
        lambda drawn: {"permissions": by_id(drawn), "buckets": ["a", {"name": "b", "jurisdiction": "eu"}]}
    ),
)


@given(st.lists(grant, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_whatever_grants_mean_is_written_as_grants_that_mean_the_same(grants, chance: random.Random):
    directory = _Offline({}, USER)
    made = [p.to_json() for p in policies_of(CredentialOptions(owner="user", grants=grants), ACCOUNT, directory)]
    chance.shuffle(made)
    again = CredentialOptions(**written(made))

    back = policies_of(again, ACCOUNT, _Offline({i: n for n, i in NAMES.items()}, USER))
    assert atoms([p.to_json() for p in back]) == atoms(made)


def test_it_is_written_as_a_person_would():
    policies = [
        allow(DNS_WRITE, "c8fed203ed3043cba015a93ad1616f1f", on=zone(NAMES["example.com"]) | zone(NAMES["example.net"]))
    ]
    made = written(policies, owner="account", condition={"request.ip": {"in": ["203.0.113.0/24"], "not_in": []}})

    assert made == {
        "owner": "account",
        "grants": [{"permissions": ["DNS Write", "Zone Read"], "zones": ["example.com", "example.net"]}],
        "request_ip": {"in": ["203.0.113.0/24"]},
    }


def test_a_zone_whose_name_is_not_the_only_one_is_written_by_its_id():
    twice = sorted(ZONES)[2]

    assert written([allow(DNS_WRITE, on=zone(twice))])["grants"][0]["zones"] == [{"id": twice}]


def test_a_permission_that_the_catalogue_does_not_know_is_written_by_its_id():
    assert written([allow("f" * 32, on=all_of())])["grants"] == [{"permissions": [{"id": "f" * 32}]}]


@pytest.mark.parametrize(
    "policies",
    [
        [{**allow(DNS_WRITE, on=zone()), "effect": DENY}],
        [allow(DNS_WRITE, on={"com.cloudflare.api.account.*": {"com.cloudflare.api.account.zone.*": "*"}})],
        [allow(DNS_WRITE, on={"com.cloudflare.edge.r2.bucket.other_default_a": "*"})],
        [],
    ],
)
def test_policies_that_grants_cannot_say_are_refused(policies):
    with pytest.raises(ConfigError, match="cannot be written as grants"):
        written(policies)


def test_a_token_that_manages_tokens_is_refused():
    with pytest.raises(ConfigError, match="no token can make one"):
        written([allow(ACCOUNT_API_TOKENS_WRITE, on=all_of())])
