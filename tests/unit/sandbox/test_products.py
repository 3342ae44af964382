"""Reads of products are answered to those who hold a permission of the product there, and to nobody else."""

import pytest

from rotator.sandbox.catalogue import ACCOUNT, ZONE, groups
from rotator.sandbox.products import PRODUCTS
from tests.sandbox_calls import ACCOUNT as ACCOUNT_ID
from tests.sandbox_calls import SECOND_ACCOUNT
from tests.sandbox_calls import ZONE as ZONE_ID


def path_of(template):
    return template.replace("{account_id}", ACCOUNT_ID).replace("{zone_id}", ZONE_ID)


def policy(kind, name, account=ACCOUNT_ID):
    (group,) = [g.id for g in groups().values() if g.scope == kind and g.name == name]
    resources = {f"{ACCOUNT}.{account}": "*" if kind == ACCOUNT else {f"{ZONE}.*": "*"}}
    return {"effect": "allow", "permission_groups": [{"id": group}], "resources": resources}


def reads(kind, product):
    names = [g.name for g in groups().values() if g.scope == kind]
    return next(f"{product} {level}" for level in ("Read", "Write", "Edit") if f"{product} {level}" in names)


@pytest.mark.parametrize("template, kind, products", PRODUCTS, ids=lambda part: str(part)[:60])
def test_a_read_needs_a_permission_of_its_product_on_that_very_place(provider, template, kind, products):
    tokens = provider.owner("account")
    holder = tokens.made(policies=[policy(kind, reads(kind, products[0]))])["value"]
    stranger = tokens.made(policies=[policy(kind, "Workers Tail Read" if kind == ACCOUNT else "Zone Read")])["value"]

    assert provider.api("GET", path_of(template), bearer=holder).status == 200
    assert provider.api("GET", path_of(template), bearer=stranger).refusal == (403, 10000)
    if kind == ACCOUNT:
        elsewhere = path_of(template).replace(ACCOUNT_ID, SECOND_ACCOUNT)
        assert provider.api("GET", elsewhere, bearer=holder).refusal == (403, 10000)
