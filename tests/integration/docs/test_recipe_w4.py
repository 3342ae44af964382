"""The page of recipe W4, followed as a person would type it: summary, creation, verification, roll."""

import json
import re
import urllib.request

from rotator.catalogue.templates import TEMPLATES, template
from tests.recipe_page import recipe_page
from tests.rotator_place import ROOT

PRINTED_ADDRESS = "203.0.113.0/24"
HERE = "127.0.0.1/32"
TEXT = (ROOT / "docs" / "recipes" / "w4-create-verify-roll.md").read_text()
SHAPES = {
    "one zone": "zone: DNS Write, on example.com",
    "all zones of an account": "zone: DNS Write, on all zones of the account",
    "all zones of every account": "zone: DNS Write, on all zones of all accounts",
    "all zones, except some": "zone: DNS Write, not on example.net",
    "one account": "account: Account Settings Read, on the account",
    "all accounts": "account: Account Settings Read, on all accounts",
}
"""What `plan` says of the grant that the page prints for these resources."""


def rows(heading):
    """The cells of a table of the page, by its first heading."""
    table = TEXT.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return dict(re.findall(r"^\| ([^|`]+) \| `(.+)` \|$", table, re.MULTILINE))


def verified(page, token):
    """How often a token itself was asked for at the endpoint of the guide."""
    asked = urllib.request.urlopen(f"{page.place.sandbox.control}/requests?after=0")
    return sum(
        one["path"].endswith("/user/tokens/verify") and one["actor_token_id"] == token
        for one in json.load(asked)["requests"]
    )


def test_the_page_leads_from_a_summary_to_a_rolled_value_of_the_same_token(tmp_path):
    with recipe_page("w4-create-verify-roll", tmp_path) as page:
        init, bootstrap, plan, create, roll = page.typed()

        page.follow(init)
        page.put_recipe({PRINTED_ADDRESS: HERE})
        page.follow(bootstrap, page.place.sandbox.credentials["global-api-key"] + "\n")
        summary = re.search(r"```text\n(zone-dns:.*?)```", TEXT, re.DOTALL)[1].replace(PRINTED_ADDRESS, HERE)
        assert summary in page.follow(plan)
        assert not (page.folder / ".env").exists()

        shown = page.follow(create)
        first, token = page.value(".env"), re.search(r"^id +(\w+)$", shown, re.MULTILINE)[1]
        assert re.search(r"^status +active$", shown, re.MULTILINE)
        assert "1/1 passed" in shown
        assert verified(page, token)

        after = page.follow(roll)
        assert re.search(rf"^id +{token}$", after, re.MULTILINE)
        assert page.value(".env") != first
        dead = page.place.run("token", "show", "--value-env", "OLD", "-c", str(page.folder / "rotator.yaml"), OLD=first)
        assert dead.code == 1


def test_the_page_lists_the_dashboards_templates_and_the_keys_that_they_have():
    listed = rows("the template in the dashboard")
    assert tuple(listed) == TEMPLATES
    assert [template(key).name for key in listed.values()] == list(TEMPLATES)


def test_each_shape_of_resources_on_the_page_is_in_the_summary(tmp_path):
    assert rows("the resources").keys() == SHAPES.keys()
    with recipe_page("w4-create-verify-roll", tmp_path) as page:
        init, bootstrap, *_ = page.typed()
        page.follow(init)
        page.put_recipe({PRINTED_ADDRESS: HERE})
        page.follow(bootstrap, page.place.sandbox.credentials["global-api-key"] + "\n")
        recipe = (page.folder / "rotator.yaml").read_text()
        start = recipe.index("  - name: zone-dns")
        written = recipe[start:]
        more = ""
        for number, grant in enumerate(rows("the resources").values()):
            one = re.sub(r"- template: .*\n.*\n", lambda _, grant=grant: f"- {grant}\n", written)
            more += one.replace("zone-dns", f"shape-{number}").replace(".env", f".env.{number}")
        (page.folder / "rotator.yaml").write_text(recipe[:start] + more)

        told = page.follow("rotator plan")

    for number, said in enumerate(SHAPES.values()):
        part = re.search(rf"^shape-{number}: .*\n((?:  .*\n?)+)", told, re.MULTILINE)[1]
        assert said in part
