"""The page over a real journal: what it shows of one that was created by a real engine, and no value of it."""

import hashlib

import pytest
from starlette.testclient import TestClient

from rotator.app.documents import status_document
from rotator.app.once import once
from rotator.app.page import DaemonBoard
from rotator.config.page import Page
from rotator.web.page.application import page_application
from rotator.web.page.board import Unknown


@pytest.fixture
def board(app):
    once(app, 5.0)
    return DaemonBoard(app, lambda: "")


@pytest.fixture
def client(board):
    return TestClient(page_application(board, Page), base_url="http://127.0.0.1:9854")


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


def test_a_name_that_nobody_knows_is_said_to_be_unknown(board):
    with pytest.raises(Unknown):
        board.facts("nobody", None, 10)


def test_discover_asks_the_provider(client):
    assert "workers-deploy" in client.get("/discover").text


def test_before_the_first_start_there_is_no_history(opened):
    app = opened("reader")
    assert DaemonBoard(app, lambda: "").facts(None, None, 10).facts == []
