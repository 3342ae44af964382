"""The routes of the listener: what is asked, and which status and document answer it.

Every answer that depends on the outside is computed in a thread of its own, one at a time per question: whoever asks
meanwhile gets the same answer, and one that takes too long is said to be missing instead of holding the listener.
Answers never hold error texts: the log has them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from rotator.host.threads import Exhausted, start_thread

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

T = TypeVar("T")
Check = Callable[[], tuple[bool, Mapping[str, object]]]
Render = Callable[[], bytes]

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

ANSWER_WITHIN: Final = 5.0
"""Seconds after which a question counts as unanswered: below Prometheus' usual 10 s and a container's probe."""


class Flight(Generic[T]):
    """Runs a synchronous question in a daemon thread, for all who ask at that moment. Used within one event loop."""

    def __init__(self, question: Callable[[], T], name: str) -> None:
        """`question` may be slow and may raise; `name` is for the thread."""
        self._question, self._name = question, name
        self._answer: asyncio.Future[T] | None = None

    async def ask(self, within: float) -> T:
        """Return the answer.

        Raises:
            TimeoutError: it did not come `within` seconds; the question goes on and serves whoever asks next.
            Exception: what the question raised.
        """
        if self._answer is None:
            self._answer = asyncio.get_running_loop().create_future()
            self._answer.add_done_callback(self._landed)
            fly = partial(self._fly, self._answer, asyncio.get_running_loop())
            try:
                start_thread(fly, f"web-{self._name}")
            except Exhausted:  # an answer that holds up the listener is better than none
                fly()
        return await asyncio.wait_for(asyncio.shield(self._answer), within)

    def _landed(self, answer: asyncio.Future[T]) -> None:
        self._answer = None
        answer.exception()  # seen, so that nobody warns when all who asked have gone

    def _fly(self, answer: asyncio.Future[T], loop: asyncio.AbstractEventLoop) -> None:
        def land(found: T | None, error: Exception | None) -> None:
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(found)  # type: ignore[arg-type]  # no error means an answer

        try:
            found, error = self._question(), None
        except Exception as raised:  # noqa: BLE001 - handed to whoever asked
            found, error = None, raised
        try:
            loop.call_soon_threadsafe(land, found, error)
        except RuntimeError:
            return  # the listener was stopped meanwhile


def application(render: Render, health: Check, ready: Check, within: float = ANSWER_WITHIN) -> Starlette:
    """Return the ASGI application: GET and HEAD of /metrics, /healthz, /readyz; everything else is 404 or 405 as JSON.

    Args:
        render: the metrics page.
        health: whether the loop is alive, and details for the answer: plain data, no values.
        ready: the same for journal and configuration.
        within: seconds that an answer may take before it is 503.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import Response
    from starlette.routing import Route

    page = Flight(render, "metrics")

    async def metrics(request: Request) -> Response:
        try:
            return Response(await page.ask(within), media_type=METRICS_TYPE)
        except TimeoutError:
            return _document(503, {"error": "the metrics page took too long; read the log"})
        except Exception:  # noqa: BLE001 - the boundary; an error text may not leave
            return _document(500, {"error": "the metrics page failed; read the log"})

    def checked(check: Check, name: str) -> Callable[[Request], Any]:
        flight = Flight(check, name)

        async def answer(request: Request) -> Response:
            try:
                good, details = await flight.ask(within)
            except TimeoutError:
                good, details = False, {"reason": "no answer in time"}
            except Exception:  # noqa: BLE001 - the boundary; an error text may not leave
                good, details = False, {"reason": "the check itself failed; read the log"}
            return _document(200 if good else 503, {"status": "ok" if good else "fail", **details})

        return answer

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        said = {404: "there is no such page; try /metrics, /healthz or /readyz", 405: "only GET and HEAD are answered"}
        headers = error.headers if isinstance(error, HTTPException) else None
        return _document(status, {"error": said.get(status, "the request could not be answered")}, headers)

    made = Starlette(
        routes=[
            Route("/metrics", metrics, methods=["GET"]),
            Route("/healthz", checked(health, "health"), methods=["GET"]),
            Route("/readyz", checked(ready, "ready"), methods=["GET"]),
        ],
        exception_handlers={HTTPException: refused, Exception: refused},
    )
    made.router.redirect_slashes = False  # a redirect would send a client where its own Host header says
    return made


def _document(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    from starlette.responses import Response

    text = json.dumps(body, default=repr) + "\n"
    return Response(text, status, {**(headers or {}), "cache-control": "no-store"}, media_type="application/json")
