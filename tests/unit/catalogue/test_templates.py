"""The dashboard's templates, and what account-owned tokens cannot do."""

import pytest

from rotator.catalogue import TEMPLATES, Scope, account_token_refusal, account_token_warning, meaning, template
from rotator.catalogue.templates import KEYS
from rotator.core.errors import ConfigError


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_permission_of_a_template_is_in_the_catalogue(name: str):
    found = template(name)

    resolved = [
        *(meaning(n, [Scope.ACCOUNT]) for n in found.account),
        *(meaning(n, [Scope.ZONE]) for n in found.zone),
        *(meaning(n, [Scope.USER]) for n in found.user),
    ]
    assert found.name == name
    assert resolved


def test_read_all_resources_reads_and_writes_nothing():
    found = template("Read all resources")

    assert all(n.casefold().endswith(" read") for n in (*found.account, *found.zone, *found.user))
    assert len(found.account) > 50


@pytest.mark.parametrize("name, key", list(zip(TEMPLATES, KEYS, strict=True)))
def test_a_template_is_found_by_its_key_and_by_the_dashboards_name_in_any_case(name: str, key: str):
    for written in (key, name, name.upper(), key.replace("_", "-"), f" {name} "):
        assert template(written).name == name


def test_the_eight_keys_are_those_of_the_documentation():
    assert KEYS == (
        "edit_zone_dns",
        "read_billing_info",
        "read_analytics_and_logs",
        "edit_cloudflare_workers",
        "edit_load_balancing_configuration",
        "wordpress",
        "create_additional_tokens",
        "read_all_resources",
    )


def test_an_unknown_template_is_refused_with_what_was_meant_and_with_all_names():
    with pytest.raises(ConfigError, match="did you mean 'edit_zone_dns'") as caught:
        template("edit Zone")

    assert all(key in caught.value.remedy for key in KEYS)
    with pytest.raises(ConfigError) as caught:
        template("qqqq")
    assert "did you mean" not in caught.value.message


def group(name: str):
    return meaning(name, list(Scope)).group


def test_what_an_account_cannot_hold_is_refused_and_what_it_perhaps_cannot_is_a_warning():
    assert "Page Rules" in account_token_refusal(group("Page Rules Write"))
    assert "a permission on a user" in account_token_refusal(group("Memberships Read"))
    assert account_token_refusal(group("DNS Write")) == account_token_warning(group("DNS Write")) == ""
    assert "Client Platform" in account_token_warning(group("Access: Device Posture Read"))
