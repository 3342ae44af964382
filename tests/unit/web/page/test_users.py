"""Who asks: what is believed of headers, and what is not."""

import base64

import pytest
from starlette.testclient import TestClient

from rotator.config.page import Page
from rotator.web.page.application import page_application
from rotator.web.page.users import Denied, bearer, named, proxied
from tests.unit.cli.documents import credential, status
from tests.unit.web.page.boards import KEY, FakeBoard

PROXY = {"proxy": {"from": ["10.1.2.0/24", "fd00::/120"], "secret": {"env": "PROXY"}}}
BEARER = {"bearer": [{"name": "alice", "token": {"env": "ALICE"}}, {"name": "bob", "token": {"env": "BOB"}}]}


@pytest.fixture
def asked(monkeypatch):
    """Asks for a document of a page with these users, from an address, with headers; returns status and body."""
    monkeypatch.setenv("PROXY", "between-us")
    monkeypatch.setenv("ALICE", "alice-token")
    monkeypatch.setenv("BOB", "bob-token")

    def ask(users, headers, peer="10.1.2.3", path="/api/v1/status"):
        made = page_application(
            FakeBoard(status(credential())), lambda: Page(users=users, base_url="https://r.example"), KEY
        )
        client = TestClient(made, base_url="https://r.example", client=(peer, 4711))
        return client.get(path, headers=headers)

    return ask


FROM_PROXY = [("X-Forwarded-User", "alice@example.com"), ("X-Rotator-Proxy", "between-us")]


def test_whom_the_proxy_names_is_let_in_and_shown(asked):
    answer = asked(PROXY, FROM_PROXY, path="/")

    assert answer.status_code == 200
    assert "alice@example.com" in answer.text


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7"])
def test_the_proxy_is_known_by_its_networks(asked, peer):
    assert asked(PROXY, FROM_PROXY, peer).status_code == 200


@pytest.mark.parametrize("peer", ["10.1.3.3", "127.0.0.1", "::1", "fd00::1:7", "nonsense", ""])
def test_from_elsewhere_nobody_is_let_in_whatever_the_header_says(asked, peer):
    assert asked(PROXY, FROM_PROXY, peer).status_code == 403


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([], 403),
        (FROM_PROXY[:1], 403),
        (FROM_PROXY[1:], 401),
        ([FROM_PROXY[0], ("X-Rotator-Proxy", "wrong")], 403),
        ([*FROM_PROXY, ("X-Rotator-Proxy", "between-us")], 403),
        ([*FROM_PROXY, ("x-forwarded-user", "root")], 401),
        ([("X-Forwarded-User", "alice, root"), FROM_PROXY[1]], 401),
        ([("X-Forwarded-User", " "), FROM_PROXY[1]], 401),
        ([("X-Forwarded-User", "a" * 129), FROM_PROXY[1]], 401),
    ],
)
def test_a_header_that_is_missing_doubled_or_joined_is_refused(asked, headers, code):
    answer = asked(PROXY, headers)

    assert answer.status_code == code
    assert "workers-deploy" not in answer.text


@pytest.mark.parametrize("raw", [b"", b"\xff", b"a\tb", b"a\x00", "a\u202eb".encode(), b"a,b"])
def test_a_name_is_one_printable_text(raw):
    with pytest.raises(Denied):
        named(raw)


def test_a_name_may_hold_what_languages_have():
    assert named("Zoë Müller".encode()) == "Zoë Müller"


@pytest.mark.parametrize(
    "shown",
    [
        "Bearer alice-token",
        "bearer alice-token",
        "Basic " + base64.b64encode(b"alice:alice-token").decode(),
    ],
)
def test_who_shows_a_token_is_let_in(asked, shown):
    assert asked(BEARER, [("Authorization", shown)], "192.0.2.1").status_code == 200


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer wrong",
        "Bearer alice-token extra",
        "Token alice-token",
        "Basic " + base64.b64encode(b"bob:alice-token").decode(),
        "Basic " + base64.b64encode(b":alice-token").decode(),
        "Basic not-base64!",
    ],
)
def test_who_shows_no_token_of_anybody_is_asked_for_one(asked, shown):
    answer = asked(BEARER, [("Authorization", shown)] if shown else [])

    assert answer.status_code == 401
    assert "Bearer" in answer.headers["www-authenticate"]


def test_two_tokens_are_none(asked):
    both = [("Authorization", "Bearer alice-token"), ("Authorization", "Bearer bob-token")]
    assert asked(BEARER, both).status_code == 401


def test_a_secret_that_cannot_be_read_lets_nobody_in(asked, monkeypatch):
    monkeypatch.delenv("BOB")
    answer = asked(BEARER, [("Authorization", "Bearer alice-token")])

    assert answer.status_code == 503
    assert "BOB" not in answer.text


@pytest.mark.parametrize("path", ["/", "/credentials/workers-deploy", "/history", "/discover", "/events"])
def test_every_page_wants_to_know_who_asks(asked, path):
    assert asked(BEARER, [], path=path).status_code == 401


def test_the_files_beside_the_pages_are_for_everybody(asked):
    assert asked(BEARER, [], path="/static/page.css").status_code == 200


def test_pure_functions_refuse_by_themselves():
    with pytest.raises(Denied):
        bearer([], [])
    with pytest.raises(Denied):
        proxied(Page(users={"proxy": {"from": ["10.1.2.3"]}}).users.proxy, [], "10.1.2.3", None)
