"""The routes of the page: what is asked for, and which page or document answers. Acts are `acting`'s.

Whatever may be slow runs in a thread of its own and is said to be missing when it takes too long. No answer holds the
text of an error that is not meant for people.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rotator.config.page import Page
from rotator.core.errors import RotatorError
from rotator.web.answers import ANSWER_WITHIN, Flight
from rotator.web.page import pages
from rotator.web.page.board import Board, Document, Unknown
from rotator.web.page.fleet import asked
from rotator.web.page.guard import Guard, TooLarge
from rotator.web.page.looks import Looks
from rotator.web.page.render import TYPES, asset
from rotator.web.page.users import Denied, Secrets, asker

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

T = TypeVar("T")

STREAMS: Final = 24
"""Readers that are told of changes at a time; others reload by hand."""

STREAM_FOR: Final = 25.0
"""Seconds after which a stream ends and the browser opens another: below the listener's limit for a request."""

STREAM_EVERY: Final = 2.0
FACTS: Final = 60
"""Facts on one page."""


@dataclass(slots=True)
class Context:
    """What every route works with.

    Attributes:
        board: the program behind the page.
        page: the stanza of the configuration, as it is now.
        looks: the fleet.
        secrets: of the users.
        within: seconds that an answer may take.
        streams: how many are open.
    """

    board: Board
    page: Callable[[], Page]
    looks: Looks
    secrets: Secrets
    within: float
    streams: int = 0

    async def user(self, request: Request) -> str | None:
        """Return who asks, None where nobody has a name.

        Raises:
            Denied: they are not let in.
        """
        peer = request.client.host if request.client else ""
        return await asker(self.page(), request.headers.raw, peer, self.secrets)

    async def ask(self, question: Callable[[], T], name: str, within: float | None = None) -> T:
        """Ask the board something, in a thread of its own."""
        return await Flight(question, name).ask(self.within if within is None else within)


def page_application(board: Board, stanza: Callable[[], Page], *, within: float = ANSWER_WITHIN) -> ASGIApp:
    """Return the ASGI application of the page.

    Args:
        board: the program behind it.
        stanza: `page` of the configuration, asked anew at each request, so that a reload counts.
        within: seconds that an answer may take.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.routing import Route

    context = Context(board, stanza, Looks(board.status, within=within), Secrets(within), within)

    def route(path: str, answer: Callable[[Context, Request], Any]) -> Route:
        return Route(path, _of(answer, context), methods=["GET"])

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
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=1024)],
        exception_handlers={kind: refused for kind in (HTTPException, Denied, Unknown, TooLarge, Exception)},
    )
    made.router.redirect_slashes = False
    return Guard(made, lambda: stanza().base_url)


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
    return _html(pages.fleet_page(look, asked(request.query_params.multi_items()), user))


async def credential(context: Context, request: Request) -> Response:
    """One credential."""
    user = await context.user(request)
    name = request.path_params["name"]
    look = await context.looks.last()
    one = look.of(name)
    if one is None:
        raise Unknown
    facts = await context.ask(lambda: context.board.facts(name, None, FACTS), "facts")
    return _html(pages.credential_page(look, one, facts, user))


async def history(context: Context, request: Request) -> Response:
    """What happened."""
    user = await context.user(request)
    query = request.query_params
    name, people = query.get("name", "").strip()[:200], bool(query.get("people"))
    before = _number(query.get("before", ""))
    facts = await context.ask(lambda: context.board.facts(name or None, before, FACTS, people), "facts")
    return _html(pages.history_page(facts, context.board.now(), user, name=name, people=people, before=before))


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
        return _html(
            pages.discover_page(
                document, now, user, level=level, number=number, keeps=self.KEPT, problem=problem, remedy=remedy
            )
        )


# ------------------------------------------------------------------------------------------------ documents and events
async def status(context: Context, request: Request) -> Response:
    """The document of `status -o json`."""
    await context.user(request)
    return _json(200, (await context.looks.last()).document)


async def one_credential(context: Context, request: Request) -> Response:
    """One credential of that document."""
    await context.user(request)
    found = (await context.looks.last()).of(request.path_params["name"])
    if found is None:
        raise Unknown
    return _json(200, found)


async def events(context: Context, request: Request) -> Response:
    """Server-sent events: `look` with a word that differs whenever something has changed."""
    from starlette.responses import StreamingResponse

    await context.user(request)
    if context.streams >= STREAMS:
        return _json(503, {"error": "too many readers are told of changes already; reload by hand"})

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
                await asyncio.sleep(STREAM_EVERY)
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


# ------------------------------------------------------------------------------------------------------------- answers
async def refused(request: Request, error: Exception) -> Response:
    """Why there is no answer, in words for people; as JSON below /api."""
    number, title, message, headers = _why(error)
    if request.url.path.startswith("/api/") or request.url.path == "/events":
        return _json(number, {"error": message}, headers)
    return _html(pages.problem_page(title, message), number, headers)


def _why(error: Exception) -> tuple[int, str, str, dict[str, str]]:
    from starlette.exceptions import HTTPException

    if isinstance(error, Denied):
        challenge = {"www-authenticate": error.challenge} if error.challenge else {}
        return error.status, "Who are you?", error.message, challenge
    if isinstance(error, TooLarge):
        return 413, "Too large", "the request sent more than an act needs", {}
    if isinstance(error, Unknown):
        return 404, "Not found", "there is no such credential or page", {}
    if isinstance(error, TimeoutError):
        return 503, "Not now", "the answer took too long; the daemon's log may say why", {"retry-after": "5"}
    if isinstance(error, HTTPException):
        said = {404: "there is no such credential or page", 405: "this is not done that way"}
        text = said.get(error.status_code, "the request could not be answered")
        return error.status_code, "Not found" if error.status_code == 404 else "Not here", text, {}
    return 500, "That failed", "the page could not be made; the daemon's log says why", {}


def _html(text: str, number: int = 200, headers: dict[str, str] | None = None) -> Response:
    from starlette.responses import HTMLResponse

    return HTMLResponse(text, number, headers)


def _json(number: int, body: object, headers: dict[str, str] | None = None) -> Response:
    from starlette.responses import Response

    return Response(json.dumps(body, indent=2) + "\n", number, headers, media_type="application/json")
