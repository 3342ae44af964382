"""The table of failing answers: which row decides, and what error it makes of which kind of call."""

import json

import pytest

from rotator.core.errors import Barred, OutcomeUnknown, RateLimited, Refused, RotatorError, Unavailable
from rotator.sources.cloudflare.answers import Answer, read_envelope
from rotator.sources.cloudflare.errors import TABLE, CallKind, Meaning, error, harmless, judge, lost, not_sent


def answer(status: int, *errors: tuple[int, str], success: bool = False, body: bytes | None = None, **headers: str):
    said = {"success": success, "errors": [{"code": c, "message": m} for c, m in errors], "result": None}
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, shown, json.dumps(said).encode() if body is None else body)


def verdict(of: Answer) -> Meaning:
    return judge(of, read_envelope(of))


# (answer, word, certain that nothing was applied, a verified value is dead)
ROWS = [
    (answer(429, body=b""), "rate_limited", True, False),
    (answer(429, body=b"null"), "rate_limited", True, False),
    (answer(403, (971, "Please wait and consider throttling")), "rate_limited", True, False),
    (answer(401, (9109, "Max auth failures reached, please try later")), "locked_out", True, False),
    (answer(400, (1000, "Request timeout")), "provider", False, False),
    (answer(403, (10001, "internal error")), "provider", False, False),
    (answer(500, (1000, "Invalid API Token")), "provider", False, False),
    (answer(520, body=b"<html>"), "provider", False, False),
    (answer(408, (1, "slow")), "provider", False, False),
    (answer(307, body=b""), "redirect", True, False),
    (answer(308, body=b""), "redirect", True, False),
    (answer(301, body=b""), "redirect", False, False),
    (answer(303, (1, "see there")), "redirect", False, False),
    (answer(403, body=b"<html>challenge", cf_mitigated="challenge"), "blocked", True, False),
    (answer(403, body=b"<html>"), "unreadable", False, False),
    (answer(200, body=b"<html>"), "unreadable", False, False),
    (answer(200, body=b"null"), "unreadable", False, False),
    (answer(200, body=b'{"success":true,"resu'), "unreadable", False, False),
    (answer(200, success=True), "unreadable", False, False),
    (answer(403, (9109, "Cannot use the access token from location: 198.51.100.1")), "location", True, False),
    (answer(401, (1000, "Invalid API Token")), "management_token", True, True),
    (answer(400, (6003, "Invalid request headers")), "management_token", True, True),
    (answer(403, (9109, "Invalid access token")), "management_token", True, True),
    (answer(400, (9106, "Missing X-Auth-Key")), "management_token", True, True),
    (answer(404, (1003, "token not found")), "not_found", True, False),
    (answer(404, (7003, "Could not route to /x")), "route", True, False),
    (answer(405, (7001, "Method not available")), "method", True, False),
    (answer(400, (1001, "sub-token is not allowed to have permissions to manage")), "bad_request", True, False),
    (answer(400, (1001, "Failed common permission check against resources.")), "permission", True, False),
    (answer(400, (1001, "Failed common permission check (Resource: account.x)")), "bad_request", True, False),
    (answer(400, (1001, "must nest zone under specific account resource")), "bad_request", True, False),
    (answer(400, (1001, "token is revoked and cannot be rolled")), "bad_request", True, False),
    (answer(400, (1001, "token cannot be deleted (managed by Cloudflare)")), "managed", True, False),
    (answer(400, (1001, "maximum number of tokens reached (50)")), "quota", True, False),
    (answer(403, (1234, "You have exceeded your token limit")), "quota", True, False),
    (answer(400, (1001, 'Permission group "x" (not found)')), "bad_request", True, False),
    (answer(400, (400, "name must have a length between 1 and 120")), "bad_request", True, False),
    (answer(403, (10000, "Authentication error")), "permission", True, True),
    (answer(403, (9109, "Unauthorized to access requested resource")), "permission", True, True),
    (answer(403, (10001, "Method not allowed for token")), "permission", True, False),
    (answer(403, (4711, "something new")), "permission", True, True),
    (answer(401), "permission", True, True),
    (answer(409, (4711, "something new")), "refused", True, False),
    (answer(200, (4711, "something new")), "refused", True, False),
]


@pytest.mark.parametrize(
    "of, word, certain, dead", ROWS, ids=lambda v: f"{v.status}" if isinstance(v, Answer) else None
)
def test_an_answer_means(of: Answer, word: str, certain: bool, dead: bool):
    row = verdict(of).row

    assert (row.word, row.certain, row.dead) == (word, certain, dead)


def test_every_row_of_the_table_is_reached_by_one_of_these_answers():
    assert {id(verdict(of).row) for of, *_ in ROWS} >= {id(row) for row in TABLE if row.source}


def test_every_row_has_a_source_and_every_refusal_a_remedy():
    assert all(row.source for row in TABLE)
    assert all(row.remedy for row in TABLE if row.word not in ("rate_limited", "locked_out", "not_found", "refused"))


@pytest.mark.parametrize(
    "of, word, certain, dead", ROWS, ids=lambda v: f"{v.status}" if isinstance(v, Answer) else None
)
def test_only_a_certain_no_refuses_an_effect_and_reads_are_never_refused(
    of: Answer, word: str, certain: bool, dead: bool
):
    said = verdict(of)
    waits = word in ("rate_limited", "locked_out")
    effect: type[RotatorError] = RateLimited if waits else Refused if certain else OutcomeUnknown

    assert type(error("doing", said, CallKind.EFFECT)) is effect
    usual = RateLimited if waits else Unavailable
    assert type(error("doing", said, CallKind.READ)) is usual
    assert type(error("doing", said, CallKind.VERIFY)) is (Barred if word == "location" else usual)


def test_a_management_token_that_is_not_accepted_is_named_with_its_place():
    login = "the management token of connection prod (file /run/secrets/cf)"
    for kind in (CallKind.READ, CallKind.EFFECT):
        told = error("creating a token", verdict(answer(401, (1000, "Invalid API Token"))), kind, login)
        assert f"does not accept {login}: Cloudflare answered HTTP 401" in told.message
        assert told.remedy.startswith("put a living management token there")


@pytest.mark.parametrize(
    "message, words",
    [
        ("maximum number of tokens reached (50)", "the quota is reached"),
        ('Failed common permission check against resources. (Permission group: "Cache Purge")', "does not hold"),
        ("Failed common permission check against resources. (Resource: com.cloudflare.api.account.x)", "not exist"),
        ("must nest zone under specific account resource", "all zones of that account"),
        ('Permission group "x" (not found)', "does not know a permission group"),
    ],
)
def test_what_a_code_alone_does_not_say_is_said_in_words(message: str, words: str):
    told = error("creating a token", verdict(answer(400, (1001, message))), CallKind.EFFECT)

    assert words in told.message
    assert message in told.message
    assert told.remedy


def test_a_refusal_carries_the_word_and_the_remedy_and_says_what_was_done():
    refused = error(
        "creating a token", verdict(answer(403, (10000, "Authentication error"), cf_ray="8a1-AMS")), CallKind.EFFECT
    )

    assert isinstance(refused, Refused)
    assert refused.code == "permission"
    assert refused.message == (
        "creating a token: Cloudflare answered HTTP 403, code 10000 (Authentication error) [ray 8a1-AMS]"
    )
    assert "Read and Write" in refused.remedy


def test_a_lost_answer_of_an_effect_is_unknown_and_of_a_read_unavailable():
    assert type(lost("rolling", "the connection broke", CallKind.EFFECT)) is OutcomeUnknown
    assert type(lost("reading", "the connection broke", CallKind.READ)) is Unavailable
    assert type(lost("verifying", "the connection broke", CallKind.VERIFY)) is Unavailable
    assert type(not_sent("creating", "no connection")) is Unavailable


def test_an_unusable_success_is_unknown_for_an_effect():
    assert type(error("creating", Meaning.unusable(), CallKind.EFFECT)) is OutcomeUnknown


@pytest.mark.parametrize(
    "value", ["cfut_" + "a" * 48, "x" * 40, "v1.0-" + "0" * 171, "9" * 33], ids=["prefixed", "old", "origin", "short"]
)
def test_the_providers_words_never_carry_a_value_into_a_message(value: str):
    said = verdict(answer(400, (6003, f"bad header 'Bearer {value}'")))

    assert value not in str(error("verifying", said, CallKind.READ))


def test_the_providers_words_are_short_and_printable():
    assert harmless("line\nbreak \x1b[31mred\x00 " + "word " * 100).isprintable()
    assert len(harmless("word " * 100)) <= 200


def test_a_ray_that_is_no_ray_is_left_out():
    said = verdict(answer(400, (1, "no"), cf_ray="x\r\nSet-Cookie: y"))

    assert "ray" not in said.said
