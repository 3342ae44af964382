"""What every route of the page works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rotator.config.page import Page
from rotator.web.answers import Flight
from rotator.web.page.board import Board
from rotator.web.page.forms import Forms
from rotator.web.page.looks import Looks
from rotator.web.page.oidc import Login
from rotator.web.page.users import Denied, Secrets, asker

if TYPE_CHECKING:
    from starlette.requests import Request

T = TypeVar("T")


@dataclass(slots=True)
class Context:
    """What every route works with.

    Attributes:
        board: the program behind the page.
        page: the stanza of the configuration, as it is now.
        looks: the fleet.
        secrets: of the users.
        forms: makes forms of acts and knows them again.
        login: by OpenID Connect.
        within: seconds that an answer may take.
        streams: how many are open.
        closing: whether the listener is about to end, and with it every stream.
    """

    board: Board
    page: Callable[[], Page]
    looks: Looks
    secrets: Secrets
    forms: Forms
    login: Login
    within: float
    streams: int = 0
    closing: bool = False

    async def user(self, request: Request) -> str | None:
        """Return who asks, None where nobody has a name.

        Raises:
            Denied: they are not let in.
        """
        users = self.page().users
        if users is not None and users.oidc is not None:
            if (name := self.login.user(request.headers.raw)) is None:
                raise Denied("log in first", login=True)
            return name
        peer = request.client.host if request.client else ""
        return await asker(self.page(), request.headers.raw, peer, self.secrets)

    async def ask(self, question: Callable[[], T], name: str, within: float | None = None) -> T:
        """Ask the board something, in a thread of its own."""
        return await Flight(question, name).ask(self.within if within is None else within)
