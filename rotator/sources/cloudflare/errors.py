"""What a failing answer means: one table, asked from the top, the first row that matches decides.

A row says three things: the word for it, whether it is *certain* that nothing was applied, and whether an answer to a
verification says that the value is *dead*. What kind of call it was then decides the error:

    kind      certain, word                     not certain
    READ      Unavailable                       Unavailable
    EFFECT    Refused(code=word)                OutcomeUnknown
    VERIFY    None (not accepted) where `dead`, Barred where the host's address decides, Unavailable otherwise

and what asks us to wait is `RateLimited` everywhere. A row may be wrong in one direction only: calling a certain no
uncertain costs a settle time; calling an uncertain answer a no could lose a value that was shown once.

Sources: "docs" is developers.cloudflare.com/fundamentals/api, "wrangler" the source of cloudflare/workers-sdk,
"terraform" that of cloudflare/terraform-provider-cloudflare; "seen" is behaviour that third-party clients rely on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from rotator.core.errors import Barred, OutcomeUnknown, RateLimited, Refused, RotatorError, Unavailable
from rotator.sources.cloudflare.answers import Answer, Envelope, Said, retry_after

LIMITED: Final = "rate_limited"
LOCKED_OUT: Final = "locked_out"
NOT_FOUND: Final = "not_found"
ROUTE: Final = "route"
UNACCEPTED: Final = "management_token"
PERMISSION: Final = "permission"
LOCATION: Final = "location"

LOCKOUT: Final = 600.0
"""Seconds without any request after "Max auth failures reached"; reports speak of 10 to 15 minutes."""


class CallKind(Enum):
    """What a call does, which decides how a failure may be told."""

    READ = auto()
    EFFECT = auto()
    VERIFY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """One row of the table; everything that is given must match.

    Attributes:
        word: the code of `Refused`, from a closed list.
        status: first and last HTTP status, inclusive.
        codes: at least one entry of the envelope has one of these codes ...
        text: ... and this pattern is found in the same entry's message.
        header: a response header that must be present.
        framed: whether the body is a readable envelope; None for either.
        certain: the answer says that nothing was applied.
        dead: as the answer to a verification, the value is not accepted.
        meaning: what it means, in words, where the provider's own do not say it.
        remedy: what to do next.
        source: where this behaviour is known from.
    """

    word: str
    source: str
    status: tuple[int, int] = (100, 599)
    codes: frozenset[int] = frozenset()
    text: str = ""
    header: str = ""
    framed: bool | None = None
    certain: bool = True
    dead: bool = False
    meaning: str = ""
    remedy: str = ""

    def matches(self, answer: Answer, envelope: Envelope | None) -> bool:
        """Whether this row speaks of that answer."""
        if not self.status[0] <= answer.status <= self.status[1]:
            return False
        if self.framed is not None and self.framed != (envelope is not None):
            return False
        if self.header and self.header not in answer.headers:
            return False
        if not self.codes and not self.text:
            return True
        return any(self._says(entry) for entry in (envelope.errors if envelope else ()))

    def renamed(self, word: str) -> ErrorRow:
        """Return the same row under another word."""
        return replace(self, word=word)

    def _says(self, entry: Said) -> bool:
        if self.codes and entry.code not in self.codes:
            return False
        return not self.text or re.search(self.text, entry.message, re.IGNORECASE) is not None


def _codes(*codes: int) -> frozenset[int]:
    return frozenset(codes)


_SELF = "it is tried again automatically"
_TOKEN = "put a living management token where the connection's `token` points; `rotator check` tests it"  # noqa: S105 (advice, not a password)
_GRANT = "give the management token (Account) API Tokens Read and Write, and Zone Read where zones are named"
_URL = "check the connection's `api_url` and `account_id`"

TABLE: Final = (
    # -- who asks too often
    ErrorRow(word=LIMITED, status=(429, 429), source="docs reference/limits; the body may be empty or null (seen)"),
    ErrorRow(word=LIMITED, codes=_codes(971), source="seen: 971 also arrives with other HTTP statuses"),
    ErrorRow(
        word=LOCKED_OUT,
        codes=_codes(9109),
        text="max auth failures",
        source="seen: replaces the normal error after repeated bad authentication; polling prolongs it",
    ),
    # -- nobody knows whether it was applied
    ErrorRow(
        word="provider",
        codes=_codes(1000, 10001),
        text="time.?out|internal (server )?error",
        certain=False,
        remedy=_SELF,
        source="seen: transient failures share the codes 1000 and 10001 with permanent ones",
    ),
    ErrorRow(
        word="provider", status=(500, 599), certain=False, remedy=_SELF, source="RFC 9110 section 15.6; 520-530 docs"
    ),
    ErrorRow(word="provider", status=(408, 408), certain=False, remedy=_SELF, source="RFC 9110 section 15.5.9"),
    # -- it never reached the API
    ErrorRow(
        word="redirect",
        status=(307, 308),
        remedy=_URL,
        source="RFC 9110 section 15.4.8: the same method must be repeated elsewhere, so nothing was applied here",
    ),
    ErrorRow(
        word="redirect",
        status=(300, 399),
        certain=False,
        remedy=_URL,
        source="RFC 9110 section 15.4.4: 303, and 301/302 by custom, may follow an applied request",
    ),
    ErrorRow(
        word="blocked",
        header="cf-mitigated",
        status=(400, 499),
        remedy="a firewall in front of the API challenged the request; allow this host's address",
        source="docs waf/tools/challenge-pages: `cf-mitigated: challenge` marks a request that was not passed on",
    ),
    ErrorRow(word="unreadable", framed=False, certain=False, remedy=_SELF, source="HTML, null or a cut-off body"),
    # -- the token that asked
    ErrorRow(
        word=LOCATION,
        codes=_codes(9109, 1000),
        text="from location",
        remedy="allow this host's address in the management token's Client IP Address Filtering in the dashboard",
        source="seen: 9109 'Cannot use the access token from location: ...'",
    ),
    ErrorRow(
        word=UNACCEPTED,
        codes=_codes(1000),
        text="invalid api token",
        dead=True,
        remedy=_TOKEN,
        source="wrangler whoami; seen as HTTP 401 for a rolled, deleted or foreign-typed value",
    ),
    ErrorRow(
        word=UNACCEPTED,
        codes=_codes(6003, 6103, 6111),
        dead=True,
        remedy=_TOKEN,
        source="seen: HTTP 400 'Invalid request headers' for a string that cannot be a token",
    ),
    ErrorRow(
        word=UNACCEPTED,
        codes=_codes(9109),
        text="invalid access token",
        dead=True,
        remedy=_TOKEN,
        source="seen: well-formed but unknown token on ordinary endpoints",
    ),
    ErrorRow(
        word=UNACCEPTED, codes=_codes(9103, 9106), dead=True, remedy=_TOKEN, source="wrangler core/factory.ts; seen"
    ),
    # -- what was asked for
    ErrorRow(
        word=NOT_FOUND, codes=_codes(1003), status=(404, 404), source="seen: 'token not found'; terraform relies on 404"
    ),
    ErrorRow(word=ROUTE, codes=_codes(7000, 7003), remedy=_URL, source="api-schemas example: 'Could not route to ...'"),
    ErrorRow(word="method", codes=_codes(7001), remedy=_URL, source="seen: method not allowed"),
    ErrorRow(
        word="bad_request",
        codes=_codes(1001),
        text="sub-token",
        remedy="a token cannot create a token that manages tokens; leave (Account) API Tokens Write out of the grants",
        source="seen in several clients: HTTP 400",
    ),
    ErrorRow(
        word="bad_request",
        codes=_codes(1001),
        text=r"common permission check.*\bresource:",
        meaning="the grants name something that does not exist there or that this token may not hand on",
        remedy="compare account_id and the zones' ids with the dashboard; `rotator check` says what they are ids of",
        source="seen: a resource of another account",
    ),
    ErrorRow(
        word=PERMISSION,
        codes=_codes(1001),
        text="common permission check",
        meaning="the management token does not hold this permission itself, and single zones are handed on only so",
        remedy="give the management token the same permission on that zone, or grant it on all zones of the account",
        source="terraform issues 7241 and 5754",
    ),
    ErrorRow(
        word="bad_request",
        codes=_codes(1001),
        text="nest zone",
        meaning="a token owned by an account takes all zones of that account only",
        remedy="write zones: all without accounts, or owner: user",
        source="terraform issues 5233 and 5733",
    ),
    ErrorRow(
        word="bad_request",
        codes=_codes(1001),
        text="permission group.*not found",
        meaning="Cloudflare does not know a permission group of the grants for tokens of this owner",
        remedy="`rotator check` names it; it may have been retired, or be for tokens of users only",
        source="seen",
    ),
    ErrorRow(
        word="managed",
        codes=_codes(1001),
        text="managed by cloudflare",
        remedy="Cloudflare owns this token; leave it alone",
        source="seen",
    ),
    ErrorRow(
        word="quota",
        text=r"(maximum|limit|quota|too many)\b.{0,40}\btokens?|tokens?\b.{0,40}\b(maximum|limit|quota)",
        status=(400, 499),
        meaning="the quota is reached: no more tokens may exist (every one that was not deleted counts, expired too)",
        remedy="delete tokens that nobody uses in the dashboard; each open retirement frees one when it ends; "
        "Cloudflare's support can raise the quota",
        source="docs reference/limits names the quota (50 per user, 500 per account), nobody its error code",
    ),
    ErrorRow(
        word="bad_request",
        codes=_codes(400, 1001),
        status=(400, 422),
        remedy="compare the grants with what the provider says, and report it if the configuration looks right",
        source="seen: bad name (400), unknown permission group (1001)",
    ),
    ErrorRow(
        word=PERMISSION,
        codes=_codes(10000, 9109),
        status=(400, 403),
        dead=True,
        remedy=_GRANT,
        source="wrangler: lack of a permission; seen: also a transient refusal of a fresh token, with the same text",
    ),
    ErrorRow(word=PERMISSION, codes=_codes(10001), remedy=_GRANT, source="seen: 'Method not allowed for token'"),
    ErrorRow(word=PERMISSION, status=(401, 401), dead=True, remedy=_TOKEN, source="RFC 9110 section 15.5.2"),
    ErrorRow(word=PERMISSION, status=(403, 403), dead=True, remedy=_GRANT, source="RFC 9110 section 15.5.4"),
    # -- an envelope that says no, whatever the reason
    ErrorRow(word="refused", framed=True, source="api-schemas: `success: false`"),
)


UNUSABLE: Final = ErrorRow(
    word="unreadable", certain=False, remedy=_SELF, source="a success without the result that was asked for"
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """The row that decided, and what the provider said in words that are safe to show."""

    row: ErrorRow
    said: str
    wait: float = 0.0

    @classmethod
    def unusable(cls) -> Meaning:
        """The verdict on a success that does not hold what was asked for."""
        return cls(UNUSABLE, "Cloudflare's answer does not hold what was asked for")


def judge(answer: Answer, envelope: Envelope | None) -> Meaning:
    """Classify an answer that is not a success; a "success" without a usable result counts as unreadable.

    Args:
        answer: the answer.
        envelope: its envelope, or None.
    """
    claimed = envelope is not None and envelope.success and answer.status < 300
    row = UNUSABLE if claimed else next((r for r in TABLE if r.matches(answer, envelope)), UNUSABLE)
    wait = {LIMITED: retry_after(answer.headers), LOCKED_OUT: LOCKOUT}.get(row.word, 0.0)
    return Meaning(row, _words(answer, envelope), wait)


def unaccepted(doing: str, login: str, said: str = "") -> Refused:
    """Return the error of a management token that the provider does not accept.

    Args:
        doing: what was being done.
        login: the token in words, with its connection and where it is read from.
        said: what the provider said, or empty.
    """
    message = f"{doing}: Cloudflare does not accept {login}" + (f": {said}" if said else "")
    return Refused(message, "put a living management token there; `rotator check` tests it", code=UNACCEPTED)


def error(doing: str, verdict: Meaning, kind: CallKind, login: str = "the management token") -> RotatorError:
    """Return the error that tells a failing answer, by the table in this file's head.

    Args:
        doing: what was being done, e.g. `creating a token`; no value, no id.
        verdict: what the answer means.
        kind: what kind of call it answered.
        login: who asked, in words, for the case that he is not accepted.
    """
    row = verdict.row
    message = f"{doing}: {row.meaning}: {verdict.said}" if row.meaning else f"{doing}: {verdict.said}"
    if row.word == UNACCEPTED and kind is not CallKind.VERIFY:
        refused = unaccepted(doing, login, verdict.said)
        return refused if kind is CallKind.EFFECT else Unavailable(refused.message, refused.remedy)
    if verdict.wait:
        return RateLimited(message, verdict.wait)
    if row.word == LOCATION and kind is CallKind.VERIFY:
        return Barred(message, row.remedy)
    if kind is not CallKind.EFFECT:
        return Unavailable(message, row.remedy)
    if row.certain:
        return Refused(message, row.remedy, code=row.word)
    return OutcomeUnknown(message, "nothing is lost: the attempt is abandoned or repeated once its answer cannot come")


def not_sent(doing: str, why: str, remedy: str = "") -> Unavailable:
    """Return the error of a request of which no byte left this host; without a `remedy` time is the only one."""
    return Unavailable(f"{doing}: {why}, nothing was sent", remedy or _SELF)


def lost(doing: str, why: str, kind: CallKind) -> RotatorError:
    """Return the error of a request that was sent, and got no complete answer."""
    if kind is CallKind.EFFECT:
        return OutcomeUnknown(
            f"{doing}: {why} after the request was sent, so nobody knows whether it was done",
            "nothing is lost: the attempt is abandoned or repeated once its answer cannot come",
        )
    return Unavailable(f"{doing}: {why}", _SELF)


def _words(answer: Answer, envelope: Envelope | None) -> str:
    said = f"Cloudflare answered HTTP {answer.status}"
    if envelope is None:
        said += " without a readable body"
    for entry in envelope.errors[:2] if envelope else ():
        said += f", code {entry.code} ({harmless(entry.message)})" if entry.message else f", code {entry.code}"
    ray = answer.headers.get("cf-ray", "")
    return f"{said} [ray {ray}]" if re.fullmatch(r"[0-9A-Za-z-]{1,40}", ray) else said


_LONG_WORD: Final = re.compile(r"\S{33,}")
_UNPRINTABLE: Final = re.compile(r"[^ -~]+")


def harmless(text: str) -> str:
    """Return the provider's text fit for a log: printable, at most 200 characters, no word as long as a value."""
    return _LONG_WORD.sub("...", _UNPRINTABLE.sub(" ", text)).strip()[:200]
