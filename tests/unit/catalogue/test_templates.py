"""The dashboard's templates, and what account-owned tokens cannot do."""

import pytest

from rotator.catalogue import TEMPLATES, Scope, account_token_warning, resolve, template
from rotator.core.errors import ConfigError


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_permission_of_a_template_is_in_the_catalogue(name: str):
    found = template(name)

    resolved = [
        *(resolve(n, Scope.ACCOUNT) for n in found.account),
        *(resolve(n, Scope.ZONE) for n in found.zone),
        *(resolve(n, Scope.USER) for n in found.user),
    ]
    assert found.name == name
    assert resolved


def test_read_all_resources_reads_and_writes_nothing():
    found = template("Read all resources")

    assert all(n.casefold().endswith(" read") for n in (*found.account, *found.zone, *found.user))
    assert len(found.account) > 50


def test_an_unknown_template_is_refused_with_what_was_meant_and_with_all_names():
    with pytest.raises(ConfigError, match="did you mean 'Edit zone DNS'") as caught:
        template("edit Zone DNS")

    assert all(name in caught.value.remedy for name in TEMPLATES)
    with pytest.raises(ConfigError) as caught:
        template("qqqq")
    assert "did you mean" not in caught.value.message


def test_a_product_that_takes_user_tokens_only_is_a_warning_that_names_it():
    warning = account_token_warning(resolve("Page Rules Write"))

    assert warning is not None
    assert "Page Rules" in warning
    assert "owner: user" in warning


def test_a_permission_on_a_user_says_that_an_account_has_none():
    warning = account_token_warning(resolve("Memberships Read"))

    assert warning is not None
    assert "a permission on a user" in warning


def test_an_ordinary_permission_gives_no_warning():
    assert account_token_warning(resolve("DNS Write")) is None
