"""Permissions as anybody writes them: accepted in every clothing, and helpful where they are wrong.

The files below golden/ hold the names of five write-ups, every group of the catalogue, and misspellings.
"""

from pathlib import Path

import pytest

from rotator.catalogue import Scope, all_groups, catalogue, meaning, named, suggest
from rotator.catalogue.spelling import spelling
from rotator.core.errors import ConfigError

GOLDEN = Path(__file__).parent / "golden"
ALLOWED = {
    "account": [Scope.ACCOUNT, Scope.USER],
    "user": [Scope.ACCOUNT, Scope.USER],
    "zone": [Scope.ZONE],
    "bucket": [Scope.BUCKET],
}


def rows(name: str) -> list[list[str]]:
    lines = (GOLDEN / name).read_text().splitlines()
    return [[part.strip() for part in line.split(" | ")] for line in lines if line and not line.startswith("#")]


FORTY, GROUPS, MISSPELT = rows("forty.txt"), rows("groups.txt"), rows("misspelt.txt")


def clothings(scope: str, written: str) -> list[str]:
    """A permission with its level in parentheses in every other way of writing it."""
    base, _, level = written.rstrip(")").partition(" (")
    if not level:
        return [written, written.lower(), written.upper(), f" {written.replace(' ', '   ')} "]
    ways = [written, f"{base} {level}", f"{base}: {level}", f"{base}:{level}", f"{base} → {level}", f"{base} > {level}"]
    ways += [f"{base} -> {level}", f"{base} [{level}]", f"{base} - {level}", f"{base}/{level}", f"{base}_{level}"]
    ways += [f"{scope.title()} > {written}", f"{scope}:{base}:{level}", f"{scope.upper()} → {base} → {level}"]
    ways += [written.lower(), written.upper(), written.replace(" ", "   "), f"\t{written} "]
    ways += [way.replace(" and ", " & ") for way in (written, f"{base} {level}") if " and " in way]
    if level == "Edit":
        ways += [f"{base} Write", f"{base} (write)"]
    return ways


@pytest.mark.parametrize("scope, written, name", FORTY, ids=lambda text: text.replace(" ", "_"))
def test_the_names_of_the_write_ups_are_taken_in_every_clothing(scope: str, written: str, name: str):
    for way in clothings(scope, written):
        assert meaning(way, ALLOWED[scope]).group.name == name, way


def test_there_are_forty_of_them():
    assert len(FORTY) == 40


@pytest.mark.parametrize("scope, group_id, name, dashboard", GROUPS, ids=lambda text: text.replace(" ", "_")[:24])
def test_every_group_is_found_by_the_apis_name_and_by_the_dashboards(
    scope: str, group_id: str, name: str, dashboard: str
):
    for way in {name, *clothings(scope, dashboard)}:
        meant = meaning(way, ALLOWED[scope])
        assert (meant.group.id, meant.remark) == (group_id, ""), way


def test_the_golden_file_holds_every_group():
    assert {(g.scope.value, g.id, g.name, g.dashboard_name) for g in all_groups() if g.id} == set(map(tuple, GROUPS))


@pytest.mark.parametrize("scope, written, suggested", MISSPELT, ids=lambda text: text.replace(" ", "_")[:40])
def test_what_was_probably_meant_is_suggested(scope: str, written: str, suggested: str):
    assert ", ".join(suggest(written, ALLOWED[scope])) == suggested
    with pytest.raises(ConfigError) as caught:
        meaning(written, ALLOWED[scope])
    assert f"did you mean '{suggested.split(', ')[0]}'" in caught.value.message


def test_a_suggestion_never_changes_the_level_and_never_names_what_has_no_id():
    without = {g.name for g in all_groups() if not g.id}
    for group in all_groups()[::7]:
        if spelling(group.name).level:
            near = suggest(f"x{group.name}")
            assert {spelling(name).level for name in near} <= {spelling(group.name).level}
            assert not set(near) & without


@pytest.mark.parametrize(
    "written, scope, name",
    [
        ("R2 Edit", "account", "Workers R2 Storage Write"),
        ("kv read", "account", "Workers KV Storage Read"),
        ("Pages edit", "account", "Pages Write"),
        ("scripts: edit", "account", "Workers Scripts Write"),
        ("Argo Tunnel (Edit)", "account", "Cloudflare Tunnel Write"),
        ("Account > Settings > Read", "account", "Account Settings Read"),
        ("Zone:Settings:Edit", "zone", "Zone Settings Write"),
        ("Zone:Zone:Read", "zone", "Zone Read"),
        ("SSL (Edit)", "zone", "SSL and Certificates Write"),
        ("Waiting Rooms Edit", "zone", "Waiting Rooms Write"),
        ("worker route write", "zone", "Workers Routes Write"),
        ("User → User Details → Read", "user", "User Details Read"),
        ("Object Read", "bucket", "Workers R2 Storage Bucket Item Read"),
        ("R2 (Edit)", "bucket", "Workers R2 Storage Bucket Item Write"),
        ("Logs Read", "account", "Logs Read"),
        ("Logs Read", "zone", "Logs Read"),
        ("D1 Write (Edit)", "account", "D1 Write"),
        ("Page Shield", "account", "Page Shield"),
    ],
)
def test_short_names_scopes_in_front_and_singular_or_plural_are_taken(written: str, scope: str, name: str):
    group = meaning(written, ALLOWED[scope]).group
    assert (group.name, group.scope) == (name, Scope(scope))


def test_a_name_of_two_scopes_means_the_grants_own():
    assert meaning("Logs Read", [Scope.ACCOUNT]).group.id != meaning("Logs Read", [Scope.ZONE]).group.id


@pytest.mark.parametrize(
    "written, listed",
    [
        ("D1", ["'D1 Read'", "'D1 Write'"]),
        ("R2", ["'Workers R2 Storage Read'", "'Workers R2 Storage Write'"]),
        ("account > workers scripts", ["'Workers Scripts Read'", "'Workers Scripts Write'"]),
    ],
)
def test_a_spelling_that_fits_several_is_an_error_that_lists_them(written: str, listed: list[str]):
    with pytest.raises(ConfigError) as caught:
        meaning(written, ALLOWED["account"])

    assert f"fits {len(listed)} permissions: {', '.join(listed)}" in caught.value.message
    assert caught.value.remedy == "write one of them in full"


def test_one_name_at_two_scopes_is_listed_with_the_scopes():
    with pytest.raises(ConfigError, match=r"'Logs Read' \(account\), 'Logs Read' \(zone\)"):
        meaning("Logs Read", [Scope.ACCOUNT, Scope.ZONE])


@pytest.mark.parametrize(
    "written, scope, where, remedy",
    [
        ("DNS Edit", "account", "on zones", "zones: all"),
        ("Workers Routes (Write)", "account", "on zones", "zones: all"),
        ("Zone > DNS > Edit", "account", "on zones", "zones: all"),
        ("Account > DNS > Edit", "account", "on zones", "zones: all"),
        ("D1 Write", "zone", "on an account", "without zones"),
        ("Memberships Read", "zone", "on a user", "without zones"),
        ("Workers R2 Storage Bucket Item Read", "account", "on buckets", "buckets: [...]"),
    ],
)
def test_a_permission_of_another_scope_says_where_to_put_it(written: str, scope: str, where: str, remedy: str):
    with pytest.raises(ConfigError) as caught:
        meaning(written, ALLOWED[scope])

    assert f"is a permission {where}" in caught.value.message
    assert remedy in caught.value.remedy


def test_a_level_that_a_product_does_not_have_is_said_with_those_that_it_has():
    with pytest.raises(ConfigError, match="that product has 'D1 Read', 'D1 Write'"):
        meaning("D1 (Run)", ALLOWED["account"])


def test_a_documented_name_without_a_public_id_is_refused_with_the_way_by_id():
    with pytest.raises(ConfigError, match="not public") as caught:
        meaning("Containers (Edit)", ALLOWED["account"])

    assert "{id: ...}" in caught.value.remedy


def test_nothing_is_suggested_for_nonsense_and_the_remedy_shows_the_ways_on():
    assert suggest("qqqqqq") == ()
    with pytest.raises(ConfigError) as caught:
        meaning("qqqqqq", ALLOWED["account"])

    assert "did you mean" not in caught.value.message
    assert "{id: ...}" in caught.value.remedy
    assert "rotator permissions" in caught.value.remedy


@pytest.mark.parametrize("written", ["", "  ", "(Edit)", "→", "Edit", "Account", "ünïcode (Edit)"])
def test_no_text_breaks_it(written: str):
    with pytest.raises(ConfigError):
        meaning(written, ALLOWED["account"])


def test_a_former_name_means_todays_group_with_a_word_about_it():
    for old, new in catalogue().renamed.items():
        meant = meaning(old, ALLOWED["account"])
        assert meant.group == named(new)[0]
        assert repr(new) in meant.remark
