"""Reads of products, so that a token can be tried: answered if the caller holds a permission of the product there.

No product has a state here: lists are empty. Which permission a read needs is what Cloudflare's API documentation says
below "Accepted Permissions" of each operation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from rotator.sandbox import auth, paging
from rotator.sandbox.call import Answer, Call
from rotator.sandbox.catalogue import ACCOUNT, ZONE, groups
from rotator.sandbox.errors import Refusal
from rotator.sandbox.resources import Thing

PRODUCTS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("/accounts/{account_id}/access/apps", ACCOUNT, ("Access: Apps and Policies",)),
    ("/accounts/{account_id}/access/certificates", ACCOUNT, ("Access: Mutual TLS Certificates",)),
    ("/accounts/{account_id}/access/custom_pages", ACCOUNT, ("Access: Custom Pages",)),
    ("/accounts/{account_id}/access/groups", ACCOUNT, ("Access: Organizations, Identity Providers, and Groups",)),
    ("/accounts/{account_id}/access/logs/access_requests", ACCOUNT, ("Access: Audit Logs",)),
    ("/accounts/{account_id}/access/service_tokens", ACCOUNT, ("Access: Service Tokens",)),
    ("/accounts/{account_id}/addressing/address_maps", ACCOUNT, ("Address Maps",)),
    ("/accounts/{account_id}/addressing/prefixes", ACCOUNT, ("IP Prefixes:",)),
    ("/accounts/{account_id}/ai-gateway/gateways", ACCOUNT, ("AI Gateway",)),
    ("/accounts/{account_id}/ai/models/search", ACCOUNT, ("Workers AI",)),
    ("/accounts/{account_id}/alerting/v3/policies", ACCOUNT, ("Notifications",)),
    ("/accounts/{account_id}/calls/apps", ACCOUNT, ("Calls",)),
    ("/accounts/{account_id}/cfd_tunnel", ACCOUNT, ("Cloudflare Tunnel",)),
    ("/accounts/{account_id}/challenges/widgets", ACCOUNT, ("Turnstile Sites",)),
    ("/accounts/{account_id}/custom_pages", ACCOUNT, ("Account Custom Pages",)),
    ("/accounts/{account_id}/d1/database", ACCOUNT, ("D1",)),
    ("/accounts/{account_id}/devices/posture", ACCOUNT, ("Access: Device Posture",)),
    ("/accounts/{account_id}/dns_firewall", ACCOUNT, ("DNS Firewall",)),
    ("/accounts/{account_id}/dns_settings", ACCOUNT, ("Account DNS Settings",)),
    ("/accounts/{account_id}/dns_settings/views", ACCOUNT, ("DNS View",)),
    ("/accounts/{account_id}/email/routing/addresses", ACCOUNT, ("Email Routing Addresses",)),
    ("/accounts/{account_id}/firewall/access_rules/rules", ACCOUNT, ("Account Firewall Access Rules",)),
    ("/accounts/{account_id}/gateway/rules", ACCOUNT, ("Zero Trust",)),
    ("/accounts/{account_id}/hyperdrive/configs", ACCOUNT, ("Hyperdrive",)),
    ("/accounts/{account_id}/images/v1", ACCOUNT, ("Images",)),
    ("/accounts/{account_id}/load_balancers/pools", ACCOUNT, ("Load Balancing: Monitors and Pools",)),
    ("/accounts/{account_id}/logpush/jobs", ACCOUNT, ("Logs",)),
    ("/accounts/{account_id}/magic/routes", ACCOUNT, ("Magic Transit",)),
    ("/accounts/{account_id}/members", ACCOUNT, ("Account Settings",)),
    ("/accounts/{account_id}/mnm/config", ACCOUNT, ("Magic Network Monitoring Config",)),
    ("/accounts/{account_id}/pages/projects", ACCOUNT, ("Pages",)),
    ("/accounts/{account_id}/queues", ACCOUNT, ("Queues",)),
    ("/accounts/{account_id}/r2/buckets", ACCOUNT, ("Workers R2 Storage",)),
    ("/accounts/{account_id}/registrar/domains", ACCOUNT, ("Registrar Domains",)),
    ("/accounts/{account_id}/rules/lists", ACCOUNT, ("Account Rule Lists",)),
    (
        "/accounts/{account_id}/rulesets",
        ACCOUNT,
        (
            "Account Rulesets",
            "Account WAF",
            "Mass URL Redirects",
        ),
    ),
    ("/accounts/{account_id}/secrets_store/stores", ACCOUNT, ("Secrets Store",)),
    ("/accounts/{account_id}/storage/kv/namespaces", ACCOUNT, ("Workers KV Storage",)),
    ("/accounts/{account_id}/stream", ACCOUNT, ("Stream",)),
    ("/accounts/{account_id}/subscriptions", ACCOUNT, ("Billing",)),
    ("/accounts/{account_id}/vectorize/v2/indexes", ACCOUNT, ("Vectorize",)),
    ("/accounts/{account_id}/workers/scripts", ACCOUNT, ("Workers Scripts",)),
    ("/zones/{zone_id}/access/apps", ZONE, ("Access: Apps and Policies",)),
    ("/zones/{zone_id}/api_gateway/operations", ZONE, ("Domain API Gateway",)),
    ("/zones/{zone_id}/bot_management", ZONE, ("Bot Management",)),
    ("/zones/{zone_id}/cloud_connector/rules", ZONE, ("Cloud Connector",)),
    ("/zones/{zone_id}/custom_pages", ZONE, ("Custom Pages",)),
    ("/zones/{zone_id}/dns_records", ZONE, ("DNS",)),
    ("/zones/{zone_id}/dns_settings", ZONE, ("Zone DNS Settings",)),
    ("/zones/{zone_id}/email/routing/rules", ZONE, ("Email Routing Rules",)),
    ("/zones/{zone_id}/firewall/access_rules/rules", ZONE, ("Firewall Services",)),
    ("/zones/{zone_id}/healthchecks", ZONE, ("Health Checks",)),
    ("/zones/{zone_id}/load_balancers", ZONE, ("Load Balancers",)),
    ("/zones/{zone_id}/logpush/jobs", ZONE, ("Logs",)),
    ("/zones/{zone_id}/managed_headers", ZONE, ("Managed headers",)),
    (
        "/zones/{zone_id}/page_shield",
        ZONE,
        (
            "Domain Page Shield",
            "Page Shield",
        ),
    ),
    ("/zones/{zone_id}/pagerules", ZONE, ("Page Rules",)),
    ("/zones/{zone_id}/rulesets", ZONE, ("Zone WAF",)),
    ("/zones/{zone_id}/settings/development_mode", ZONE, ("Zone Settings",)),
    ("/zones/{zone_id}/settings/zaraz/config", ZONE, ("Zaraz",)),
    ("/zones/{zone_id}/snippets", ZONE, ("Snippets",)),
    ("/zones/{zone_id}/ssl/certificate_packs", ZONE, ("SSL and Certificates",)),
    ("/zones/{zone_id}/waiting_rooms", ZONE, ("Waiting Rooms",)),
    ("/zones/{zone_id}/web3/hostnames", ZONE, ("Web3 Hostnames",)),
    ("/zones/{zone_id}/workers/routes", ZONE, ("Workers Routes",)),
)
"""(path, kind of resource, products any of whose Read, Write or Edit permissions lets it be read)."""

DNS_DEFAULTS: Final[dict[str, Any]] = {
    "flatten_all_cnames": False,
    "foundation_dns": False,
    "internal_dns": {"reference_zone_id": None},
    "multi_provider": False,
    "nameservers": {"type": "cloudflare.standard"},
    "ns_ttl": 86400,
    "secondary_overrides": False,
    "soa": {
        "mname": "kristina.ns.cloudflare.com",
        "rname": "dns.cloudflare.com",
        "refresh": 10000,
        "retry": 2400,
        "expire": 604800,
        "min_ttl": 1800,
        "ttl": 3600,
    },
    "zone_mode": "standard",
}
OBJECTS: Final[dict[str, Any]] = {
    "/zones/{zone_id}/settings/development_mode": {
        "id": "development_mode",
        "value": "off",
        "editable": True,
        "modified_on": None,
        "time_remaining": 0,
    },
    "/zones/{zone_id}/bot_management": {"fight_mode": False, "enable_js": False},
    "/zones/{zone_id}/dns_settings": DNS_DEFAULTS,
    "/zones/{zone_id}/managed_headers": {"managed_request_headers": [], "managed_response_headers": []},
    "/zones/{zone_id}/page_shield": {
        "enabled": False,
        "updated_at": "2024-01-01T00:00:00Z",
        "use_cloudflare_reporting_endpoint": True,
        "use_connection_url_path": False,
    },
    "/zones/{zone_id}/settings/zaraz/config": {
        "dataLayer": True,
        "debugKey": "",
        "settings": {"autoInjectScript": True},
        "tools": {},
        "triggers": {},
        "variables": {},
        "zarazVersion": 1,
    },
    "/accounts/{account_id}/dns_settings": {"zone_defaults": DNS_DEFAULTS, "enforce_dns_only": False},
    "/accounts/{account_id}/magic/routes": {"routes": []},
    "/accounts/{account_id}/mnm/config": {"name": "", "default_sampling": 1, "router_ips": [], "warp_devices": []},
    "/accounts/{account_id}/r2/buckets": {"buckets": []},
    "/accounts/{account_id}/images/v1": {"images": []},
}
"""Reads whose result is no list."""


def reader(path: str, kind: str, products: tuple[str, ...]) -> Callable[[Call], Answer]:
    """Return the operation of one read."""

    def read(call: Call) -> Answer:
        place = call.params["account_id" if kind == ACCOUNT else "zone_id"]
        zone = call.world.zones.get(place)
        thing = Thing(kind, place, place if kind == ACCOUNT else zone.account_id if zone else "")
        if not auth.may(call.world, call.admitted, _groups(kind, products), thing):
            raise Refusal("authentication_error")
        if path in OBJECTS:
            return Answer(OBJECTS[path])
        return paging.page({k: v for k, v in call.query.items() if k in ("page",)}, [])

    return read


@cache
def _groups(kind: str, products: tuple[str, ...]) -> tuple[str, ...]:
    wanted = {f"{product} {level}" for product in products for level in ("Read", "Write", "Edit")}
    return tuple(group.id for group in groups().values() if group.scope == kind and group.name in wanted)
