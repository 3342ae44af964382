"""Whether a token's address restriction lets this host in, as far as it can be told from where the provider sees us."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from rotator.sources.cloudflare.options import RequestIp

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(blocks: object) -> tuple[Network, ...]:
    """Return addresses and blocks as networks; what is none is left out."""
    found = []
    for block in blocks if isinstance(blocks, Sequence) and not isinstance(blocks, str) else ():
        try:
            found.append(ipaddress.ip_network(str(block), strict=False))
        except ValueError:
            continue
    return tuple(found)


def allowed_by(condition: object) -> tuple[Network, ...]:
    """Return the blocks to which a token object's `condition` restricts its use; empty where it names none."""
    if not isinstance(condition, Mapping):
        return ()
    request_ip = condition.get("request_ip", condition.get("request.ip"))
    return networks(request_ip.get("in")) if isinstance(request_ip, Mapping) else ()


def lets_in(limits: RequestIp, ours: Sequence[Network]) -> bool | None:
    """Whether a restriction lets us in: True all of our networks, False none of them, None where it cannot be told.

    Args:
        limits: of the token.
        ours: networks in one of which this host is; empty where nothing is known.
    """
    if not ours:
        return None
    wanted, refused = networks(limits.in_), networks(limits.not_in)
    if limits.in_ is not None and not any(_overlaps(our, each) for our in ours for each in wanted):
        return False
    if all(any(_within(our, each) for each in refused) for our in ours):
        return False
    inside = limits.in_ is None or all(any(_within(our, each) for each in wanted) for our in ours)
    clear = not any(_overlaps(our, each) for our in ours for each in refused)
    return True if inside and clear else None


def _overlaps(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False
