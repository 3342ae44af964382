"""What a first deployment asks for is answered to who holds Workers Scripts on that account, and to nobody else."""

import pytest

from rotator.sandbox.catalogue import ACCOUNT, groups
from rotator.sandbox.deploys import OPERATIONS
from tests.sandbox_calls import ACCOUNT as ACCOUNT_ID
from tests.sandbox_calls import SECOND_ACCOUNT, all_of, allow


def path_of(template, account=ACCOUNT_ID):
    return template.replace("{account_id}", account).replace("{script_name}", "shop")


def holder(provider, name):
    (group,) = [g.id for g in groups().values() if g.scope == ACCOUNT and g.name == name]
    return provider.owner("account").made(policies=[allow(group, on=all_of())])["value"]


ROWS = [(method, template) for method, template, _ in OPERATIONS]


@pytest.mark.parametrize("method, template", ROWS)
def test_a_call_of_a_deployment_needs_workers_scripts_on_that_very_account(provider, method, template):
    writer, stranger = holder(provider, "Workers Scripts Write"), holder(provider, "Workers Tail Read")

    assert provider.api(method, path_of(template), bearer=writer).status in (200, 404)
    assert provider.api(method, path_of(template), bearer=stranger).refusal == (403, 10000)
    assert provider.api(method, path_of(template, SECOND_ACCOUNT), bearer=writer).refusal == (403, 10000)


@pytest.mark.parametrize("method, template", [row for row in ROWS if row[0] != "GET"])
def test_who_may_only_read_scripts_changes_none(provider, method, template):
    reader = holder(provider, "Workers Scripts Read")

    assert provider.api(method, path_of(template), bearer=reader).refusal == (403, 10000)


def test_every_deployment_is_the_first_one(provider):
    writer = holder(provider, "Workers Scripts Write")
    scripts = f"/accounts/{ACCOUNT_ID}/workers/scripts/shop"

    assert provider.api("PUT", scripts, raw=b"code", bearer=writer).result["id"] == "shop"
    assert provider.api("GET", f"{scripts}/deployments", bearer=writer).refusal == (404, 10007)
    assert provider.api("GET", f"/accounts/{ACCOUNT_ID}/workers/services/shop", bearer=writer).refusal == (404, 10090)
