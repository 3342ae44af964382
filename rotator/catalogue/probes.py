"""Which read of the API shows that a permission works: one request that changes nothing, for each product that has one.

A permission without a row has none: the product can only be written (Cache Purge), is read by a query that is no GET
(Analytics over GraphQL), needs the id of a thing that may not exist, or no public documentation says how it is read.
Source: the paths of https://developers.cloudflare.com/api/, as the official SDK sends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rotator.catalogue.groups import Group, Scope

PROBES: Final[Mapping[Scope, Mapping[str, str]]] = MappingProxyType(
    {
        Scope.ACCOUNT: {
            "Access: Apps and Policies": "/accounts/{account_id}/access/apps",
            "Access: Audit Logs": "/accounts/{account_id}/access/logs/access_requests",
            "Access: Custom Pages": "/accounts/{account_id}/access/custom_pages",
            "Access: Device Posture": "/accounts/{account_id}/devices/posture",
            "Access: Mutual TLS Certificates": "/accounts/{account_id}/access/certificates",
            "Access: Organizations, Identity Providers, and Groups": "/accounts/{account_id}/access/groups",
            "Access: Service Tokens": "/accounts/{account_id}/access/service_tokens",
            "Account API Tokens": "/accounts/{account_id}/tokens",
            "Account Custom Pages": "/accounts/{account_id}/custom_pages",
            "Account DNS Settings": "/accounts/{account_id}/dns_settings",
            "Account Firewall Access Rules": "/accounts/{account_id}/firewall/access_rules/rules",
            "Account Rule Lists": "/accounts/{account_id}/rules/lists",
            "Account Rulesets": "/accounts/{account_id}/rulesets",
            "Account Settings": "/accounts/{account_id}/members",
            "Account WAF": "/accounts/{account_id}/rulesets",
            "Address Maps": "/accounts/{account_id}/addressing/address_maps",
            "AI Gateway": "/accounts/{account_id}/ai-gateway/gateways",
            "Billing": "/accounts/{account_id}/subscriptions",
            "Calls": "/accounts/{account_id}/calls/apps",
            "Cloudflare Tunnel": "/accounts/{account_id}/cfd_tunnel",
            "D1": "/accounts/{account_id}/d1/database",
            "DNS Firewall": "/accounts/{account_id}/dns_firewall",
            "DNS View": "/accounts/{account_id}/dns_settings/views",
            "Email Routing Addresses": "/accounts/{account_id}/email/routing/addresses",
            "Hyperdrive": "/accounts/{account_id}/hyperdrive/configs",
            "Images": "/accounts/{account_id}/images/v1",
            "IP Prefixes:": "/accounts/{account_id}/addressing/prefixes",
            "Load Balancing: Monitors and Pools": "/accounts/{account_id}/load_balancers/pools",
            "Logs": "/accounts/{account_id}/logpush/jobs",
            "Magic Network Monitoring Config": "/accounts/{account_id}/mnm/config",
            "Magic Transit": "/accounts/{account_id}/magic/routes",
            "Mass URL Redirects": "/accounts/{account_id}/rulesets",
            "Notifications": "/accounts/{account_id}/alerting/v3/policies",
            "Pages": "/accounts/{account_id}/pages/projects",
            "Queues": "/accounts/{account_id}/queues",
            "Registrar Domains": "/accounts/{account_id}/registrar/domains",
            "Secrets Store": "/accounts/{account_id}/secrets_store/stores",
            "Stream": "/accounts/{account_id}/stream",
            "Turnstile Sites": "/accounts/{account_id}/challenges/widgets",
            "Vectorize": "/accounts/{account_id}/vectorize/v2/indexes",
            "Workers AI": "/accounts/{account_id}/ai/models/search",
            "Workers KV Storage": "/accounts/{account_id}/storage/kv/namespaces",
            "Workers R2 Storage": "/accounts/{account_id}/r2/buckets",
            "Workers Scripts": "/accounts/{account_id}/workers/scripts",
            "Zero Trust": "/accounts/{account_id}/gateway/rules",
        },
        Scope.ZONE: {
            "Access: Apps and Policies": "/zones/{zone_id}/access/apps",
            "Bot Management": "/zones/{zone_id}/bot_management",
            "Cloud Connector": "/zones/{zone_id}/cloud_connector/rules",
            "Custom Pages": "/zones/{zone_id}/custom_pages",
            "DNS": "/zones/{zone_id}/dns_records",
            "Domain API Gateway": "/zones/{zone_id}/api_gateway/operations",
            "Domain Page Shield": "/zones/{zone_id}/page_shield",
            "Email Routing Rules": "/zones/{zone_id}/email/routing/rules",
            "Firewall Services": "/zones/{zone_id}/firewall/access_rules/rules",
            "Health Checks": "/zones/{zone_id}/healthchecks",
            "Load Balancers": "/zones/{zone_id}/load_balancers",
            "Logs": "/zones/{zone_id}/logpush/jobs",
            "Managed headers": "/zones/{zone_id}/managed_headers",
            "Page Rules": "/zones/{zone_id}/pagerules",
            "Page Shield": "/zones/{zone_id}/page_shield",
            "SSL and Certificates": "/zones/{zone_id}/ssl/certificate_packs",
            "Snippets": "/zones/{zone_id}/snippets",
            "Waiting Rooms": "/zones/{zone_id}/waiting_rooms",
            "Web3 Hostnames": "/zones/{zone_id}/web3/hostnames",
            "Workers Routes": "/zones/{zone_id}/workers/routes",
            "Zaraz": "/zones/{zone_id}/settings/zaraz/config",
            "Zone": "/zones/{zone_id}",
            "Zone DNS Settings": "/zones/{zone_id}/dns_settings",
            "Zone Settings": "/zones/{zone_id}/settings/development_mode",
            "Zone WAF": "/zones/{zone_id}/rulesets",
        },
        Scope.USER: {
            "API Tokens": "/user/tokens",
            "Memberships": "/memberships",
            "User Details": "/user",
        },
        Scope.BUCKET: {},
    }
)
"""Scope -> name of a product as its permissions begin -> path of a GET."""


_SHOWN_BY_READS: Final = frozenset({"read", "write", "edit"})
"""Levels of which a read says something."""


def probe_of(group: Group) -> str | None:
    """Return the path of the read that shows whether a permission works, None where there is none.

    Only for Read, Write and Edit: a read says nothing about running, purging or revoking.
    """
    base, _, level = group.name.rpartition(" ")
    if level.casefold() not in _SHOWN_BY_READS:
        return None
    return PROBES[group.scope].get(base)


_QUERIES: Final = frozenset({"Account Analytics", "Analytics"})


def why_none(group: Group) -> str:
    """Return why a permission has no probe, one clause; empty where it has one."""
    if probe_of(group) is not None:
        return ""
    base, _, level = group.name.rpartition(" ")
    if group.scope is Scope.BUCKET:
        return "objects are read by the S3 interface, and need a bucket"
    if base in _QUERIES:
        return "is read by GraphQL, which is no GET"
    if level.casefold() not in _SHOWN_BY_READS:
        return "no read tells whether this may be done"
    return "no read is documented that needs no id of a thing"
