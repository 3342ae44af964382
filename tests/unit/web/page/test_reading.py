"""The page as a browser gets it: what it shows, to whom, and what stands around every answer."""

import json
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from rotator.config.page import Page
from rotator.core.errors import Unavailable
from rotator.core.times import drawn_at
from rotator.web.page.application import page_application
from rotator.web.page.guard import answers_to
from tests.unit.cli.documents import connection, credential, needs, status, target
from tests.unit.web.page.boards import KEY, FakeBoard, fact

HOSTILE = "<script src=evil.js>\"'><img src=x onerror=alert(2)>{{7*7}}"


def browser(board=None, page=None, **more):
    made = page_application(board or FakeBoard(status(credential())), lambda: page or Page(), KEY)
    return TestClient(made, base_url="http://localhost", raise_server_exceptions=False, **more)


class Tags(HTMLParser):
    """What a browser would make of a page: its tags, with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def words(answer):
    return " ".join(" ".join(Tags(answer.text).text).split())


# --------------------------------------------------------------------------------------------------------------- fleet
def test_the_fleet_says_first_how_many_need_a_person():
    board = FakeBoard(
        status(credential("a"), credential("b", state="needs_operator", ready=False, needs_operator=needs()))
    )
    said = words(browser(board).get("/"))

    assert "1 needs a person of 2" in said
    assert said.index("somebody else changed the managed key") < said.index("Fresh")


TROUBLED = status(
    credential("a", labels={"team": "web"}, targets=[target("vault:x")], expires_on="2027-02-02T00:00:00Z"),
    credential("b", labels={"team": "data"}, ready=False, connection="other", targets=[target("env_file:/b")])
    | {"expires_on": "2027-01-01T00:00:00Z"},
    credential("bad", state="failing", targets=[target("env_file:/c")], expires_on=None),
)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["bad", "b", "a"]),
        ("?state=failing", ["bad"]),
        ("?state=not_ready", ["b"]),
        ("?label=team=web", ["a"]),
        ("?label=team", ["b", "a"]),
        ("?target=vault:*", ["a"]),
        ("?q=A", ["bad", "a"]),
        ("?q=b*", ["bad", "b"]),
        ("?connection=other", ["b"]),
        ("?sort=name", ["a", "b", "bad"]),
        ("?sort=expires", ["b", "a", "bad"]),
        ("?state=nonsense&sort=nonsense&page=-3", ["bad", "b", "a"]),
        ("?state=failing&state=idle&label=team=data", ["b"]),
        ("?q=nobody", []),
    ],
)
def test_a_query_says_which_are_shown_and_in_which_order(query, names):
    html = browser(FakeBoard(TROUBLED)).get(f"/{query}").text
    table = html[html.index("<tbody>") :] if "<tbody>" in html else ""
    found = [a["href"].rsplit("/", 1)[-1] for t, a in Tags(table).tags if t == "a" and a["href"].startswith("/cred")]

    assert found == names


def test_a_large_fleet_comes_in_pages():
    board = FakeBoard(status(*(credential(f"c{n:04d}") for n in range(250))))
    first, last = browser(board).get("/"), browser(board).get("/?page=3")

    assert "Page 1 of 3" in words(first)
    assert "c0249" in words(last)
    assert "c0000" not in words(last)


def test_five_thousand_credentials_fit_into_three_hundred_kilobytes():
    board = FakeBoard(status(*(credential(f"c{n:04d}", labels={"team": "web"}) for n in range(5000))))

    assert len(browser(board).get("/").content) < 300_000


def test_a_fleet_without_credentials_says_how_to_begin():
    assert "rotator init" in words(browser(FakeBoard(status())).get("/"))


def test_the_headline_is_calm_while_everything_is_ready():
    assert "All 2 are ready" in words(browser(FakeBoard(status(credential("a"), credential("b")))).get("/"))


def test_a_first_start_is_not_called_a_failure():
    new = credential("new", state="uninitialized", ready=False, token_id=None, expires_on=None, message="nothing yet")
    html = browser(FakeBoard(status(new))).get("/").text

    assert 'class="headline warn"' in html


def test_without_a_daemon_and_with_a_connection_that_is_away_both_are_said():
    document = status(credential(), daemons=[], connections=[connection(reachable=False, problem="HTTP 401")])
    said = words(browser(FakeBoard(document)).get("/"))

    assert "No daemon runs on this journal" in said
    assert "HTTP 401" in said


# ---------------------------------------------------------------------------------------------------------- credential
def test_a_credential_explains_the_choices_where_it_needs_a_person():
    board = FakeBoard(status(credential(state="needs_operator", ready=False, needs_operator=needs())))
    said = words(browser(board).get("/credentials/workers-deploy"))

    assert "This needs a person target_overridden" in said
    assert "rotator resolve workers-deploy --retry restores our value over what somebody else wrote there" in said
    assert "--abandon closes the open rotation" in said


def test_a_credential_shows_what_happened_the_newest_first_and_who_asked():
    facts = [fact("planned"), fact("request", actor="alice", detail={"reason": "left on a bus"})]
    said = words(browser(FakeBoard(status(credential()), facts)).get("/credentials/workers-deploy"))

    assert said.index("Somebody asked for a rotation by alice: left on a bus") < said.index("A rotation is planned")


def test_no_fact_lies_in_the_future():
    newer = fact("planned") | {"time": "2026-11-22T10:00:03Z"}
    client = browser(FakeBoard(status(credential()), [fact("request"), newer]))

    for path in ("/credentials/workers-deploy", "/history"):
        said = words(client.get(path))
        assert "now planned" in said
        assert "3 s ago request" in said


def test_a_credential_shows_targets_and_old_tokens():
    old = {"token_id": "89abcdef0123456789abcdef01234567", "step": "open", "until": None, "blocked": "still_used"}
    old |= {"last_used_on": None, "subject": None, "message": None, "problem": None}
    trouble = {"act": "write", "message": "the file system is read-only", "remedy": "remount it"}
    board = FakeBoard(status(credential(retirements=[old], targets=[target(in_sync=False, problem=trouble)])))
    said = words(browser(board).get("/credentials/workers-deploy"))

    assert "89abcdef… open" in said
    assert "somebody still uses the old token" in said
    assert "the file system is read-only" in said
    assert "do: remount it" in said


def test_a_credential_that_nobody_knows_is_not_found():
    assert browser().get("/credentials/other").status_code == 404
    assert browser().get("/api/v1/credentials/other").json() == {"error": "there is no such credential or page"}


# -------------------------------------------------------------------------------------------------- history, discover
def test_history_shows_all_or_one_credential_in_pages():
    facts = [fact("planned", name=name) for name in ("workers-deploy", "other") for _ in range(70)]
    client = browser(FakeBoard(status(credential(), credential("other")), facts))

    assert 'before=60"' in client.get("/history").text
    assert 'href="/credentials/workers-deploy"' not in client.get("/history?name=other").text
    assert client.get("/history?name=nobody").status_code == 404
    assert client.get("/history?before=nonsense").status_code == 200


def test_discover_shows_tokens_with_the_worst_first_and_asks_once_for_a_while():
    finding = {"code": "never_expires", "level": "warn", "message": "it never expires", "remedy": "give it an end"}
    token = {"connection": "prod", "owner": "account", "id": "ab" * 16, "status": "active", "issued_on": None}
    token |= {"expires_on": None, "last_used_on": None, "managed_by": None, "role": None, "grants": []}
    board = FakeBoard(status(credential()))
    board.discovered["tokens"] = [
        token | {"name": "a-fine", "findings": []},
        token | {"name": "old", "findings": [finding]},
    ]
    client = browser(board)
    said = words(client.get("/discover"))
    board.error = Unavailable("out of reach", "wait")

    assert said.index("old") < said.index("a-fine")
    assert "it never expires" in said
    assert "a-fine" not in words(client.get("/discover?level=warn"))


def test_discover_says_why_there_is_no_answer():
    board = FakeBoard(status(credential()))
    board.error = Unavailable("listing tokens: HTTP 502", "`rotator check` says more")

    assert "listing tokens: HTTP 502" in words(browser(board).get("/discover"))


# ----------------------------------------------------------------------------------------------------------- documents
def test_the_document_is_that_of_the_command_line():
    board = FakeBoard(status(credential("a"), credential("b")))
    answer = browser(board).get("/api/v1/status")

    assert answer.json() == board.document
    assert browser(board).get("/api/v1/credentials/b").json() == board.document["credentials"][1]


def test_what_fails_is_said_without_its_error():
    board = FakeBoard(status(credential()))
    board.error = RuntimeError("CANARY-in-an-error-text")
    answers = [browser(board).get(path) for path in ("/", "/api/v1/status", "/credentials/x")]

    assert [one.status_code for one in answers] == [500, 500, 500]
    assert all("CANARY" not in one.text for one in answers)


# -------------------------------------------------------------------------------------------------------------- safety
PATHS = ["/", "/credentials/workers-deploy", "/history", "/discover", "/api/v1/status", "/nothing", "/static/page.js"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_a_strict_policy_and_the_usual_headers(path):
    headers = browser().get(path).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
    assert "no-store" in headers["cache-control"] or path.startswith("/static")
    assert "server" not in headers


@pytest.mark.parametrize("path", PATHS[:4])
def test_a_page_takes_nothing_from_elsewhere_and_holds_no_script_or_style_of_its_own(path):
    for tag, attributes in Tags(browser().get(path).text).tags:
        assert tag != "style"
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "action"):
            assert attributes.get(name, "/")[:1] in "/#?"
            assert not attributes.get(name, "/").startswith("//")
        assert tag != "script" or attributes["src"].startswith("/static/page.js")


@pytest.mark.parametrize("host", ["localhost", "localhost:9854", "127.0.0.1:9854", "[::1]:9854", "rotator.localhost"])
def test_a_loopback_host_is_answered(host):
    assert browser().get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "10.0.0.1", "", "a@localhost", "localhost:x", "localhost/x", "::1"],
)
def test_any_other_host_is_refused(host):
    answer = browser().get("/", headers={"host": host})

    assert answer.status_code == 421
    assert "workers-deploy" not in answer.text


@pytest.mark.parametrize(
    ("host", "base_url", "answered"),
    [
        ("rotator.example.com", "https://rotator.example.com", True),
        ("ROTATOR.example.com:443", "https://rotator.example.com", True),
        ("rotator.example.com:8443", "https://rotator.example.com", False),
        ("rotator.example.com:8443", "https://rotator.example.com:8443", True),
        ("example.com", "https://rotator.example.com", False),
    ],
)
def test_the_host_of_base_url_is_answered_with_its_port(host, base_url, answered):
    assert answers_to(host, base_url) is answered


def test_names_of_others_are_text_and_never_markup():
    hostile = credential(
        HOSTILE,
        state="needs_operator",
        message=HOSTILE,
        labels={HOSTILE: HOSTILE},
        connection=HOSTILE,
        targets=[target(HOSTILE, in_sync=False, problem={"act": "write", "message": HOSTILE, "remedy": HOSTILE})],
        needs_operator={"code": "target_occupied", "message": HOSTILE, "remedy": f"`{HOSTILE}`", "since": None},
    )
    document = status(hostile, connections=[connection(name=HOSTILE, problem=HOSTILE)])
    facts = [fact("failed", HOSTILE, actor=HOSTILE, detail={"message": HOSTILE, "reason": HOSTILE, HOSTILE: HOSTILE})]
    client = browser(FakeBoard(document, facts))
    for path in (
        "/",
        f"/credentials/{quote(HOSTILE, safe='')}",
        "/history",
        "/?q=" + quote(HOSTILE),
        "/history?people=1",
    ):
        answer = client.get(path)
        page = Tags(answer.text)
        assert answer.status_code == 200, path
        assert "img" not in [tag for tag, _ in page.tags]
        assert [a.get("src", "")[:16] for tag, a in page.tags if tag == "script"] == ["/static/page.js?"]
        assert "49" not in answer.text or "{{7*7}}" in "".join(page.text)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_reading_is_answered_where_nothing_acts(method):
    assert browser().request(method, "/").status_code == 405


# --------------------------------------------------------------------------------------------------------------- events
def test_changes_are_told_as_they_come():
    board = FakeBoard(status(credential()))
    with browser(board).stream("GET", "/events") as answer:
        lines = answer.iter_lines()
        found = [next(lines) for _ in range(4)]

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert found[2] == "event: look"
    assert found[3].startswith("data: ")


def test_the_files_beside_the_pages_may_be_kept_for_ever_and_are_ours_alone():
    answer = browser().get("/static/page.css?v=1")

    assert "immutable" in answer.headers["cache-control"]
    assert browser().get("/static/..%2fapplication.py").status_code == 404
    assert browser().get("/static/other.css").status_code == 404


def test_the_time_is_human_and_the_exact_one_stands_beside_it():
    board = FakeBoard(status(credential()))
    html = browser(board).get("/").text

    assert '<time datetime="2027-02-20T10:00:00Z" title="2027-02-20 10:00:00 UTC">in 90 d</time>' in html
    assert drawn_at(board.document)
    assert json.dumps(board.document)


def test_what_takes_too_long_is_said_to_be_missing():
    board = FakeBoard(status(credential()))
    board.error = TimeoutError()
    answer = browser(board).get("/")

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
