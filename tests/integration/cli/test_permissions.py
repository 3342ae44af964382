"""permissions: the catalogue by name and scope, and beside the live API."""

import pytest


def names(document):
    return [row["name"] for row in document["permissions"]]


def test_all_permissions_are_listed_with_where_the_list_comes_from(rotator):
    document = rotator("permissions", "-o", "json").json

    assert len(document["permissions"]) == 311
    assert document["origin"]
    assert document["date"].startswith("20")
    assert document["permissions"][0].keys() == {
        *("name", "dashboard_name", "scope", "id", "account_tokens", "deprecated", "probe")
    }


@pytest.mark.parametrize(
    "words, found",
    [
        (["workers scripts"], ["Workers Scripts Read", "Workers Scripts Write"]),
        (["workers", "scripts"], ["Workers Scripts Read", "Workers Scripts Write"]),
        (["R2 (Edit)", "--scope", "account"], ["Workers R2 Storage Write"]),
        (["DNS (Edit)", "--scope", "zone"], ["DNS Write"]),
        (["--scope", "bucket"], ["Workers R2 Storage Bucket Item Read", "Workers R2 Storage Bucket Item Write"]),
    ],
)
def test_a_part_of_a_name_and_any_spelling_find_it(rotator, words, found):
    assert names(rotator("permissions", *words, "-o", "json").json) == found


def test_a_row_tells_what_one_must_know_of_it(rotator):
    rows = {row["name"]: row for row in rotator("permissions", "-o", "json").json["permissions"]}

    assert rows["Page Rules Write"]["account_tokens"] is rows["Memberships Read"]["account_tokens"] is False
    assert rows["DNS Write"]["account_tokens"] is rows["DNS Write"]["probe"] is True
    assert rows["Cache Purge"]["probe"] is False
    assert rows["DNS Write"]["dashboard_name"] == "DNS (Edit)"


def test_people_get_a_table(rotator):
    shown = rotator("permissions", "dns", "write")

    assert "DNS (Edit)" in shown.out
    assert "4755a26eedb94da69e1066d98aa820be" in shown.out


def test_what_fits_nothing_is_a_no_with_what_was_meant(rotator):
    shown = rotator("permissions", "Wrokers Scripts Edit")

    assert shown.code == 1
    assert "did you mean Workers Scripts Write" in shown.err
    assert rotator("permissions", "qqqq", "-o", "json").json["permissions"] == []


def test_the_live_api_is_compared_with_it(rotator, sandbox):
    rows = [{"id": "f" * 32, "name": "Moon Write", "scopes": ["com.cloudflare.api.account"]}]
    rows += [
        {"id": "4755a26eedb94da69e1066d98aa820be", "name": "DNS Edit", "scopes": ["com.cloudflare.api.account.zone"]}
    ]
    body = {"success": True, "errors": [], "messages": [], "result": rows}
    import json

    sandbox.gateway.faults.arm(
        {"operation": "permission_groups", "kind": "status", "status": 200, "body": json.dumps(body)}
    )
    document = rotator("permissions", "--compare", "prod", "-o", "json").json

    assert document["added"] == [{"id": "f" * 32, "name": "Moon Write", "scope": "account"}]
    assert document["renamed"][0]["was"] == "DNS Write"
    assert {row["scope"] for row in document["missing"]} == {"account", "zone"}


def test_the_sandbox_knows_the_same_permissions(rotator):
    shown = rotator("permissions", "--compare", "prod")

    assert shown.code == 0
    assert "knows the same permissions" in shown.out


def test_comparing_with_what_is_no_connection_is_a_usage_error(rotator):
    assert rotator("permissions", "--compare", "nowhere").code == 2
    assert rotator("permissions", "dns", "--compare", "prod").code == 2
