"""Permission names: exact, unique within a scope, and helpful where they are wrong."""

import pytest

from rotator.catalogue import Scope, all_groups, by_id, named, resolve, suggest
from rotator.core.errors import ConfigError


def test_a_name_resolves_to_the_id_that_cloudflare_documents():
    assert resolve("DNS Write").id == "4755a26eedb94da69e1066d98aa820be"
    assert resolve("API Tokens Write").scope is Scope.USER
    assert resolve("Account API Tokens Write").id == "5bc3f8b21c554832afc660159ab75fa4"


def test_a_name_of_two_scopes_needs_the_scope_and_has_two_ids():
    with pytest.raises(ConfigError, match="several scopes"):
        resolve("Logs Read")

    assert resolve("Logs Read", Scope.ACCOUNT).id != resolve("Logs Read", Scope.ZONE).id


def test_a_name_of_another_scope_is_refused_with_the_scope_that_has_it():
    with pytest.raises(ConfigError, match="for the scope zone, not for account") as caught:
        resolve("DNS Write", Scope.ACCOUNT)

    assert "scope zone" in caught.value.remedy


@pytest.mark.parametrize(
    "written, meant",
    [
        ("DNS Edit", "DNS Write"),
        ("Zone:DNS:Edit", "DNS Write"),
        ("dns write", "DNS Write"),
        ("Worker Scripts Write", "Workers Scripts Write"),
        ("D1 Edit", "D1 Write"),
        ("Zone View", "Zone Read"),
    ],
)
def test_the_most_likely_name_is_suggested_first(written: str, meant: str):
    assert suggest(written)[0] == meant
    with pytest.raises(ConfigError, match=f"did you mean '{meant}'"):
        resolve(written)


def test_nothing_is_suggested_for_nonsense_and_the_remedy_shows_the_way_by_id():
    assert suggest("qqqqqq") == ()
    with pytest.raises(ConfigError) as caught:
        resolve("qqqqqq")

    assert "did you mean" not in caught.value.message
    assert "{id: ...}" in caught.value.remedy


def test_a_documented_name_without_a_public_id_is_refused_with_the_way_by_id():
    with pytest.raises(ConfigError, match="not public") as caught:
        resolve("Containers Write")

    assert "{id: ...}" in caught.value.remedy


def test_ids_are_unique_hex_and_names_unique_within_a_scope():
    with_id = [g for g in all_groups() if g.id]

    assert len({g.id for g in with_id}) == len(with_id)
    assert len({(g.scope, g.name) for g in with_id}) == len(with_id)
    assert all(len(g.id) == 32 and set(g.id) <= set("0123456789abcdef") for g in with_id)
    assert len(with_id) > 300


def test_every_id_leads_back_to_its_group():
    assert all(by_id(g.id) == g for g in all_groups() if g.id)
    assert by_id("") is None
    assert named("nothing of that name") == ()


def test_scopes_are_written_as_the_api_writes_them():
    assert Scope.ZONE.api_name == "com.cloudflare.api.account.zone"
    assert Scope.BUCKET.api_name == "com.cloudflare.edge.r2.bucket"
