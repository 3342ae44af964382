"""The catalogue's data: ids, names, scopes, and where they come from."""

import re

import pytest

from rotator.catalogue import Scope, all_groups, by_id, catalogue, named
from rotator.catalogue.groups import parse


def test_ids_are_unique_hex_and_names_unique_within_a_scope():
    with_id = [g for g in all_groups() if g.id]

    assert len({g.id for g in with_id}) == len(with_id) == 311
    assert len({(g.scope, g.name) for g in with_id}) == len(with_id)
    assert all(re.fullmatch("[0-9a-f]{32}", g.id) for g in with_id)


def test_every_id_leads_back_to_its_group():
    assert all(by_id(g.id) == g for g in all_groups() if g.id)
    assert by_id("") is None
    assert named("nothing of that name") == ()


def test_scopes_are_written_as_the_api_writes_them():
    assert Scope.ZONE.api_name == "com.cloudflare.api.account.zone"
    assert Scope.BUCKET.api_name == "com.cloudflare.edge.r2.bucket"


def test_the_catalogue_says_where_it_comes_from_and_of_what_day_it_is():
    assert catalogue().origin
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", catalogue().date)


def test_its_format_knows_former_names_and_groups_that_will_end():
    text = f"""
# a comment
origin somewhere
date 2026-01-02
renamed Teams Read = Zero Trust Read
deprecated {"a" * 32} it ends on 2027-01-01
account {"a" * 32} Old Product Write
zone - Secret Product Read
"""
    found = parse(text)

    assert (found.origin, found.date) == ("somewhere", "2026-01-02")
    assert found.renamed == {"Teams Read": "Zero Trust Read"}
    assert [(g.scope, g.id, g.name, g.deprecated) for g in found.groups] == [
        (Scope.ACCOUNT, "a" * 32, "Old Product Write", "it ends on 2027-01-01"),
        (Scope.ZONE, "", "Secret Product Read", ""),
    ]


def test_what_is_not_its_format_is_not_guessed():
    with pytest.raises(ValueError, match="galaxy"):
        parse("origin x\ndate y\ngalaxy 1 Moon Write")


@pytest.mark.parametrize(
    "name, dashboard",
    [
        ("DNS Write", "DNS (Edit)"),
        ("DNS Read", "DNS (Read)"),
        ("Cache Purge", "Cache Purge (Purge)"),
        ("AI Gateway Run", "AI Gateway (Run)"),
        ("Page Shield", "Page Shield"),
        ("Zaraz Edit", "Zaraz (Edit)"),
    ],
)
def test_the_dashboard_calls_it(name: str, dashboard: str):
    assert named(name)[0].dashboard_name == dashboard
