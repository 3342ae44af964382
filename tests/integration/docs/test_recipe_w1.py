"""The page of recipe W1, followed as a person would type it: a value for a hub that somebody pastes by hand."""

import json
import re
import urllib.request

import pytest

from tests.recipe_page import ACCOUNT, recipe_page

DAY = 86_400.0


@pytest.fixture
def recipe(tmp_path):
    with recipe_page("w1-saas-hub", tmp_path) as recipe:
        yield recipe


@pytest.fixture
def hub(recipe):
    """The page followed to its end."""
    return followed(recipe)


def followed(recipe, **changes):
    ready, bootstrap, run = recipe.typed()
    recipe.follow(ready)
    recipe.put_recipe({"version: 1": "version: 1\nadvanced: { settle: 1s, propagation: 2s, retry: 1s }", **changes})
    recipe.checked = recipe.follow(bootstrap, recipe.place.sandbox.credentials["global-api-key"] + "\n")
    recipe.said = recipe.follow(run)
    return recipe


def pasted(recipe):
    """What somebody pastes into the hub: the four keys of the file."""
    text = re.sub("['\"]", "", (recipe.folder / "saas-hub.env").read_text())
    return dict(line.split("=", 1) for line in text.splitlines() if line)


def used(recipe, value):
    """The hub verifies the token, as it does for one of a user; its status."""
    request = urllib.request.Request(
        f"{recipe.place.sandbox.url}/user/tokens/verify", headers={"Authorization": f"Bearer {value}"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["result"]["status"]


def days_later(recipe, days):
    world = recipe.place.sandbox.world
    with world.lock:
        world.clock.advance(days * DAY)
    recipe.follow("rotator once --wait 6s")


def retirements(recipe):
    (one,) = json.loads(recipe.follow("rotator status -o json"))["credentials"]
    return [(row["step"], row["blocked"]) for row in one["retirements"]]


def test_the_page_leads_from_an_empty_folder_to_what_the_hub_asks_for(hub):
    keys = pasted(hub)

    assert used(hub, keys["CLOUDFLARE_API_TOKEN"]) == "active"
    assert keys["CLOUDFLARE_TOKEN_TYPE"] == "user"
    assert keys["CLOUDFLARE_ACCOUNT_ID"] == ACCOUNT
    assert "23/25 passed, 2 unproven" in hub.said
    assert "\nwarn" not in hub.checked
    hub.follow("test $(stat -c %a saas-hub.env) = 600")


def test_who_pastes_is_told_and_the_old_value_lives_until_the_hub_has_let_it_go(hub):
    old = pasted(hub)["CLOUDFLARE_API_TOKEN"]
    days_later(hub, 64)  # due after 57 to 63 days: a fleet is spread
    new = pasted(hub)["CLOUDFLARE_API_TOKEN"]
    told = (hub.folder / "to-paste.txt").read_text()
    assert new != old
    assert told.splitlines()[-1] == "saas-hub-prod has generation 2: paste saas-hub.env into the hub"
    assert not any(value in told for value in (old, new))

    for days in (6, 2):
        assert used(hub, old) == "active"
        days_later(hub, days)
    assert retirements(hub) == [("open", "still_used")]

    assert used(hub, new) == "active"
    days_later(hub, 4)
    assert retirements(hub)[0][0] == "disabled"


def test_without_a_quiet_time_the_old_value_lives_until_whoever_pastes_says_so(recipe):
    hub = followed(recipe, **{"quiet: 3d": "quiet: 0s"})
    old = pasted(hub)["CLOUDFLARE_API_TOKEN"]
    for days in (64, 8, 1):
        days_later(hub, days)
    (word,) = re.findall(r"^ *\$ (rotator ack .*)$", hub.page, re.MULTILINE)
    assert retirements(hub) == [("open", "unacknowledged")]
    assert word in hub.follow("rotator status saas-hub-prod")
    assert used(hub, old) == "active"

    hub.follow(word)
    days_later(hub, 0)

    assert retirements(hub)[0][0] == "disabled"
