"""The way of one API request: fault, routing, credentials, rate limit, operation, envelope, record.

`Gateway.answer` is what the server calls below `/client/v4`. Sleeping (latency, delays) happens outside the world's
lock, everything that reads or changes the world inside it, so that every operation is atomic.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from rotator.sandbox import auth, routes
from rotator.sandbox.auth import Caller, Presented
from rotator.sandbox.call import Answer, Call
from rotator.sandbox.clock import http_date
from rotator.sandbox.errors import Refusal
from rotator.sandbox.faults import KINDS, Fault, Faults
from rotator.sandbox.limits import FREE, RateLimiter, Standing
from rotator.sandbox.message import Request, Response, json_response
from rotator.sandbox.recorder import Recorder
from rotator.sandbox.world import World


class Gateway:
    """Answers API requests. `saved` is called after every change, before the answer leaves."""

    def __init__(self, world: World, saved: Callable[[], None] = lambda: None) -> None:
        self.world = world
        self.faults = Faults()
        self.limiter = RateLimiter()
        self.recorder = Recorder()
        self._saved = saved
        self._timers: set[threading.Timer] = set()
        self._stopped = False

    def answer(self, request: Request) -> Response | None:
        """The response, or None to close the connection without one."""
        match = routes.find(request.method, request.path)
        fault = self.faults.take(match.operation)
        if self.world.settings.latency > 0:
            time.sleep(self.world.settings.latency)
        handle = _Handle(self, request, match, fault)
        return handle.do() if fault is None else KINDS[fault.kind](fault, handle)

    def schedule(self, seconds: float, act: Callable[[], object]) -> None:
        """Run `act` in `seconds` on a thread of its own, unless `stop` comes first."""

        def run() -> None:
            with self.world.lock:
                self._timers.discard(timer)
                stopped = self._stopped
            if not stopped:
                act()

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        with self.world.lock:
            self._timers.add(timer)
        timer.start()

    def stop(self) -> None:
        """Give up what was scheduled for later."""
        with self.world.lock:
            self._stopped = True
            timers = list(self._timers)
        for timer in timers:
            timer.cancel()

    def perform(self, request: Request, match: routes.Match, fault: str | None) -> Response:
        """Do the request now, once, and record it."""
        with self.world.lock:
            now = self.world.clock.now()
            caller, standing = None, FREE
            try:
                presented = auth.present(request.headers)
                caller = auth.recognise(self.world, presented, now)
                standing = self._charge(caller, now, request.ip)
                if standing.retry_after is not None:
                    raise Refusal("throttled")
                answer = self._operate(request, match, presented, caller, now)
                status, document = 200, _success(answer)
            except Refusal as refusal:
                status, document = refusal.status, _failure(refusal)
            if self.world.unsaved:
                self._saved()
            self._record(request, match, status, caller, fault, now)
        headers = [*common_headers(now), *standing.headers()]
        return json_response(status, document, headers)

    def skip(self, request: Request, match: routes.Match, status: int | None, fault: str | None) -> None:
        """Record a request that was not performed."""
        with self.world.lock:
            now = self.world.clock.now()
            try:
                caller = auth.recognise(self.world, auth.present(request.headers), now)
            except Refusal:
                caller = None
            self._record(request, match, status, caller, fault, now)

    def _charge(self, caller: Caller | None, now: float, ip: str) -> Standing:
        """Mark the token as used and count the request; one that is over the limit still counts as use."""
        if caller is None:
            return FREE
        if caller.token is not None and auth.usable(caller, now) and auth.welcome(caller, ip):
            caller.token.last_used_on = now
        return self.limiter.charge(caller.purse, self.world.settings.rate_limit, now)

    def _operate(
        self, request: Request, match: routes.Match, presented: Presented, caller: Caller | None, now: float
    ) -> Answer:
        if match.refusal is not None or match.route is None or match.params is None:
            raise match.refusal or Refusal("no_route")
        if not match.route.open:
            caller = auth.admit(caller, presented, now, request.ip)
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        call = Call(self.world, now, request.ip, presented, caller, match.params, query, request.body)
        return match.route.perform(call)

    def _record(
        self,
        request: Request,
        match: routes.Match,
        status: int | None,
        caller: Caller | None,
        fault: str | None,
        now: float,
    ) -> None:
        actor = caller.token.id if caller is not None and caller.token is not None else None
        self.recorder.note(now, request.method, request.path, request.query, status, match.operation, actor, fault)


@dataclass(frozen=True, slots=True)
class _Handle:
    """One request in the hand of a fault (`faults.Handle`)."""

    gateway: Gateway
    request: Request
    match: routes.Match
    fault: Fault | None

    @property
    def kind(self) -> str | None:
        return None if self.fault is None else self.fault.kind

    def do(self) -> Response:
        return self.gateway.perform(self.request, self.match, self.kind)

    def skip(self, status: int | None) -> None:
        self.gateway.skip(self.request, self.match, status, self.kind)

    def later(self, seconds: float) -> None:
        self.gateway.schedule(seconds, self.do)

    def headers(self) -> list[tuple[str, str]]:
        return [*common_headers(self.gateway.world.clock.now()), *FREE.headers()]


def common_headers(now: float) -> list[tuple[str, str]]:
    """What every answer of the API carries: provider time and the identifier of the request."""
    return [("Date", http_date(now)), ("cf-ray", f"{secrets.token_hex(8)}-SBX"), ("Server", "cloudflare")]


def _success(answer: Answer) -> dict[str, Any]:
    document: dict[str, Any] = {"result": answer.result, "success": True, "errors": [], "messages": [*answer.messages]}
    if answer.info is not None:
        document["result_info"] = dict(answer.info)
    return document


def _failure(refusal: Refusal) -> dict[str, Any]:
    return {"success": False, "errors": [refusal.error], "messages": [], "result": None}
