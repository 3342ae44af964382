"""What the token of a credential will be, as the dashboard shows it before one is made."""

import json

from rotator.app.summary import summary
from rotator.config.load import load
from rotator.registry import kinds

ACCOUNT = "a" * 32


def told(tmp_path, **credential):
    stanza = {"name": "deploy", "connection": "prod", "targets": [{"type": "env_file", "path": ".env"}]}
    document = {
        "version": 1,
        "connections": {"prod": {"type": "cloudflare", "account_id": ACCOUNT, "token": {"env": "T"}}},
        "credentials": [
            {"name": "deploy", "connection": "prod", "targets": [{"type": "env_file", "path": ".env"}]} | credential
        ],
    }
    (tmp_path / "rotator.yaml").write_text(json.dumps(document))
    (stanza,) = load(tmp_path / "rotator.yaml", kinds()).credentials
    return summary(stanza, ACCOUNT)


def rows(shown):
    return [(r["scope"], r["effect"], r["permission"], r["resources"]) for r in shown["permissions"]]


def test_permissions_stand_by_scope_with_their_resources(tmp_path):
    shown = told(
        tmp_path,
        owner="user",
        grants=[
            {"permissions": ["DNS (Edit)"], "zones": ["example.com", "b" * 32]},
            {"permissions": ["Zone Read"], "zones": "all", "except_zones": ["example.org"]},
            {"permissions": ["D1 Write", "Memberships Read"]},
            {
                "permissions": ["Workers R2 Storage Bucket Item Read"],
                "buckets": [{"name": "cold", "jurisdiction": "eu"}],
            },
        ],
    )
    zone = "the zone " + "b" * 32
    assert rows(shown) == [
        ("account", "allow", "D1 Write", [f"the account {ACCOUNT}"]),
        ("zone", "allow", "DNS Write", ["example.com", zone]),
        ("zone", "allow", "Zone Read", [f"all zones of the account {ACCOUNT}"]),
        ("zone", "deny", "Zone Read", ["example.org"]),
        ("user", "allow", "Memberships Read", ["the user"]),
        ("bucket", "allow", "Workers R2 Storage Bucket Item Read", ["cold (eu)"]),
    ]


def test_limits_lifetime_and_start_are_told(tmp_path):
    limits = {"in": ["203.0.113.0/24"], "not_in": ["203.0.113.9/32"]}
    shown = told(tmp_path, grants=[{"permissions": ["D1 Write"]}], request_ip=limits, lifetime="30d", not_before="5m")

    assert shown["request_ip"] == limits
    assert (shown["lifetime"], shown["not_before"]) == (30 * 86400, 300)
    assert (shown["owner"], shown["account_id"]) == ("account", ACCOUNT)


def test_a_template_is_told_by_its_permissions_and_all_accounts_by_that_word(tmp_path):
    grants = [{"template": "read_billing_info", "accounts": "all"}]
    shown = told(tmp_path, owner="user", lifetime="never", rotation={"every": "90d"}, grants=grants)

    assert rows(shown) == [("account", "allow", "Billing Read", ["all accounts"])]
    assert shown["lifetime"] is None
