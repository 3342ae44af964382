"""The page of recipe W5, followed as a person would type it: from an empty folder to values in use."""

import re

from tests.recipe_page import ACCOUNT, recipe_page


def test_the_page_leads_from_an_empty_folder_to_values_in_use(tmp_path):
    with recipe_page("w5-dev-vars", tmp_path) as page:
        token, ready, run = page.typed()

        page.follow(token, page.place.sandbox.credentials["account-management"])
        page.follow(ready)
        page.put_recipe({"203.0.113.0/24": "127.0.0.1/32"})
        out = page.follow(run)

        held = {path: (page.folder / path).read_text() for path in ("apps/api/.dev.vars", "apps/web/.dev.vars")}
        values = {page.value(path) for path in held}
        assert len(values) == 1
        assert values.pop().startswith("cfat_")
        assert all(f"CLOUDFLARE_ACCOUNT_ID={ACCOUNT}" in re.sub("['\"]", "", text) for text in held.values())
        assert page.value("apps/api/.dev.vars") not in (page.folder / "deploy" / ".env.production").read_text()
        assert "workers-project-prod" in out
        assert "apps" not in page.follow("git status --porcelain --untracked-files=all | grep dev.vars || true")
        page.follow("test $(stat -c %a apps/api/.dev.vars) = 600")
