"""Every probe is a path that the official SDK sends, and belongs to groups that there are."""

import re
from functools import cache
from pathlib import Path

import cloudflare
import pytest

from rotator.catalogue import PROBES, Scope, all_groups, probe_of

ROWS = [(scope, product, path) for scope, table in PROBES.items() for product, path in table.items()]


@cache
def sent() -> frozenset[str]:
    folder = Path(cloudflare.__file__).parent / "resources"
    found = set()
    for file in folder.rglob("*.py"):
        found |= {re.sub(r"\{[^}]*\}", "{}", path) for path in re.findall(r'"(/[a-z{][^"\n]*)"', file.read_text())}
    return frozenset(found)


@pytest.mark.parametrize("scope, product, path", ROWS, ids=lambda part: str(part).replace(" ", "_")[:30])
def test_a_probe_is_a_read_that_cloudflares_own_client_sends(scope: Scope, product: str, path: str):
    plain = re.sub(r"\{[^}]*\}", "{}", path)
    either = plain.replace("/accounts/{}", "/{}/{}", 1).replace("/zones/{}", "/{}/{}", 1)
    one_setting = re.sub(r"/settings/[a-z_]+$", "/settings/{}", plain)

    assert {plain, either, one_setting} & sent()
    assert any(group.scope is scope and group.name.startswith(f"{product} ") for group in all_groups() if group.id)


def test_a_read_says_nothing_about_purging_or_running():
    without = [g.name for g in all_groups() if g.name in ("Cache Purge", "AI Gateway Run") and probe_of(g)]

    assert without == []
    assert sum(probe_of(group) is not None for group in all_groups() if group.id) > 120
