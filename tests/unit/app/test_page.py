"""The page over a real journal: what it shows of one that was created by a real engine, and no value of it."""

import hashlib

import pytest
from starlette.testclient import TestClient

from rotator.app.documents import status_document
from rotator.app.once import once
from rotator.app.page import DaemonBoard
from rotator.app.reload import reload
from rotator.config.page import Page
from rotator.web.page.application import page_application
from rotator.web.page.board import Conflict, Order, Unknown, Wrong
from tests.rotator_place import eventually


@pytest.fixture
def board(app):
    once(app, 5.0)
    return DaemonBoard(app, lambda: "")


@pytest.fixture
def client(board):
    return TestClient(page_application(board, Page, board.key()), base_url="http://127.0.0.1:9854")


OF_ONE = "/credentials/workers-deploy"
PATHS = ["/", OF_ONE, "/history", "/discover", "/api/v1/status", f"/api/v1{OF_ONE}"]


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_holds_a_value_or_what_could_be_tried_against_one(path, client, place):
    management = (place.folder / "account-management").read_text().strip()
    value = place.value()
    answer = client.get(path)

    assert answer.status_code == 200
    for secret in (value, management):
        digest = hashlib.sha256(secret.encode()).hexdigest()
        assert not any(text in answer.text for text in (secret, secret[8:24], digest, digest[:16]))


def test_the_document_is_that_of_the_command_line(client, app):
    answer, document = client.get("/api/v1/status").json(), status_document(app.queries)

    assert answer["credentials"] == document["credentials"]
    assert answer["configuration_problem"] is None


def test_a_credential_s_facts_are_those_of_history_the_newest_first(board):
    facts = board.facts("workers-deploy", None, 1000)

    assert "confirmed" in [one["kind"] for one in facts.facts]
    assert [one["time"] for one in facts.facts] == sorted((one["time"] for one in facts.facts), reverse=True)
    assert facts.older is None


def test_facts_go_on_where_the_last_page_ended(board):
    for name in ("workers-deploy", None):
        whole = board.facts(name, None, 1000).facts
        first = board.facts(name, None, 3)
        rest = board.facts(name, first.older, 1000)

        assert [*first.facts, *rest.facts] == whole
        assert rest.older is None


def test_only_what_people_did_can_be_asked_for(board):
    assert board.facts(None, None, 10, people=True).facts == []


def test_a_long_search_is_cut_and_goes_on_from_there(board, monkeypatch):
    whole = len(board.facts(None, None, 1000).facts)
    monkeypatch.setattr("rotator.app.page.MOST", whole - 2)
    first = board.facts(None, None, 1000, people=True)

    assert (first.facts, first.older) == ([], 2)
    assert board.facts(None, first.older, 1000, people=True).older is None


def test_a_name_that_nobody_knows_is_said_to_be_unknown(board):
    with pytest.raises(Unknown):
        board.facts("nobody", None, 10)


def test_discover_asks_the_provider(client):
    assert "workers-deploy" in client.get("/discover").text


def test_before_the_first_start_there_is_no_history(opened):
    app = opened("reader")
    assert DaemonBoard(app, lambda: "").facts(None, None, 10).facts == []


# --------------------------------------------------------------------------------------------------------------- acts
def order(act, name="workers-deploy", request_id="ab" * 16, **flags):
    return Order(act=act, name=name, user="alice@example.com", request_id=request_id, flags=flags)


def newest(board):
    return board.facts("workers-deploy", None, 1).facts[0]


def test_an_act_is_journaled_under_the_name_of_the_user_and_shows_in_history(board):
    assert board.act(order("rotate", reason="left on a bus")) == "ab" * 16
    fact = newest(board)

    assert (fact["kind"], fact["actor"]) == ("request", "alice@example.com")
    assert (fact["detail"]["reason"], fact["detail"]["request_id"]) == ("left on a bus", "ab" * 16)
    assert board.facts(None, None, 10, people=True).facts == [fact]


@pytest.mark.parametrize("act", ["rotate", "revoke"])
def test_the_same_order_twice_is_one_fact(board, act):
    for _ in range(2):
        board.act(order(act))

    assert len(board.facts("workers-deploy", None, 10, people=True).facts) == 1


def test_a_pause_lasts_as_long_as_it_says_and_ends_by_resume(board):
    board.act(order("pause", reason="release freeze", **{"for": "4h"}))
    paused = board.status()["credentials"][0]["paused"]
    board.act(order("resume"))

    assert (paused["actor"], paused["reason"]) == ("alice@example.com", "release freeze")
    assert board.status()["credentials"][0]["paused"] is None


def test_to_resume_what_is_not_paused_writes_nothing(board):
    before = newest(board)
    board.act(order("resume"))

    assert newest(board) == before


def test_a_value_in_a_reason_is_never_journaled(board, place):
    board.act(order("revoke", reason=f"it leaked: {place.value()}"))

    assert place.value() not in str(board.facts("workers-deploy", None, 5).facts)


def test_a_revoke_marks_what_may_have_leaked(board):
    board.act(order("revoke", without_successor=True))

    assert newest(board)["kind"] == "revoked"


@pytest.mark.parametrize(
    ("act", "flags", "error"),
    [
        ("rotate", {"strategy": "dance"}, Wrong),
        ("rotate", {"strategy": "roll"}, Wrong),
        ("rotate", {"outage_budget": "2m"}, Wrong),
        ("rotate", {"wait": "5m"}, Wrong),
        ("rotate", {"reason": "a\nb"}, Wrong),
        ("rotate", {"reason": "x" * 501}, Wrong),
        ("rotate", {"reason": 7}, Wrong),
        ("pause", {"for": "soon"}, Wrong),
        ("pause", {"for": "0s"}, Wrong),
        ("resolve", {}, Wrong),
        ("resolve", {"retry": True, "accept": True}, Wrong),
        ("resolve", {"retry": "yes"}, Wrong),
        ("resolve", {"retry": True}, Conflict),
        ("resolve", {"undo": True}, Conflict),
    ],
)
def test_an_order_that_does_not_fit_is_refused_and_nothing_is_journaled(board, act, flags, error):
    before = newest(board)
    with pytest.raises(error):
        board.act(order(act, **flags))

    assert newest(board) == before


def test_an_order_for_nobody_is_refused(board):
    with pytest.raises(Unknown):
        board.act(order("rotate", "nobody"))


def test_a_roll_with_its_budget_is_asked_for(board):
    board.act(order("rotate", strategy="roll", outage_budget="2m"))

    assert newest(board)["detail"]["strategy"] == "roll"


def test_a_decision_is_journaled(board, app, place):
    place.overwrite("not-a-value-of-ours-at-all")
    eventually(lambda: once(app, 5.0) is not None and board.status()["credentials"][0]["needs_operator"])
    board.act(order("resolve", retry=True))

    assert (newest(board)["kind"], newest(board)["detail"]["how"]) == ("resolved", "retry")


def test_what_left_the_configuration_is_not_rotated_and_may_be_paused(board, app, place, opened):
    place.write(credentials=[])
    reload(app)

    with pytest.raises(Conflict):
        board.act(order("rotate"))
    board.act(order("pause"))
    board.act(order("revoke"))
