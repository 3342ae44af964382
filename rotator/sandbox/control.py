"""The control interface below `/__sandbox__/`: look behind the provider's curtain, and make it misbehave.

For people and tests, never for the daemon. It answers only requests whose `Host` (and `Origin`, if a browser sends
one) is a loopback name, so that a web page cannot steer a sandbox through DNS rebinding. Values never leave here;
their SHA-256 does.
"""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from rotator.sandbox.clock import rfc3339, rfc3339_or_none
from rotator.sandbox.gateway import Gateway, common_headers
from rotator.sandbox.message import Request, Response, json_response
from rotator.sandbox.world import Token, sha256

PREFIX: Final = "/__sandbox__/"


def loopback(authority: str) -> bool:
    """Whether a `Host` (with or without a port) names this machine's loopback."""
    try:
        host = urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class WrongRequest(Exception):
    """A control request that cannot be done; says what was expected."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Answers control requests about one gateway."""

    def __init__(self, gateway: Gateway, saved: Callable[[], None] = lambda: None) -> None:
        self._gateway = gateway
        self._world = gateway.world
        self._saved = saved
        self._table: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "tokens"): self._tokens,
            ("GET", "requests"): self._requests,
            ("POST", "faults"): self._arm,
            ("GET", "faults"): lambda _: {"faults": gateway.faults.list()},
            ("DELETE", "faults"): lambda _: {"cleared": gateway.faults.clear()},
            ("GET", "clock"): lambda _: self._clock_view(),
            ("POST", "clock"): self._advance,
            ("GET", "settings"): lambda _: self._settings_view(),
            ("POST", "settings"): self._settings,
        }

    def answer(self, request: Request) -> Response:
        """The answer to a request below `PREFIX`; always JSON, `{"error": ...}` when it cannot be done."""
        headers = common_headers(self._world.clock.now())
        try:
            return json_response(200, self._dispatch(request), headers)
        except WrongRequest as error:
            return json_response(error.status, {"error": str(error)}, headers)

    def _dispatch(self, request: Request) -> Any:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if not loopback(host) or (origin is not None and not loopback(urlsplit(origin).netloc)):
            raise WrongRequest(403, "the control interface answers only requests to a loopback host")
        local = request.path[len(PREFIX) :].strip("/")
        parts = local.split("/")
        if len(parts) == 3 and parts[0] == "tokens" and parts[2] == "expose" and request.method == "POST":
            return self._expose(parts[1])
        act = self._table.get((request.method, local))
        if act is None:
            known = sorted({f"{method} {path}" for method, path in self._table} | {"POST tokens/{id}/expose"})
            raise WrongRequest(404, f"no such control; there are: {', '.join(known)}")
        return act(request)

    def _tokens(self, request: Request) -> Any:
        with self._world.lock:
            now = self._world.clock.now()
            return {"tokens": [token_view(token, now) for token in self._world.tokens.values()]}

    def _requests(self, request: Request) -> Any:
        text = parse_qs(request.query).get("after", ["0"])[-1]
        if not (text.isascii() and text.isdigit()):
            raise WrongRequest(400, "after must be the number of a request")
        return {"requests": self._gateway.recorder.after(int(text))}

    def _arm(self, request: Request) -> Any:
        try:
            return {"id": self._gateway.faults.arm(_body(request))}
        except ValueError as error:
            raise WrongRequest(400, str(error)) from None

    def _advance(self, request: Request) -> Any:
        body = _body(request)
        seconds = body.get("advance")
        if set(body) != {"advance"} or seconds is None or not _number(seconds):
            raise WrongRequest(400, 'expected {"advance": SECONDS}')
        with self._world.lock:
            self._world.clock.advance(seconds)
            self._keep()
            return self._clock_view()

    def _clock_view(self) -> Any:
        clock = self._world.clock
        return {"now": rfc3339(clock.now()), "advanced": clock.advanced}

    def _settings(self, request: Request) -> Any:
        body = _body(request)
        checked = {key: checked_setting(key, value) for key, value in body.items()}
        with self._world.lock:
            for key, value in checked.items():
                setattr(self._world.settings, key, value)
            if "rate_limit" in checked:
                self._gateway.limiter.clear()
            self._keep()
            return self._settings_view()

    def _settings_view(self) -> Any:
        found = asdict(self._world.settings)
        if found["rate_limit"] is not None:
            found["rate_limit"] = {"requests": found["rate_limit"][0], "window": found["rate_limit"][1]}
        return found

    def _expose(self, token_id: str) -> Any:
        with self._world.lock:
            token = self._world.tokens.get(token_id)
            if token is None or token.deleted_on is not None:
                raise WrongRequest(404, "no such token")
            now = self._world.clock.now()
            token.exposed = True
            token.modified_on = now
            self._keep()
            return {"token": token_view(token, now)}

    def _keep(self) -> None:
        self._world.unsaved += 1
        self._saved()


def token_view(token: Token, now: float) -> dict[str, Any]:
    """A token as the control interface shows it: everything but its values."""
    return {
        "id": token.id,
        "name": token.name,
        "owner": {"type": token.owner.type, "id": token.owner.id},
        "status": token.status(now),
        "issued_on": rfc3339(token.issued_on),
        "modified_on": rfc3339(token.modified_on),
        "not_before": rfc3339_or_none(token.not_before),
        "expires_on": rfc3339_or_none(token.expires_on),
        "last_used_on": rfc3339_or_none(token.last_used_on),
        "deleted_on": rfc3339_or_none(token.deleted_on),
        "value_sha256": sha256(token.value),
        "former_values_sha256": [old.sha256 for old in token.former],
        "policies": token.policies,
        "condition": token.condition,
    }


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise WrongRequest(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise WrongRequest(400, "the body must be a JSON object")
    return body


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def checked_setting(key: str, value: Any) -> Any:
    """One setting as `world.Settings` holds it."""
    if key in ("verify_lag", "list_lag", "revoke_lag", "latency"):
        if not _number(value) or value < 0:
            raise WrongRequest(400, f"{key} must be a number of seconds, 0 or more")
        return float(value)
    if key in ("user_quota", "account_quota"):
        if not _number(value) or value != int(value) or value < 0:
            raise WrongRequest(400, f"{key} must be a whole number, 0 or more")
        return int(value)
    if key == "rate_limit":
        if value is None:
            return None
        if not isinstance(value, dict) or set(value) != {"requests", "window"}:
            raise WrongRequest(400, 'rate_limit must be null or {"requests": N, "window": SECONDS}')
        requests, window = value["requests"], value["window"]
        if not _number(requests) or not _number(window) or requests < 1 or requests != int(requests) or window <= 0:
            raise WrongRequest(400, "rate_limit.requests must be a whole number from 1, rate_limit.window above 0")
        return int(requests), float(window)
    raise WrongRequest(
        400,
        f"unknown setting {key!r}; there are: verify_lag, list_lag, revoke_lag, latency, rate_limit, user_quota, "
        "account_quota",
    )
