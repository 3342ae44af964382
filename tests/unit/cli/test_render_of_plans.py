"""What people see of plans, histories, findings and trails."""

from rotator.cli import render
from tests.unit.cli.documents import NOW
from tests.unit.cli.rendered import WIDTH, expected, planned, shown


def rotation_to_come(**more):
    return {
        "time": "2026-12-22T10:00:00Z",
        "credential": "workers-deploy",
        "connection": "prod",
        "strategy": "recreate",
        "reason": "renewal",
        "retired_at": "2026-12-24T10:00:00Z",
        "requests": 10,
        "slots": 1,
        "waits": None,
        "targets": ["env_file:/srv/app/.env"],
        **more,
    }


def test_a_plan_says_what_happens_when_and_what_it_takes():
    document = planned(
        rotation_to_come(time=NOW, credential="d1-backup", reason="first creation", requests=7), rotation_to_come()
    )
    assert shown(render.plan(document, WIDTH)) == expected("""
        AT (UTC)          WHEN     CREDENTIAL      STRATEGY  WHY             REQUESTS
        2026-11-22 10:00  now      d1-backup       recreate  first creation         7
        2026-12-22 10:00  in 30 d  workers-deploy  recreate  renewal               10

        connection prod: 2 rotations, 17 requests; at most 300 in 5 min; up to 33 of 500
          tokens at once, old ones included
        """)


def test_a_plan_shows_the_tokens_that_are_made_as_the_dashboard_does_before_it_makes_one():
    token = {
        "credential": "workers-deploy",
        "name": "workers-deploy~…",
        "owner": "account",
        "account_id": "a" * 32,
        "lifetime": 90 * 86400.0,
        "not_before": 300.0,
        "permissions": [
            {"scope": "account", "permission": "D1 Write", "effect": "allow", "resources": ["the account a"]},
            {"scope": "zone", "permission": "DNS Write", "effect": "deny", "resources": ["example.com", "example.net"]},
        ],
        "request_ip": {"in": ["203.0.113.0/24"], "not_in": ["203.0.113.9/32"]},
    }
    document = planned(rotation_to_come()) | {"tokens": [token, token | {"credential": "not-due-for-long"}]}

    drawn = shown(render.plan(document, None))
    assert drawn.endswith(
        f"""
workers-deploy: a token of the account {"a" * 32}, lives 90 d, begins 5 min after it was made
  account: D1 Write, on the account a
  zone: DNS Write, not on example.com, example.net
  addresses: only from 203.0.113.0/24; not from 203.0.113.9/32
"""
    )


def test_a_plan_on_a_narrow_terminal_keeps_names_whole():
    document = planned(rotation_to_come(credential="workers-deploy-production"))
    lines = shown(render.plan(document, 60)).splitlines()
    assert lines[0].split() == ["WHEN", "CREDENTIAL", "STRATEGY", "WHY"]
    assert "workers-deploy-production" in lines[1]
    assert max(map(len, lines)) <= 60


def test_a_long_plan_is_cut_for_people_and_says_so():
    drawn = shown(render.plan(planned(*[rotation_to_come()] * 100), WIDTH))
    assert "and 60 more; -o json lists them all" in drawn
    assert len(drawn.splitlines()) < 50


def test_a_plan_without_a_known_quota_says_the_overlap():
    assert "up to 2 tokens more at once than now" in shown(render.plan(planned(rotation_to_come(), quota=None), None))


def test_a_plan_with_nothing_in_it_says_how_far_it_looked():
    assert shown(render.plan(planned(), WIDTH)) == "nothing is due within 30 d\n"


def fact(kind="confirmed", **more):
    return {
        "time": "2026-11-22T09:00:00Z",
        "credential": "workers-deploy",
        "rotation": "77ec1ecf0ddc",
        "kind": kind,
        "epoch": 4,
        "actor": "daemon",
        "detail": {"attempt": 1, "token_id": "ab" * 16, "generation": 3},
        **more,
    }


def test_a_history_is_a_timeline_for_people():
    facts = [
        fact("request", actor="alice", rotation=None, detail={"request_id": "1f", "reason": "left on a bus"}),
        fact("captured", detail={"expires_at": 1_795_341_600.0, "token_id": "ab" * 16, "digest": "77", "why": ""}),
        fact(),
    ]
    assert shown(render.history(facts, None, of_one=True)) == expected("""
        TIME                 ROTATION  FACT       ACTOR   DETAIL
        2026-11-22 09:00:00  -         request    alice   request_id=1f reason=left on a bus
        2026-11-22 09:00:00  77ec1ecf  captured   daemon  expires_at=2026-11-22T10:00:00Z token=abababab
        2026-11-22 09:00:00  77ec1ecf  confirmed  daemon  attempt=1 token=abababab generation=3
        """)


def test_a_history_of_all_names_the_credential():
    assert shown(render.history([fact()], None, of_one=False)).splitlines()[1].split()[2] == "workers-deploy"


def test_an_empty_history_is_said_in_words():
    assert shown(render.history([], WIDTH, of_one=True)) == "nothing has happened yet\n"


def finding(level, message, remedy=None):
    return {"level": level, "subject": "connection prod", "code": "x", "message": message, "remedy": remedy}


def test_a_finding_is_one_line_with_what_to_do():
    findings = [finding("ok", "token can be read"), finding("fail", "the token is refused", "give another " * 8)]
    assert shown(render.findings(findings, None)).splitlines() == [
        "ok    connection prod: token can be read",
        "fail  connection prod: the token is refused; do: " + ("give another " * 8).rstrip(),
    ]


def test_a_finding_is_wrapped_on_a_terminal_below_its_subject():
    assert shown(render.findings([finding("warn", "w" * 40, "give it another one, or correct the path")], WIDTH)) == (
        f"warn  connection prod: {'w' * 40}; do: give it\n      another one, or correct the path\n"
    )


def test_a_whole_trail_is_one_good_line():
    document = {"facts": 62, "streams": 2, "breaks": [], "integrity": []}
    assert shown(render.verdict(document, WIDTH)) == "62 facts in 2 streams: every chain is whole\n"
    assert shown(render.verdict(document | {"streams": 1}, WIDTH)) == "62 facts in 1 stream: every chain is whole\n"


def test_a_broken_trail_says_where_and_why():
    broken = {"credential": "workers-deploy", "position": 7, "why": "fact 7 is missing"}
    document = {"facts": 62, "streams": 2, "breaks": [broken], "integrity": ["row 3 missing from index"]}
    assert shown(render.verdict(document, WIDTH)).splitlines() == [
        "broken at fact 7 of workers-deploy: fact 7 is missing",
        "the database file is damaged: row 3 missing from index",
        "62 facts in 2 streams: not to be trusted",
    ]
