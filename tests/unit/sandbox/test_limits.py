"""The rate limit, and the headers that tell of it."""

import pytest

from tests.sandbox_calls import SECOND_ACCOUNT


def ratelimit(got):
    return got.headers["Ratelimit"], got.headers["Ratelimit-Policy"]


def test_every_answer_tells_of_the_limit_even_while_there_is_none(tokens):
    for got in (tokens.list(), tokens.list(bearer=None), tokens.verify("x" * 40), tokens.get("nonsense")):
        assert ratelimit(got) == ('"default";r=1200;t=300', '"default";q=1200;w=300')
        assert "Retry-After" not in got.headers


def test_the_headers_count_down(tokens):
    tokens.provider.settings(rate_limit={"requests": 3, "window": 60})
    assert [ratelimit(tokens.list())[0].split(";")[1] for _ in range(3)] == ["r=2", "r=1", "r=0"]
    assert ratelimit(tokens.list())[1] == '"default";q=3;w=60'


def test_who_goes_over_is_blocked_from_everything_for_a_whole_window(tokens):
    tokens.provider.settings(rate_limit={"requests": 2, "window": 60})
    made = [tokens.create() for _ in range(3)]
    assert [got.status for got in made] == [200, 200, 429]
    assert made[2].refusal == (429, 971)
    assert 59 <= int(made[2].headers["Retry-After"]) <= 60
    tokens.provider.advance(30)
    assert 29 <= int(tokens.verify(tokens.management).headers["Retry-After"]) <= 30
    tokens.provider.advance(31)
    assert tokens.verify(tokens.management).status == 200


def test_a_blocked_request_does_nothing_but_counts_as_use(tokens):
    token = tokens.made(policies=[])
    tokens.provider.settings(rate_limit={"requests": 1, "window": 60})
    tokens.list()
    tokens.verify(token["value"])
    before = len(tokens.provider.control("GET", "tokens").json["tokens"])
    assert tokens.create().status == 429
    assert tokens.verify(token["value"]).status == 429
    assert len(tokens.provider.control("GET", "tokens").json["tokens"]) == before
    assert tokens.provider.seen(token["id"])["last_used_on"] is not None


def test_the_window_slides(tokens):
    tokens.provider.settings(rate_limit={"requests": 2, "window": 60})
    tokens.list()
    tokens.provider.advance(40)
    tokens.list()
    tokens.provider.advance(21)
    assert tokens.list().status == 200


def test_all_tokens_of_a_user_and_its_key_spend_from_one_purse(provider):
    user = provider.owner("user")
    key = {"x-auth-email": "owner@example.com", "x-auth-key": provider.credentials["global-api-key"]}
    provider.settings(rate_limit={"requests": 2, "window": 60})
    user.list()
    provider.api("GET", "/user", headers=key)
    assert user.verify(provider.credentials["user-standby"]).status == 429
    assert provider.api("GET", f"/accounts/{SECOND_ACCOUNT}/tokens", headers=key).status == 429


def test_each_account_token_has_a_purse_of_its_own(provider):
    account = provider.owner("account")
    provider.settings(rate_limit={"requests": 1, "window": 60})
    account.list()
    assert account.list().status == 429
    assert account.list(bearer=provider.credentials["account-standby"]).status == 200


def test_setting_a_limit_starts_the_count_afresh(tokens):
    tokens.provider.settings(rate_limit={"requests": 1, "window": 60})
    tokens.list()
    assert tokens.list().status == 429
    tokens.provider.settings(rate_limit={"requests": 1, "window": 60})
    assert tokens.list().status == 200
    tokens.provider.settings(rate_limit=None)
    assert tokens.list().status == 200


@pytest.mark.parametrize("value", ["cfut_" + "A" * 40 + "0" * 8])
def test_nobodys_requests_are_counted_against_nobody(tokens, value):
    tokens.provider.settings(rate_limit={"requests": 1, "window": 60})
    assert [tokens.list(bearer=value).status for _ in range(3)] == [401, 401, 401]
