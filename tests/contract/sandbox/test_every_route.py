"""Every route of the sandbox has a foreign client that asks it and takes the answer.

Cloudflare's own Python SDK asks each route by the method that it has for it, and validates the answer strictly
against its typed models. What the SDK has no method for, wrangler asks (tests/integration/sandbox/test_wrangler.py).
A new route that neither asks is red here.
"""

import warnings
from operator import attrgetter

import cloudflare
import pytest

from rotator.sandbox import products, routes
from tests.contract.sandbox.asked_by_wrangler import ASKED_BY_WRANGLER
from tests.sandbox_calls import ACCOUNT, DNS_WRITE, ZONE, allow, zones_of

LISTS = {
    "/accounts/{account_id}/access/apps": "zero_trust.access.applications.list",
    "/accounts/{account_id}/access/certificates": "zero_trust.access.certificates.list",
    "/accounts/{account_id}/access/custom_pages": "zero_trust.access.custom_pages.list",
    "/accounts/{account_id}/access/groups": "zero_trust.access.groups.list",
    "/accounts/{account_id}/access/logs/access_requests": "zero_trust.access.logs.access_requests.list",
    "/accounts/{account_id}/access/service_tokens": "zero_trust.access.service_tokens.list",
    "/accounts/{account_id}/addressing/address_maps": "addressing.address_maps.list",
    "/accounts/{account_id}/addressing/prefixes": "addressing.prefixes.list",
    "/accounts/{account_id}/ai-gateway/gateways": "ai_gateway.list",
    "/accounts/{account_id}/ai/models/search": "ai.models.list",
    "/accounts/{account_id}/alerting/v3/policies": "alerting.policies.list",
    "/accounts/{account_id}/calls/apps": "calls.sfu.list",
    "/accounts/{account_id}/cfd_tunnel": "zero_trust.tunnels.cloudflared.list",
    "/accounts/{account_id}/challenges/widgets": "turnstile.widgets.list",
    "/accounts/{account_id}/custom_pages": "custom_pages.list",
    "/accounts/{account_id}/d1/database": "d1.database.list",
    "/accounts/{account_id}/devices/posture": "zero_trust.devices.posture.list",
    "/accounts/{account_id}/dns_firewall": "dns_firewall.list",
    "/accounts/{account_id}/dns_settings": "dns.settings.account.get",
    "/accounts/{account_id}/dns_settings/views": "dns.settings.account.views.list",
    "/accounts/{account_id}/email/routing/addresses": "email_routing.addresses.list",
    "/accounts/{account_id}/firewall/access_rules/rules": "firewall.access_rules.list",
    "/accounts/{account_id}/gateway/rules": "zero_trust.gateway.rules.list",
    "/accounts/{account_id}/hyperdrive/configs": "hyperdrive.configs.list",
    "/accounts/{account_id}/images/v1": "images.v1.list",
    "/accounts/{account_id}/load_balancers/pools": "load_balancers.pools.list",
    "/accounts/{account_id}/logpush/jobs": "logpush.jobs.list",
    "/accounts/{account_id}/magic/routes": "magic_transit.routes.list",
    "/accounts/{account_id}/members": "accounts.members.list",
    "/accounts/{account_id}/mnm/config": "magic_network_monitoring.configs.get",
    "/accounts/{account_id}/pages/projects": "pages.projects.list",
    "/accounts/{account_id}/queues": "queues.list",
    "/accounts/{account_id}/r2/buckets": "r2.buckets.list",
    "/accounts/{account_id}/registrar/domains": "registrar.domains.list",
    "/accounts/{account_id}/rules/lists": "rules.lists.list",
    "/accounts/{account_id}/rulesets": "rulesets.list",
    "/accounts/{account_id}/secrets_store/stores": "secrets_store.stores.list",
    "/accounts/{account_id}/storage/kv/namespaces": "kv.namespaces.list",
    "/accounts/{account_id}/stream": "stream.list",
    "/accounts/{account_id}/subscriptions": "accounts.subscriptions.get",
    "/accounts/{account_id}/vectorize/v2/indexes": "vectorize.indexes.list",
    "/accounts/{account_id}/workers/scripts": "workers.scripts.list",
    "/zones/{zone_id}/access/apps": "zero_trust.access.applications.list",
    "/zones/{zone_id}/api_gateway/operations": "api_gateway.operations.list",
    "/zones/{zone_id}/bot_management": "bot_management.get",
    "/zones/{zone_id}/cloud_connector/rules": "cloud_connector.rules.list",
    "/zones/{zone_id}/custom_pages": "custom_pages.list",
    "/zones/{zone_id}/dns_records": "dns.records.list",
    "/zones/{zone_id}/dns_settings": "dns.settings.zone.get",
    "/zones/{zone_id}/email/routing/rules": "email_routing.rules.list",
    "/zones/{zone_id}/firewall/access_rules/rules": "firewall.access_rules.list",
    "/zones/{zone_id}/healthchecks": "healthchecks.list",
    "/zones/{zone_id}/load_balancers": "load_balancers.list",
    "/zones/{zone_id}/logpush/jobs": "logpush.jobs.list",
    "/zones/{zone_id}/managed_headers": "managed_transforms.list",
    "/zones/{zone_id}/page_shield": "page_shield.get",
    "/zones/{zone_id}/pagerules": "page_rules.list",
    "/zones/{zone_id}/rulesets": "rulesets.list",
    "/zones/{zone_id}/settings/zaraz/config": "zaraz.config.get",
    "/zones/{zone_id}/snippets": "snippets.list",
    "/zones/{zone_id}/ssl/certificate_packs": "ssl.certificate_packs.list",
    "/zones/{zone_id}/waiting_rooms": "waiting_rooms.list",
    "/zones/{zone_id}/web3/hostnames": "web3.hostnames.list",
    "/zones/{zone_id}/workers/routes": "workers.routes.list",
}
"""Reads that need nothing but their account or zone: the SDK's name for each."""


def read(template):
    """The call of a read by the SDK's name for it; a list is read to its end."""
    place = {"account_id": ACCOUNT} if "{account_id}" in template else {"zone_id": ZONE}

    def ask(asked):
        found = attrgetter(LISTS[template])(asked.client)(**place)
        return list(found) if hasattr(found, "iter_pages") else found

    return ask


def upload(asked):
    worker = ("index.js", b"export default {}", "application/javascript+module")
    return asked.client.workers.scripts.update(
        "shop", account_id=ACCOUNT, metadata={"main_module": "index.js"}, files=[worker]
    )


def absent(method):
    """The call of a read of a Worker that does not exist, which is what the sandbox says of all of them."""

    def ask(asked):
        with pytest.raises(cloudflare.NotFoundError) as refused:
            attrgetter(f"workers.scripts.{method}")(asked.client)("shop", account_id=ACCOUNT)
        assert [error.code for error in refused.value.errors] == [10007]

    return ask


def tokens_of(client, whose):
    return client.accounts.tokens if whose else client.user.tokens


def token_calls(base):
    whose = {"account_id": ACCOUNT} if "{account_id}" in base else {}

    def of(asked):
        return tokens_of(asked.client, whose)

    def verified(asked):
        return tokens_of(asked.bearing(asked.token(whose).value), whose).verify(**whose)

    def changed(asked):
        return of(asked).update(asked.token(whose).id, name="other", policies=POLICIES, **whose)

    return {
        ("GET", base): lambda asked: list(of(asked).list(**whose)),
        ("POST", base): lambda asked: asked.token(whose),
        ("GET", f"{base}/verify"): verified,
        ("GET", f"{base}/permission_groups"): lambda asked: list(of(asked).permission_groups.list(**whose)),
        ("GET", f"{base}/{{token_id}}"): lambda asked: of(asked).get(asked.token(whose).id, **whose),
        ("PUT", f"{base}/{{token_id}}"): changed,
        ("DELETE", f"{base}/{{token_id}}"): lambda asked: of(asked).delete(asked.token(whose).id, **whose),
        ("PUT", f"{base}/{{token_id}}/value"): lambda asked: of(asked).value.update(asked.token(whose).id, **whose),
    }


POLICIES = [allow(DNS_WRITE, on=zones_of())]
SCRIPT = "/accounts/{account_id}/workers/scripts/{script_name}"
ASKED_BY_SDK = {
    **{("GET", template): read(template) for template in LISTS},
    **token_calls("/user/tokens"),
    **token_calls("/accounts/{account_id}/tokens"),
    ("GET", "/user"): lambda asked: asked.client.user.get(),
    ("GET", "/memberships"): lambda asked: list(asked.client.memberships.list()),
    ("GET", "/accounts"): lambda asked: list(asked.client.accounts.list()),
    ("GET", "/accounts/{account_id}"): lambda asked: asked.client.accounts.get(account_id=ACCOUNT),
    ("GET", "/zones"): lambda asked: list(asked.client.zones.list()),
    ("GET", "/zones/{zone_id}"): lambda asked: asked.client.zones.get(zone_id=ZONE),
    ("GET", "/zones/{zone_id}/settings/development_mode"): lambda asked: asked.client.zones.settings.get(
        "development_mode", zone_id=ZONE
    ),
    ("GET", "/accounts/{account_id}/workers/subdomain"): lambda asked: asked.client.workers.subdomains.get(
        account_id=ACCOUNT
    ),
    ("PUT", SCRIPT): upload,
    ("GET", f"{SCRIPT}/deployments"): absent("deployments.list"),
    ("GET", f"{SCRIPT}/settings"): absent("script_and_version_settings.get"),
    ("GET", f"{SCRIPT}/subdomain"): lambda asked: asked.client.workers.scripts.subdomain.get(
        "shop", account_id=ACCOUNT
    ),
    ("POST", f"{SCRIPT}/subdomain"): lambda asked: asked.client.workers.scripts.subdomain.create(
        "shop", account_id=ACCOUNT, enabled=False
    ),
}


class Asked:
    """The SDK as the user with everything, and what the sandbox saw of it."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.client = self._client(api_email="owner@example.com", api_key=sandbox.credentials["global-api-key"])

    def bearing(self, value):
        return self._client(api_token=value)

    def token(self, whose):
        return tokens_of(self.client, whose).create(name="asked", policies=POLICIES, **whose)

    def routes(self):
        rows = self.sandbox.gateway.recorder.after(0)
        found = {(row["method"], routes.find(row["method"], row["path"]).route) for row in rows}
        return {(method, route.template) for method, route in found if route is not None}

    def _client(self, **login):
        return cloudflare.Cloudflare(
            base_url=self.sandbox.url, max_retries=0, timeout=10, _strict_response_validation=True, **login
        )


@pytest.fixture
def asked(sandbox):
    return Asked(sandbox)


ROUTES = {(route.method, route.template) for route in routes.ROUTES}


def test_every_route_is_asked_by_one_of_the_two():
    assert set(ASKED_BY_SDK) | ASKED_BY_WRANGLER == ROUTES
    assert not set(ASKED_BY_SDK) & ASKED_BY_WRANGLER


@pytest.mark.parametrize("route", ASKED_BY_SDK, ids=" ".join)
def test_the_sdks_typed_models_take_the_answer(asked, route):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the SDK, on operations that the API will lose
        ASKED_BY_SDK[route](asked)

    assert route in asked.routes()


def test_an_answer_that_lacks_a_field_is_not_taken(asked, monkeypatch):
    template = "/zones/{zone_id}/page_shield"
    monkeypatch.setitem(products.OBJECTS, template, {"enabled": False})

    with pytest.raises(cloudflare.APIResponseValidationError):
        ASKED_BY_SDK["GET", template](asked)
