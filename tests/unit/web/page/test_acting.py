"""Acts by way of the page: who may, what is refused, and that one order is one act."""

import re

import pytest
from starlette.testclient import TestClient

from rotator.config.page import Page
from rotator.web.page.application import page_application
from rotator.web.page.board import Conflict, Unknown, Wrong
from rotator.web.page.forms import VALID, Forms, Repeated, Stale
from tests.unit.cli.documents import credential, needs, status
from tests.unit.web.page.boards import KEY, FakeBoard

USERS = {"bearer": [{"name": "alice", "token": {"env": "ALICE"}}, {"name": "bob", "token": {"env": "BOB"}}]}
MAY = {"alice": ["rotate", "pause", "resume", "resolve", "revoke"], "bob": ["pause"]}
API = "/api/v1/credentials/workers-deploy"
HERE = "/credentials/workers-deploy"


@pytest.fixture
def board():
    stuck = credential("stuck", state="needs_operator", ready=False, needs_operator=needs())
    return FakeBoard(status(credential(), stuck))


@pytest.fixture
def as_user(board, monkeypatch):
    """A browser or program of somebody; None has no name."""
    monkeypatch.setenv("ALICE", "alice-token")
    monkeypatch.setenv("BOB", "bob-token")
    page = Page(users=USERS, acts=MAY)
    made = page_application(board, lambda: page, KEY)

    def client(name):
        headers = {"Authorization": f"Bearer {name}-token"} if name else {}
        return TestClient(made, base_url="http://localhost:9854", headers=headers, follow_redirects=False)

    return client


def form(client, act, path=HERE):
    """The hidden fields of the form of an act, as the page has them."""
    html = client.get(path).text
    part = html[html.index(f'action="{path}/{act}"') :]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', part[: part.index("</form>")]))


# ----------------------------------------------------------------------------------------------------------- programs
def test_a_program_asks_with_json_and_gets_the_id_of_its_request(as_user, board):
    answer = as_user("alice").post(f"{API}/rotate", json={"reason": "left on a bus", "outage-budget": "2m"})
    [order] = board.orders

    assert answer.status_code == 202
    assert answer.json() == {"request_id": order.request_id}
    assert (order.act, order.name, order.user) == ("rotate", "workers-deploy", "alice")
    assert order.flags == {"reason": "left on a bus", "outage_budget": "2m"}


def test_a_program_may_name_its_request(as_user, board):
    answer = as_user("alice").post(f"{API}/pause", json={"request_id": "ab" * 8})

    assert answer.json() == {"request_id": "ab" * 8}
    assert board.orders[0].flags == {}


def test_no_body_is_no_flags(as_user, board):
    answer = as_user("alice").post(f"{API}/rotate", headers={"content-type": "application/json"})
    assert (answer.status_code, board.orders[0].flags) == (202, {})


@pytest.mark.parametrize(
    ("user", "act", "code"),
    [(None, "rotate", 401), ("bob", "rotate", 403), ("bob", "pause", 202), ("alice", "explode", 404)],
)
def test_who_may_not_is_refused(as_user, board, user, act, code):
    assert as_user(user).post(f"{API}/{act}", json={}).status_code == code
    assert len(board.orders) == (code == 202)


@pytest.mark.parametrize(("error", "code"), [(Unknown(), 404), (Wrong("no such flag"), 400), (Conflict("no"), 409)])
def test_what_does_not_fit_is_said(as_user, board, error, code):
    board.error = error
    answer = as_user("alice").post(f"{API}/rotate", json={})

    assert answer.status_code == code
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{}", "text/plain"),
        ("{}", "application/x-www-form-urlencoded"),
        ("{", "application/json"),
        ("[]", "application/json"),
        ('{"request_id": "../../x"}', "application/json"),
        ('{"request_id": 7}', "application/json"),
    ],
)
def test_a_body_that_is_not_understood_does_nothing(as_user, board, body, kind):
    assert as_user("alice").post(f"{API}/rotate", content=body, headers={"content-type": kind}).status_code == 400
    assert board.orders == []


def test_a_large_body_is_refused(as_user, board):
    answer = as_user("alice").post(f"{API}/rotate", json={"reason": "x" * 20_000})
    assert (answer.status_code, board.orders) == (413, [])


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_what_another_site_sends_is_refused(as_user, board, headers):
    client = as_user("alice")

    assert client.post(f"{API}/rotate", json={}, headers=headers).status_code == 403
    assert client.post(f"{HERE}/rotate", data=form(client, "rotate"), headers=headers).status_code == 403
    assert board.orders == []


def test_without_users_nobody_acts(board):
    client = TestClient(page_application(board, Page, KEY), base_url="http://localhost")

    assert client.post(f"{API}/rotate", json={}).status_code == 401
    assert "<form method=" not in client.get(HERE).text


# ------------------------------------------------------------------------------------------------------------- people
def test_a_form_is_an_act_whose_nonce_is_the_request(as_user, board):
    client = as_user("alice")
    fields = form(client, "rotate")
    answer = client.post(f"{HERE}/rotate", data=fields | {"reason": "left on a bus"})
    [order] = board.orders

    assert (answer.status_code, answer.headers["location"]) == (303, f"{HERE}?done=rotate")
    assert (order.request_id, order.flags) == (fields["nonce"], {"reason": "left on a bus"})
    assert "A rotation is requested." in client.get(answer.headers["location"]).text


def test_the_same_form_twice_is_one_act(as_user, board):
    client = as_user("alice")
    fields = form(client, "pause") | {"for": "4h"}
    answers = [client.post(f"{HERE}/pause", data=fields) for _ in range(2)]

    assert [one.status_code for one in answers] == [303, 303]
    assert len(board.orders) == 1


def test_a_decision_is_one_form_for_each_choice(as_user, board):
    client = as_user("alice")
    fields = form(client, "resolve", "/credentials/stuck")
    client.post("/credentials/stuck/resolve", data=fields)

    assert fields["how"] == "retry"
    assert board.orders[0].flags == {"retry": True}


def test_a_form_serves_only_its_user_its_act_and_its_credential(as_user, board):
    alice, bob = as_user("alice"), as_user("bob")
    fields = form(alice, "pause")

    assert bob.post(f"{HERE}/pause", data=fields).status_code == 403
    assert alice.post(f"{HERE}/rotate", data=fields).status_code == 403
    assert alice.post("/credentials/stuck/pause", data=fields).status_code == 403
    assert board.orders == []


@pytest.mark.parametrize(
    "spoiled", [{"seal": ""}, {"nonce": "0"}, {"until": "99999999999"}, {"seal": "é"}, {"until": ""}]
)
def test_a_form_that_somebody_made_up_is_refused(as_user, board, spoiled):
    client = as_user("alice")
    answer = client.post(f"{HERE}/pause", data=form(client, "pause") | spoiled)

    assert (answer.status_code, board.orders) == (403, [])


@pytest.mark.parametrize(("body", "code"), [(b"", 403), (b"nonsense", 400), (b"\xff=\xfe", 400), (b"a=b", 403)])
def test_a_form_that_cannot_be_read_does_nothing(as_user, board, body, code):
    answer = as_user("alice").post(f"{HERE}/pause", content=body)
    assert (answer.status_code, board.orders) == (code, [])


def test_a_page_shows_only_what_its_user_may(as_user):
    html = as_user("bob").get(HERE).text

    assert f'action="{HERE}/pause"' in html
    assert f'action="{HERE}/rotate"' not in html
    assert f'action="{HERE}/revoke"' not in html


def test_after_an_act_the_page_shows_what_is_then(as_user, board):
    client = as_user("alice")
    client.get(HERE)
    board.document["credentials"][0]["message"] = "something else"
    client.post(f"{API}/rotate", json={})

    assert "something else" in client.get(HERE).text


def test_a_form_is_good_for_an_hour():
    now = [1000.0]
    forms = Forms(KEY, lambda: now[0])
    fields, later = forms.make("a", "pause", "c"), forms.make("a", "pause", "c")
    assert forms.check(fields, "a", "pause", "c") == fields["nonce"]
    with pytest.raises(Repeated):
        forms.check(fields, "a", "pause", "c")
    now[0] += VALID + 1
    with pytest.raises(Stale):
        forms.check(later, "a", "pause", "c")
