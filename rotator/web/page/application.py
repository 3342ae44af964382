"""The routes of the page: what is asked for, and which page or document answers. Acts are `acting`'s.

Whatever may be slow runs in a thread of its own and is said to be missing when it takes too long. No answer holds the
text of an error that is not meant for people.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

from rotator.config.page import Page
from rotator.core.errors import RotatorError
from rotator.web.answers import ANSWER_WITHIN, Flight
from rotator.web.page import pages
from rotator.web.page.acting import DONE, by_person, by_program, form_for
from rotator.web.page.answering import as_html, as_json, refused
from rotator.web.page.board import Board, Conflict, Document, Unknown, Wrong
from rotator.web.page.context import Context
from rotator.web.page.fleet import asked
from rotator.web.page.forms import Forms, Stale
from rotator.web.page.guard import Guard, TooLarge
from rotator.web.page.logins import callback, login
from rotator.web.page.looks import Looks
from rotator.web.page.oidc import Login
from rotator.web.page.render import TYPES, asset
from rotator.web.page.users import Denied, Secrets

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

STREAMS: Final = 24
"""Readers that are told of changes at a time; others reload by hand."""

STREAM_FOR: Final = 25.0
"""Seconds after which a stream ends and the browser opens another: below the listener's limit for a request."""

STREAM_EVERY: Final = 2.0
BLINK: Final = 0.25
"""Seconds after which a stream notices that the listener ends."""

REFUSALS: Final = (Denied, Unknown, Wrong, Conflict, Stale, TooLarge, TimeoutError)
"""What has a status of its own; anything else is a failure of ours."""

FACTS: Final = 60
"""Facts on one page."""


def page_application(board: Board, stanza: Callable[[], Page], key: bytes, *, within: float = ANSWER_WITHIN) -> Guard:
    """Return the ASGI application of the page.

    Args:
        board: the program behind it.
        stanza: `page` of the configuration, asked anew at each request, so that a reload counts.
        key: seals forms; the same for all daemons on one journal, and known to nobody else.
        within: seconds that an answer may take.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.routing import Route

    context = Context(
        board, stanza, Looks(board.status, within=within), Secrets(within), Forms(key), Login(key), within
    )

    def route(path: str, answer: Callable[[Context, Request], Any], method: str = "GET") -> Route:
        return Route(path, _of(answer, context), methods=[method])

    made = Starlette(
        routes=[
            route("/", fleet),
            route("/credentials/{name}", credential),
            route("/history", history),
            route("/discover", Discovery().answer),
            route("/events", events),
            route("/api/v1/status", status),
            route("/api/v1/credentials/{name}", one_credential),
            route("/static/{name}", static),
            route("/login", login),
            route("/callback", callback),
            route("/credentials/{name}/{act}", by_person, "POST"),
            route("/api/v1/credentials/{name}/{act}", by_program, "POST"),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=1024)],
        exception_handlers={kind: refused for kind in (HTTPException, *REFUSALS, Exception)},
    )
    made.router.redirect_slashes = False

    def close() -> None:
        context.closing = True

    return Guard(made, lambda: stanza().base_url, close)


def _of(answer: Callable[[Context, Request], Any], context: Context) -> Callable[[Request], Any]:
    async def called(request: Request) -> Response:
        found: Response = await answer(context, request)
        return found

    return called


# --------------------------------------------------------------------------------------------------------------- pages
async def fleet(context: Context, request: Request) -> Response:
    """The fleet."""
    user = await context.user(request)
    look = await context.looks.last()
    return as_html(pages.fleet_page(look, asked(request.query_params.multi_items()), user))


async def credential(context: Context, request: Request) -> Response:
    """One credential."""
    user = await context.user(request)
    name = request.path_params["name"]
    look = await context.looks.last()
    one = look.of(name)
    if one is None:
        raise Unknown
    facts = await context.ask(lambda: context.board.facts(name, None, FACTS), "facts")
    done = DONE.get(request.query_params.get("done", ""), "")
    return as_html(pages.credential_page(look, one, facts, user, form_for(context, user, name), done))


async def history(context: Context, request: Request) -> Response:
    """What happened."""
    user = await context.user(request)
    query = request.query_params
    name, people = query.get("name", "").strip()[:200], bool(query.get("people"))
    before = _number(query.get("before", ""))
    facts = await context.ask(lambda: context.board.facts(name or None, before, FACTS, people), "facts")
    return as_html(pages.history_page(facts, context.board.now(), user, name=name, people=people, before=before))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


class Discovery:
    """What discover found, kept for a while: it costs requests of the connections' budgets."""

    KEPT: Final = 600.0

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._found: tuple[float, Document] | None = None
        self._flight: Flight[Document] | None = None

    async def answer(self, context: Context, request: Request) -> Response:
        """The page; the first who asks waits a moment, and is told to look again when that is not enough."""
        user = await context.user(request)
        now, query = context.board.now(), request.query_params
        level = query.get("level", "")
        level = level if level in pages.LEVELS else ""
        problem = remedy = ""
        if self._found is None or not 0 <= now - self._found[0] < self.KEPT:
            self._flight = self._flight or Flight(context.board.discover, "discover")
            try:
                self._found = (now, await self._flight.ask(context.within))
            except TimeoutError:
                self._found = None
            except RotatorError as error:
                self._found, problem, remedy = None, error.message, error.remedy
        document = self._found[1] if self._found else None
        number = _number(query.get("page", "")) or 1
        return as_html(
            pages.discover_page(
                document, now, user, level=level, number=number, keeps=self.KEPT, problem=problem, remedy=remedy
            )
        )


# ------------------------------------------------------------------------------------------------ documents and events
async def status(context: Context, request: Request) -> Response:
    """The document of `status -o json`."""
    await context.user(request)
    return as_json(200, (await context.looks.last()).document)


async def one_credential(context: Context, request: Request) -> Response:
    """One credential of that document."""
    await context.user(request)
    found = (await context.looks.last()).of(request.path_params["name"])
    if found is None:
        raise Unknown
    return as_json(200, found)


async def events(context: Context, request: Request) -> Response:
    """Server-sent events: `look` with a word that differs whenever something has changed."""
    from starlette.responses import StreamingResponse

    await context.user(request)
    if context.streams >= STREAMS:
        return as_json(503, {"error": "too many readers are told of changes already; reload by hand"})

    async def told() -> AsyncIterator[str]:
        context.streams += 1
        try:
            yield "retry: 2000\n\n"
            last = ""
            for number in range(int(STREAM_FOR / STREAM_EVERY)):
                found = (await context.looks.last()).digest
                if found != last:
                    last = found
                    yield f"event: look\ndata: {found}\n\n"
                elif number % 5 == 0:
                    yield ": nothing has changed\n\n"
                for _ in range(int(STREAM_EVERY / BLINK)):
                    if context.closing:
                        return
                    await asyncio.sleep(BLINK)
        except Exception:  # noqa: BLE001 - a stream that ends is opened again by the browser; the log has the error
            return
        finally:
            context.streams -= 1

    return StreamingResponse(told(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def static(context: Context, request: Request) -> Response:
    """One of our own files; needs no user, for it says nothing."""
    from starlette.responses import Response

    name = request.path_params["name"]
    if name not in TYPES:
        raise Unknown
    kept = "public, max-age=31536000, immutable" if request.query_params.get("v") else "no-cache"
    return Response(asset(name), media_type=TYPES[name], headers={"cache-control": kept})
