"""How the page answers: HTML, JSON, and why there is no answer. No text of an error leaves that is not for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from rotator.web.page import pages
from rotator.web.page.board import Conflict, Unknown, Wrong
from rotator.web.page.forms import Stale
from rotator.web.page.guard import TooLarge
from rotator.web.page.users import Denied

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


async def refused(request: Request, error: Exception) -> Response:
    """Why there is no answer, in words for people; as JSON below /api."""
    number, title, message, headers = _why(error)
    api = request.url.path.startswith("/api/") or request.url.path == "/events"
    if isinstance(error, Denied) and error.login and request.method == "GET" and not api:
        from starlette.responses import RedirectResponse

        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?{urlencode({'to': here})}", 303)
    if api:
        return as_json(number, {"error": message}, headers)
    return as_html(pages.problem_page(title, message), number, headers)


def _why(error: Exception) -> tuple[int, str, str, dict[str, str]]:
    from starlette.exceptions import HTTPException

    if isinstance(error, Denied):
        challenge = {"www-authenticate": error.challenge} if error.challenge else {}
        return error.status, "Who are you?", error.message, challenge
    if isinstance(error, TooLarge):
        return 413, "Too large", "the request sent more than an act needs", {}
    if isinstance(error, Unknown):
        return 404, "Not found", "there is no such credential or page", {}
    if isinstance(error, Conflict):
        return 409, "That does not fit", str(error), {}
    if isinstance(error, Wrong):
        return 400, "That was not understood", str(error), {}
    if isinstance(error, Stale):
        return 403, "This form is too old", "nothing was done: look at the page again, and decide anew", {}
    if isinstance(error, TimeoutError):
        return 503, "Not now", "the answer took too long; the daemon's log may say why", {"retry-after": "5"}
    if isinstance(error, HTTPException):
        said = {404: "there is no such credential or page", 405: "this is not done that way"}
        text = said.get(error.status_code, "the request could not be answered")
        return error.status_code, "Not found" if error.status_code == 404 else "Not here", text, {}
    return 500, "That failed", "the page could not be made; the daemon's log says why", {}


def as_html(text: str, number: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a page."""
    from starlette.responses import HTMLResponse

    return HTMLResponse(text, number, headers)


def as_json(number: int, body: object, headers: dict[str, str] | None = None) -> Response:
    """Return a document."""
    from starlette.responses import Response

    return Response(json.dumps(body, indent=2) + "\n", number, headers, media_type="application/json")
