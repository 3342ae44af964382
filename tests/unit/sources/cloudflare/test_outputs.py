"""What a target's keys may name."""

import pytest

from rotator.core.credential import NEVER
from rotator.core.secret import Secret
from rotator.sources.cloudflare.outputs import NAMES, available, outputs

ACCOUNT = "a0000000000000000000000000000001"


def shown(expires_at: float = 1795341600.0, account_id: str | None = ACCOUNT) -> dict[str, str]:
    found = outputs(token_id="t1", value=Secret("abc"), expires_at=expires_at, owner="user", account_id=account_id)
    return {name: secret.reveal() for name, secret in found.items()}


def test_every_output_has_its_name_in_the_list_and_the_r2_pair_follows_cloudflares_rule():
    assert shown() == {
        "token.value": "abc",
        "token.id": "t1",
        "token.expires_on": "2026-11-22T10:00:00Z",
        "token.owner": "user",
        "account.id": ACCOUNT,
        "r2.access_key_id": "t1",
        # SHA-256 of "abc", FIPS 180-2 appendix B.1
        "r2.secret_access_key": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    }
    assert set(shown()) == NAMES


def test_a_token_without_expiry_says_never():
    assert shown(NEVER)["token.expires_on"] == "never"


@pytest.mark.parametrize("account_id", [None, ""])
def test_without_an_account_there_is_no_account_id(account_id: str | None):
    assert set(shown(account_id=account_id)) == NAMES - {"account.id"} == available(account_id)
    assert available(ACCOUNT) == NAMES
