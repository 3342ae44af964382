"""Every answer of the sandbox fits the schema that Cloudflare publishes for that operation and status.

tests/data/cloudflare-openapi.json holds the operations that the sandbox answers. Where the document contradicts what
the real API is seen to do, or itself, this file says so: codes below the documented minimum of 1000, and two variants
of a membership of which any answer without policies fits both.
"""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from rotator.sandbox import Sandbox, routes
from tests.sandbox_calls import (
    ACCOUNT,
    DNS_WRITE,
    ZONE_READ,
    OwnerApi,
    Provider,
    allow,
    zones_of,
)

DOCUMENT = json.loads((Path(__file__).parents[2] / "data" / "cloudflare-openapi.json").read_text())
OBSERVED_CODES = (400, 971)  # a bad name, and the rate limit


def schema_of(template, method, status):
    responses = DOCUMENT["paths"][template][method.lower()]["responses"]
    found = responses.get(str(status)) or responses[f"{status // 100}XX"]
    schema = found["content"]["application/json"]["schema"]
    return {"anyOf": schema["oneOf"]} if "oneOf" in schema else schema


def check(template, method, status, answer):
    answer = deepcopy(answer)
    for error in answer["errors"]:
        if error["code"] in OBSERVED_CODES:
            error["code"] = 1000
    schema = {**schema_of(template, method, status), "components": DOCUMENT["components"]}
    OAS30Validator(schema, format_checker=oas30_format_checker).validate(answer)


class Checked(Provider):
    """A provider whose every answer is held against the schema of its operation."""

    def __init__(self, sandbox):
        super().__init__(sandbox)
        self.checked = set()

    def call(self, method, path, body=None, bearer=None, **more):
        got = super().call(method, path, body, bearer, **more)
        route = routes.find(method, path.partition("?")[0]).route
        if route is not None and route.template in DOCUMENT["paths"]:
            check(route.template, method, got.status, got.json)
            self.checked.add((method, route.template, got.status))
        return got


@pytest.fixture
def provider():
    return Checked(Sandbox())


@pytest.fixture(params=["user", "account"])
def tokens(request, provider):
    return OwnerApi(provider, request.param)


def test_a_whole_life_of_a_token_fits_the_schemas(tokens):
    far = "2126-01-01T00:00:00Z"
    token = tokens.made(
        policies=[allow(DNS_WRITE, on=zones_of()), allow(ZONE_READ, on=zones_of())],
        expires_on=far,
        not_before="2020-01-01T00:00:00Z",
        condition={"request_ip": {"in": ["127.0.0.0/8"], "not_in": ["10.0.0.0/8"]}},
    )
    tokens.verify(token["value"])
    tokens.get(token["id"])
    tokens.list("?per_page=5&include_expired=true")
    tokens.update(token["id"], status="disabled", expires_on=far)
    tokens.verify(token["value"])
    tokens.roll(token["id"])
    tokens.provider.control("POST", f"tokens/{token['id']}/expose")
    tokens.get(token["id"])
    tokens.delete(token["id"])
    assert {(method, status) for method, _, status in tokens.provider.checked} >= {
        ("POST", 200),
        ("GET", 200),
        ("PUT", 200),
        ("DELETE", 200),
    }


def test_every_kind_of_refusal_fits_the_schemas(tokens):
    missing = "0" * 32
    tokens.create(name="")
    tokens.create(policies=[allow(tokens.write_group, on=tokens.own)])
    tokens.call("POST", raw=b"{")
    tokens.get(missing)
    tokens.update(missing)
    tokens.roll(missing)
    tokens.delete(missing)
    tokens.list("?per_page=1")
    tokens.list(bearer="x" * 40)
    tokens.list(bearer=None)
    tokens.verify("test")
    tokens.verify("x" * 40)
    tokens.list(bearer=tokens.made()["value"])
    tokens.provider.settings(rate_limit={"requests": 1, "window": 60})
    tokens.list()
    tokens.list()
    statuses = {status for _, _, status in tokens.provider.checked}
    assert statuses >= {400, 401, 403, 404, 429}


def test_what_stands_around_the_tokens_fits_the_schemas(provider):
    value = provider.credentials["user-management"]
    for path in ("/user", "/memberships", "/accounts", "/user/tokens/permission_groups"):
        assert provider.api("GET", path, bearer=value).status == 200
    account = provider.credentials["account-management"]
    assert provider.api("GET", f"/accounts/{ACCOUNT}/tokens/permission_groups", bearer=account).status == 200
    assert len(provider.checked) == 5


def test_every_token_operation_of_the_document_is_answered():
    answered = {(route.method.lower(), route.template) for route in routes.ROUTES}
    documented = {
        (method, template)
        for template, operations in DOCUMENT["paths"].items()
        for method in operations
        if method in ("get", "post", "put", "delete")
    }
    assert documented <= answered


def test_the_check_itself_can_fail():
    with pytest.raises(Exception, match="is not of type 'string'"):
        check("/user/tokens/{token_id}/value", "PUT", 200, {"success": True, "errors": [], "messages": [], "result": 7})
