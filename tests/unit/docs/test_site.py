"""The site: every page is in it, no link leads nowhere, and no page names anything to load from elsewhere."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from docs import site

ROOT = Path(__file__).parents[3]
NOT_PAGES = {"404.html"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built as `make site` builds it; a warning ends the build."""
    folder = tmp_path_factory.mktemp("site")
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_every_page_of_the_repository_is_in_it(built: Path) -> None:
    docs = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    top = {"index.md", *site.TOP} - {"README.md"}
    expected = {re.sub(r"README\.md$", "index.md", page).removesuffix(".md") + ".html" for page in docs | top}

    assert {str(page.relative_to(built)) for page in built.rglob("*.html")} - NOT_PAGES == expected


def test_no_page_names_anything_to_load_from_elsewhere(built: Path) -> None:
    loaded = (
        r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(https?:|//)|<link[^>]*rel=\"?stylesheet[^>]*href=\"?(https?:|//)"
    )

    assert [page.name for page in built.rglob("*.html") if re.search(loaded, page.read_text())] == []


def test_a_page_that_is_nowhere_in_the_navigation_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# Here\n")
    (tmp_path / "docs/lonely.md").write_text("# There\n")
    lines = (ROOT / "mkdocs.yml").read_text().split("\nnav:")[0].replace("hooks: [docs/site.py]\n", "")
    (tmp_path / "mkdocs.yml").write_text(f"{lines}\nnav: [index.md]\n")

    with pytest.raises(Exception, match="Aborted with 1 warnings"):
        build(load_config(str(tmp_path / "mkdocs.yml")))


@pytest.mark.parametrize(
    ("page", "written", "read"),
    [
        ("index.md", "[a](docs/ci.md#x) [b](SECURITY.md)", "[a](ci.md#x) [b](SECURITY.md)"),
        ("reference/events.md", "[a](../../README.md#install-it)", "[a](../index.md#install-it)"),
        ("reference/events.md", "[a](../operations.md) [b](#here)", "[a](../operations.md) [b](#here)"),
        ("ci.md", "[`a`](https://example.com/x.md)", "[`a`](https://example.com/x.md)"),
        ("ci.md", "```sh\n[a](../README.md)\n```", "```sh\n[a](../README.md)\n```"),
        ("ci.md", "[`test`](../tests/conftest.py)", "`test`"),
    ],
)
def test_a_link_of_the_repository_becomes_one_of_the_site(page: str, written: str, read: str) -> None:
    assert site.on_page_markdown(written, Page(page), None, None) == read


def test_a_link_that_leaves_the_site_leads_to_the_repository_where_one_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROTATOR_REPOSITORY_URL", "https://git.example/rotator/blob/abc/")

    found = site.on_page_markdown("[`test`](../tests/conftest.py)", Page("ci.md"), None, None)

    assert found == "[`test`](https://git.example/rotator/blob/abc/tests/conftest.py)"


class Page:
    """As much of a page as the hooks ask for."""

    def __init__(self, path: str) -> None:
        self.file = self
        self.src_uri = path
