"""Acts by way of the page: forms of people, JSON of programs. Who, whether they may, and whether it was really they.

A form carries a seal (`forms`). A program sends JSON, which no foreign page makes a browser send without asking
first, and nobody here answers that question. What a browser says that another site sent is refused in any case.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from rotator.web.page.answering import as_json
from rotator.web.page.board import Order, Unknown, Wrong
from rotator.web.page.context import Context
from rotator.web.page.forms import Repeated
from rotator.web.page.guard import answers_to
from rotator.web.page.users import Denied
from rotator.web.page.words import path

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

ACTS: Final = ("rotate", "pause", "resume", "resolve", "revoke")
REQUEST_ID: Final = re.compile(r"[0-9a-f]{16,64}\Z")

DONE: Final[Mapping[str, str]] = {
    "rotate": "A rotation is requested.",
    "pause": "It is paused.",
    "resume": "It is resumed.",
    "resolve": "Your decision is written down.",
    "revoke": "Its tokens are marked as leaked; they are replaced and ended now.",
}
"""What is said after an act."""


async def allowed(context: Context, request: Request, act: str) -> str:
    """Return the name of who asks for an act.

    Raises:
        Unknown: there is no such act.
        Denied: 401 where nobody has a name, 403 where the name may not, or another site sent it.
    """
    if act not in ACTS:
        raise Unknown
    user = await context.user(request)
    if user is None:
        raise Denied("this page does not know who you are, so nobody acts here: see `page.users`")
    if act not in context.page().may(user):
        raise Denied(f"{user} may not {act} here: see `page.acts`", status=403)
    _from_here(request, context.page().base_url)
    return user


def _from_here(request: Request, base_url: str | None) -> None:
    """Raise where a browser says that another site sent it."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    foreign = origin is not None and not answers_to(urlsplit(origin).netloc, base_url)
    if foreign or site not in ("same-origin", "none"):
        raise Denied("another site sent this", status=403)


async def by_program(context: Context, request: Request) -> Response:
    """POST /api/v1/credentials/NAME/ACT with a JSON body of the verb's flags."""
    name, act = request.path_params["name"], request.path_params["act"]
    user = await allowed(context, request, act)
    flags = _flags(request.headers.get("content-type", ""), await request.body())
    request_id = flags.pop("request_id", None) or secrets.token_hex(16)
    if not isinstance(request_id, str) or not REQUEST_ID.match(request_id):
        raise Wrong("`request_id` is 16 to 64 hexadecimal digits in lower case")
    done = await _done(context, Order(act=act, name=name, user=user, request_id=request_id, flags=flags))
    return as_json(202, {"request_id": done})


def _flags(kind: str, body: bytes) -> dict[str, Any]:
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise Wrong("send a JSON document, with `Content-Type: application/json`")
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise Wrong("the body is not JSON") from None
    if not isinstance(found, dict):
        raise Wrong("the body is not a JSON object of the verb's flags")
    return {str(key).replace("-", "_"): value for key, value in found.items()}


async def by_person(context: Context, request: Request) -> Response:
    """POST /credentials/NAME/ACT with the fields of a form; back to the credential afterwards."""
    from starlette.responses import RedirectResponse

    name, act = request.path_params["name"], request.path_params["act"]
    user = await allowed(context, request, act)
    try:
        fields = dict(parse_qsl((await request.body()).decode(), strict_parsing=True, max_num_fields=20))
    except ValueError:
        raise Wrong("the form could not be read") from None
    back = RedirectResponse(f"{path(name)}?done={act}", 303)
    try:
        nonce = context.forms.check(fields, user, act, name)
    except Repeated:
        return back
    flags: dict[str, object] = {key: fields[key] for key in ("reason", "for") if fields.get(key)}
    if how := fields.get("how"):
        flags[how] = True
    if fields.get("without_successor"):
        flags["without_successor"] = True
    await _done(context, Order(act=act, name=name, user=user, request_id=nonce, flags=flags))
    return back


async def _done(context: Context, order: Order) -> str:
    found = await context.ask(lambda: context.board.act(order), "act")
    await context.looks.last(anew=True)  # whoever acted sees it
    return found


def form_for(context: Context, user: str | None, name: str) -> Callable[[str], Mapping[str, str] | None]:
    """Return what makes the hidden fields of an act, None where the user may not."""
    may = context.page().may(user) if user else frozenset()

    def form(act: str) -> Mapping[str, str] | None:
        return context.forms.make(user, act, name) if user and act in may else None

    return form
