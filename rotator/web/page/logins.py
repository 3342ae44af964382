"""The two routes of a login: to the provider, and back. What is believed of it is `oidc`'s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotator.config.page import OidcUsers
from rotator.web.page.board import Unknown
from rotator.web.page.context import Context
from rotator.web.page.oidc import Step

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


async def login(context: Context, request: Request) -> Response:
    """GET /login?to=PATH: to the provider."""
    oidc, base_url = _configured(context)
    to = request.query_params.get("to", "/")
    return _go(await context.ask(lambda: context.login.begin(oidc, base_url, to), "login", 15.0), base_url)


async def callback(context: Context, request: Request) -> Response:
    """GET /callback: back from the provider."""
    oidc, base_url = _configured(context)
    secret = await context.secrets.read(oidc.client_secret)
    query, headers = dict(request.query_params), request.headers.raw
    step = await context.ask(lambda: context.login.finish(oidc, secret, base_url, query, headers), "callback", 20.0)
    return _go(step, base_url)


def _configured(context: Context) -> tuple[OidcUsers, str]:
    page = context.page()
    if page.users is None or page.users.oidc is None or page.base_url is None:
        raise Unknown
    return page.users.oidc, page.base_url


def _go(step: Step, base_url: str) -> Response:
    from starlette.responses import RedirectResponse

    answer, safe = RedirectResponse(step.location, 303), base_url.startswith("https://")
    for name, (value, lasts) in step.cookies.items():
        answer.set_cookie(name, value, max_age=int(lasts), httponly=True, secure=safe, samesite="lax", path="/")
    return answer
