"""A login by OpenID Connect against a real provider, and an act by whoever it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from rotator.config.page import Page
from rotator.web.page.application import page_application
from tests.servers import oidc
from tests.unit.cli.documents import credential, status
from tests.unit.web.page.boards import KEY, FakeBoard

ALICE = {"sub": "alice", "email": "alice@example.com", "email_verified": True}
MALLORY = {"sub": "mallory", "email": "alice@example.com", "email_verified": False}
BASE = "http://localhost:9854"
HERE = "/credentials/workers-deploy"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc.provider(ALICE, MALLORY) as found:
        yield found


@pytest.fixture
def board() -> FakeBoard:
    return FakeBoard(status(credential()))


@pytest.fixture
def client(board, issuer, monkeypatch):
    monkeypatch.setenv("OIDC", "a-client-secret")
    told = {"issuer": issuer, "client_id": "rotator", "client_secret": {"env": "OIDC"}}
    page = Page(users={"oidc": told}, base_url=BASE, acts={"*@example.com": ["rotate"]})
    return TestClient(page_application(board, lambda: page, KEY), base_url=BASE, follow_redirects=False)


def at_the_provider(location: str, sub: str, **form: str) -> str:
    """What somebody does at the provider; returns the path and query with which it sends them back."""
    answer = httpx.post(location, data={"sub": sub, **form}, follow_redirects=False)
    assert answer.status_code in (302, 303), answer.text
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}" == BASE
    return f"{back.path}?{back.query}"


def test_somebody_logs_in_and_acts_under_the_name_that_the_provider_gives(client, board):
    asked = client.get(f"{HERE}?done=")
    assert asked.status_code == 303
    there = client.get(asked.headers["location"])
    back = client.get(at_the_provider(there.headers["location"], "alice"))
    assert back.headers["location"] == f"{HERE}?done="
    page = client.get(HERE)
    assert "alice@example.com" in page.text

    part = page.text[page.text.index(f'action="{HERE}/rotate"') :]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', part[: part.index("</form>")]))
    assert client.post(f"{HERE}/rotate", data=fields).status_code == 303
    assert [(one.user, one.act) for one in board.orders] == [("alice@example.com", "rotate")]


def test_an_address_that_the_provider_has_not_verified_is_nobody_s(client):
    there = client.get("/login").headers["location"]
    answer = client.get(at_the_provider(there, "mallory"))

    assert answer.status_code == 403
    assert client.get("/").status_code == 303


def test_whom_the_provider_refuses_is_not_let_in(client):
    there = client.get("/login").headers["location"]
    assert client.get(at_the_provider(there, "alice", action="deny")).status_code == 403


def test_a_login_that_began_in_another_browser_is_no_login(client):
    there = client.get("/login").headers["location"]
    path = at_the_provider(there, "alice")
    client.cookies.clear()

    assert client.get(path).status_code == 401


def test_a_login_cannot_be_finished_with_the_answer_to_another(client):
    mine = client.get("/login").headers["location"]
    path = at_the_provider(mine, "alice")
    client.get("/login")

    assert client.get(path).status_code == 401


def test_a_code_serves_once(client):
    there = client.get("/login").headers["location"]
    path = at_the_provider(there, "alice")
    cookies = dict(client.cookies)
    assert client.get(path).status_code == 303
    client.cookies.update(cookies)

    assert client.get(path).status_code in (401, 503)


def test_programs_are_told_that_nobody_is_logged_in(client):
    assert client.get("/api/v1/status").status_code == 401
    assert client.post(f"/api/v1{HERE}/rotate", json={}).status_code == 401


def test_a_login_leads_back_into_the_page_and_nowhere_else(client):
    for elsewhere in ("https://evil.example", "//evil.example", "/\\evil.example"):
        there = client.get("/login", params={"to": elsewhere}).headers["location"]
        assert client.get(at_the_provider(there, "alice")).headers["location"] == "/"


def test_a_provider_that_is_away_lets_nobody_in(board, monkeypatch):
    monkeypatch.setenv("OIDC", "a-client-secret")
    told = {"issuer": "http://127.0.0.1:9", "client_id": "rotator", "client_secret": {"env": "OIDC"}}
    page = Page(users={"oidc": told}, base_url=BASE)
    client = TestClient(page_application(board, lambda: page, KEY), base_url=BASE, follow_redirects=False)

    assert client.get("/login").status_code == 503


def test_without_a_provider_there_is_no_login(board):
    client = TestClient(page_application(board, Page, KEY), base_url=BASE)
    assert (client.get("/login").status_code, client.get("/callback").status_code) == (404, 404)
