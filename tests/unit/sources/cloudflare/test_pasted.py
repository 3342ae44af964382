"""What is pasted where a management token belongs: told apart by its shape, each with its own fix."""

import pytest

from rotator.core.errors import ConfigError
from rotator.core.secret import Secret
from rotator.sources.cloudflare.pasted import refuse

VALUE = "cfut_" + "CaNaRy0X" * 5 + "0a1b2c3d"
LOGIN = "the management token of connection prod (file /run/secrets/cf)"


@pytest.mark.parametrize("value", [VALUE, VALUE.replace("cfut", "cfat"), "CaNaRy0X-_" * 4, "cfnew_" + "CaNaRy0X" * 6])
def test_a_token_of_any_format_is_taken(value: str):
    refuse(Secret(value), LOGIN)


@pytest.mark.parametrize(
    "text, looks, fix",
    [
        (f'"{VALUE}"', "stands in quotes", "remove the quotes"),
        (f"'{VALUE}'", "stands in quotes", "remove the quotes"),
        (f'{VALUE}"', "a quote at one end", "remove it"),
        (f"CLOUDFLARE_API_TOKEN={VALUE}", "NAME=value", "after the `=`"),
        (f"Bearer:{VALUE}", "begins with `Bearer`", "after it"),
        ("cfk_" + "CaNaRy0X" * 5 + "0a1b2c3d", "a Global API Key", "make an API token"),
        ("0123456789abcdef0123456789abcdef01234", "a Global API Key", "make an API token"),
        ("a0000000000000000000000000000001", "looks like an id", "make an API token"),
        ("0123456789abcdef" * 4, "Access service token", "make an API token"),
        ("cfoat_" + "CaNaRy0X" * 6, "wrangler", "make an API token"),
        ("v1.0-" + "0123456789abcdef" * 10, "Origin CA key", "make an API token"),
        ("op://vault/item/CaNaRy", "1Password", "make an API token"),
        ("your_api_token_here", "a placeholder", "make an API token"),
        ("ghp_CaNaRy0XCaNaRy0X", "GitHub", "make an API token"),
        ("encrypted:CaNaRy", "encrypted", "make an API token"),
        ("CaNaRy", "does not look like", "make an API token"),
    ],
)
def test_each_look_alike_has_its_own_message_and_fix_and_is_never_quoted(text: str, looks: str, fix: str):
    with pytest.raises(ConfigError) as caught:
        refuse(Secret(text), LOGIN)

    assert caught.value.message.startswith(LOGIN)
    assert looks in caught.value.message
    assert fix in caught.value.remedy
    assert "CaNaRy" not in f"{caught.value.message} {caught.value.remedy}"
