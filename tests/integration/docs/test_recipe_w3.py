"""The page of recipe W3, followed as a person would type it, by each of its three ways to the first token."""

import pytest

from tests.recipe_page import ACCOUNT, recipe_page

WAYS = {
    "global-key": ["global-api-key"],
    "token": ["user-management"],
    "dashboard": ["user-management", "user-standby"],
}
"""What a person pastes, by the way."""


@pytest.mark.parametrize("way", WAYS)
def test_the_page_leads_from_a_placeholder_to_a_proven_token(tmp_path, way):
    with recipe_page("w3-saas-bootstrap", tmp_path) as page:
        init, *ways, run = page.typed()
        env = page.folder / ".env"
        env.write_text("# the platform\nCLOUDFLARE_API_TOKEN=your-token-here\nPORT=8080\n")
        pasted = "".join(page.place.sandbox.credentials[name] + "\n" for name in WAYS[way])

        page.follow(init)
        page.put_recipe()
        checked = page.follow(next(one for one in ways if f"--with {way}" in one), pasted)
        assert "git cannot" not in checked
        out = page.follow(run)

        assert out.rstrip().endswith("8/8 passed")
        assert page.value(".env").startswith("cfut_")
        text = env.read_text()
        assert "your-token-here" not in text
        assert text.startswith("# the platform\n")
        assert "\nPORT=8080\n" in text
        assert ACCOUNT in text
        assert page.follow("git status --porcelain --untracked-files=all").split() == [
            "??",
            ".gitignore",
            "??",
            "rotator.init.yaml",
            "??",
            "rotator.yaml",
        ]


def test_the_global_api_key_is_in_no_file_of_the_project(tmp_path):
    with recipe_page("w3-saas-bootstrap", tmp_path) as page:
        init, *ways, run = page.typed()
        key = page.place.sandbox.credentials["global-api-key"]
        (page.folder / ".env").write_text("CLOUDFLARE_API_TOKEN=\n")

        page.follow(init)
        page.put_recipe()
        page.follow(next(one for one in ways if "global-key" in one), key + "\n")
        page.follow(run)

        files = [path for path in page.folder.rglob("*") if path.is_file()]
        assert page.folder / ".rotator" / "management-token" in files
        assert [path for path in files if key.encode() in path.read_bytes()] == []
