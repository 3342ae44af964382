"""Who may do what on the page."""

import pytest

from rotator.config.page import Page, secrets_of

USERS = {"bearer": [{"name": "alice", "token": {"env": "ALICE"}}]}


@pytest.mark.parametrize(
    ("user", "acts"),
    [
        ("alice@example.com", {"rotate", "pause", "resume"}),
        ("bob@example.com", {"pause", "resume"}),
        ("Bob@EXAMPLE.com", set()),
        ("alice@example.com.evil.example", set()),
    ],
)
def test_a_user_may_what_every_entry_says_that_fits_the_name(user, acts):
    page = Page(users=USERS, acts={"alice@example.com": ["rotate"], "*@example.com": ["pause", "resume"]})
    assert page.may(user) == acts


def test_nobody_may_do_anything_unless_it_is_written():
    assert Page(users=USERS).may("alice") == frozenset()


@pytest.mark.parametrize(
    ("users", "names"),
    [
        (None, []),
        (USERS, ["ALICE"]),
        ({"proxy": {"from": ["10.1.2.3"], "secret": {"env": "PROXY"}}}, ["PROXY"]),
        ({"proxy": {"from": ["10.1.2.3"]}}, []),
        (
            {"oidc": {"issuer": "https://id.example.com", "client_id": "r", "client_secret": {"env": "OIDC"}}},
            ["OIDC"],
        ),
    ],
)
def test_every_secret_of_the_page_is_known_to_check(users, names):
    page = Page(users=users, base_url="https://rotator.example.com")
    assert [one.env for one in secrets_of(page)] == names
