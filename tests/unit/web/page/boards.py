"""A program behind the page that stands in a test: documents as `status -o json` prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rotator.core.times import drawn_at
from rotator.web.page.board import Order, Told, Unknown
from tests.unit.cli.documents import NOW, status

KEY = b"k" * 32


def fact(kind: str = "confirmed", name: str = "workers-deploy", **more: Any) -> dict[str, Any]:
    return {
        "time": NOW,
        "credential": name,
        "rotation": "ece208f177ec1ecf",
        "kind": kind,
        "epoch": 3,
        "actor": "rotator",
        "detail": {},
        **more,
    }


class FakeBoard:
    """Answers from what it is given, and keeps the orders that it gets."""

    def __init__(self, document: Mapping[str, Any] | None = None, facts: Sequence[Mapping[str, Any]] = ()) -> None:
        self.document: dict[str, Any] = {"configuration_problem": None, **(document or status())}
        self.told = list(facts)
        self.discovered: dict[str, Any] = {"tokens": [], "requests": 1, "unseen": [], "time": NOW}
        self.orders: list[Order] = []
        self.looked = 0
        self.error: Exception | None = None

    def now(self) -> float:
        return drawn_at(self.document)

    def status(self) -> Mapping[str, Any]:
        self.looked += 1
        if self.error is not None:
            raise self.error
        return self.document

    def facts(self, name: str | None, before: int | None, limit: int, people: bool = False) -> Told:
        if name is not None and all(one["name"] != name for one in self.document["credentials"]):
            raise Unknown
        newest = [one for one in reversed(self.told) if name in (None, one["credential"])][before or 0 :]
        more = len(newest) > limit
        return Told(newest[:limit], (before or 0) + limit if more else None)

    def discover(self) -> Mapping[str, Any]:
        if self.error is not None:
            raise self.error
        return self.discovered

    def act(self, order: Order) -> str:
        if self.error is not None:
            raise self.error
        self.orders.append(order)
        return order.request_id
