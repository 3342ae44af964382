"""What looks like a value of Cloudflare: only that is ever sent to it."""

import pytest

from rotator.core.ports.source import Looks
from rotator.sources.cloudflare.shapes import looks_like

OLD = "Ab-_" * 10
KEYS = ["CLOUDFLARE_API_TOKEN", "CF_API_TOKEN", "TF_VAR_cf_token", "cfToken", "apiCfToken", "my-cloudflare-key", "CF"]


@pytest.mark.parametrize("text", ["cfut_" + "A1b2" * 12, "cfat_" + "A1b2" * 12, "cfnew_" + "A1b2" * 12])
def test_a_token_of_today_is_known_under_any_key(text):
    assert looks_like(text, "API_TOKEN", adopted=False).looks is Looks.OWN


@pytest.mark.parametrize("key", KEYS)
def test_a_token_in_the_old_format_is_known_under_a_key_that_names_its_owner(key):
    assert looks_like(OLD, key, adopted=False).looks is Looks.OWN


@pytest.mark.parametrize("key", ["API_TOKEN", "TOKEN", "scfi_token", "DISCFREE"])
def test_forty_characters_under_any_other_key_are_anybodys(key):
    assert looks_like(OLD, key, adopted=False).looks is Looks.OTHER


def test_the_token_to_be_taken_over_may_be_of_the_old_format():
    assert looks_like(OLD, "API_TOKEN", adopted=True).looks is Looks.OWN


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("cfk_" + "A1b2" * 12, "Global API Key"),
        ("0123456789abcdef" * 2 + "01234567", "Global API Key"),
        ("cfoat_" + "A1b2" * 12, "wrangler"),
        ("cfast_" + "A1b2" * 12, "Access"),
        ("op://vault/item/field", "1Password"),
        ("oops", "another kind"),
        ("cfut_short", "another kind"),
        ("cfut_" + "A" * 48 + "!", "another kind"),
    ],
)
def test_anything_else_is_told_by_its_name_and_is_no_token(text, what):
    found = looks_like(text, "CF_API_TOKEN", adopted=True)

    assert found.looks is not Looks.OWN
    assert what in found.what
