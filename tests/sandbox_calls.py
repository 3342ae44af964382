"""Calls to the sandbox without a socket: what a client would send, handed straight to the gateway.

For tests that ask about rules; what travels over a real connection is asked in tests/integration/sandbox.
"""

import json
from dataclasses import dataclass

from rotator.sandbox import Sandbox
from rotator.sandbox.message import Request

ACCOUNT = "a0000000000000000000000000000001"
SECOND_ACCOUNT = "a0000000000000000000000000000002"
ZONE = "b0000000000000000000000000000001"
USER = "c0000000000000000000000000000001"

DNS_WRITE = "4755a26eedb94da69e1066d98aa820be"
ZONE_READ = "c8fed203ed3043cba015a93ad1616f1f"
CACHE_PURGE = "e17beae8b8cb423a99b1730f21238bed"
API_TOKENS_READ = "0cc3a61731504c89b99ec1be78b77aa0"
API_TOKENS_WRITE = "686d18d5ac6c441c867cbf6771e58a0a"
ACCOUNT_API_TOKENS_READ = "eb56a6953c034b9d97dd838155666f06"
ACCOUNT_API_TOKENS_WRITE = "5bc3f8b21c554832afc660159ab75fa4"
ACCOUNT_SETTINGS_READ = "c1fde68c7bcc44588cbb6ddbc16d6480"
MEMBERSHIPS_READ = "3518d0f75557482e952c6762d3e64903"

NOT_GIVEN = object()


@dataclass(frozen=True)
class Got:
    """An answer: status, envelope, headers."""

    status: int
    json: dict
    headers: dict

    @property
    def result(self):
        assert self.status == 200, (self.status, self.json["errors"])
        return self.json["result"]

    @property
    def refusal(self):
        """(status, code) of an answer that says no."""
        assert self.json["success"] is False
        assert self.json["result"] is None
        return self.status, self.json["errors"][0]["code"]

    @property
    def message(self):
        return self.json["errors"][0]["message"]


def allow(*groups, on):
    return {"effect": "allow", "permission_groups": [{"id": group} for group in groups], "resources": on}


def zones_of(account=ACCOUNT):
    return {f"com.cloudflare.api.account.{account}": {"com.cloudflare.api.account.zone.*": "*"}}


def all_of(account=ACCOUNT):
    return {f"com.cloudflare.api.account.{account}": "*"}


def zone(zone_id=ZONE):
    return {f"com.cloudflare.api.account.zone.{zone_id}": "*"}


def self_of(user=USER):
    return {f"com.cloudflare.api.user.{user}": "*"}


class Provider:
    """The sandbox as a function from request to answer."""

    def __init__(self, sandbox: Sandbox):
        self.sandbox = sandbox
        self.world = sandbox.world
        self.credentials = sandbox.credentials

    def call(self, method, path, body=None, bearer=None, ip="127.0.0.1", raw=None, headers=None):
        path, _, query = path.partition("?")
        sent = {"host": "127.0.0.1:8980", **(headers or {})}
        if bearer is not None:
            sent["authorization"] = f"Bearer {bearer}"
        data = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        response = self.sandbox._answer(Request(method, path, query, sent, data, ip))
        if response is None:
            return None
        return Got(response.status, json.loads(response.body), dict(response.headers))

    def api(self, method, path, body=None, bearer=None, **more):
        return self.call(method, "/client/v4" + path, body, bearer, **more)

    def control(self, method, path, body=None, **more):
        return self.call(method, "/__sandbox__/" + path, body, **more)

    def advance(self, seconds):
        assert self.control("POST", "clock", {"advance": seconds}).status == 200

    def settings(self, **settings):
        assert self.control("POST", "settings", settings).status == 200

    def seen(self, token_id):
        """The token as the control interface shows it."""
        return next(row for row in self.control("GET", "tokens").json["tokens"] if row["id"] == token_id)

    def owner(self, kind):
        return OwnerApi(self, kind)


class OwnerApi:
    """The token operations of one owner, called with its management token unless told otherwise."""

    def __init__(self, provider: Provider, kind: str):
        self.provider = provider
        self.kind = kind
        self.base = "/user/tokens" if kind == "user" else f"/accounts/{ACCOUNT}/tokens"
        self.verify_path = f"{self.base}/verify"
        self.management = provider.credentials[f"{kind}-management"]
        self.management_id = provider.world.roles[f"{kind}-management"]
        self.write_group = API_TOKENS_WRITE if kind == "user" else ACCOUNT_API_TOKENS_WRITE
        self.read_group = API_TOKENS_READ if kind == "user" else ACCOUNT_API_TOKENS_READ
        self.own = self_of() if kind == "user" else all_of()
        self.policies = [allow(DNS_WRITE, on=zones_of())]

    def call(self, method, tail="", body=None, bearer=NOT_GIVEN, **more):
        bearer = self.management if bearer is NOT_GIVEN else bearer
        return self.provider.api(method, self.base + tail, body, bearer, **more)

    def create(self, name="deploy", policies=NOT_GIVEN, bearer=NOT_GIVEN, **body):
        policies = self.policies if policies is NOT_GIVEN else policies
        return self.call("POST", "", {"name": name, "policies": policies, **body}, bearer)

    def made(self, **body):
        """A created token, with its value."""
        return self.create(**body).result

    def get(self, token_id, **more):
        return self.call("GET", f"/{token_id}", **more)

    def list(self, query="", **more):
        return self.call("GET", query, **more)

    def update(self, token_id, name="deploy", policies=NOT_GIVEN, bearer=NOT_GIVEN, **body):
        policies = self.policies if policies is NOT_GIVEN else policies
        return self.call("PUT", f"/{token_id}", {"name": name, "policies": policies, **body}, bearer)

    def roll(self, token_id, **more):
        return self.call("PUT", f"/{token_id}/value", {}, **more)

    def delete(self, token_id, **more):
        return self.call("DELETE", f"/{token_id}", **more)

    def verify(self, value, **more):
        return self.call("GET", "/verify", bearer=value, **more)
