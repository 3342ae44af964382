"""The page of recipe W5, followed as a person would type it: from an empty folder to values in use."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rotator.sandbox import Sandbox
from tests.rotator_place import ROOT, Place

PAGE = ROOT / "docs" / "recipes" / "w5-dev-vars.md"
RECIPE = ROOT / "config" / "recipes" / "w5-dev-vars.yaml"
ACCOUNT = "a0000000000000000000000000000001"


def typed() -> list[str]:
    """What the page tells to type, block by block."""
    return re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)


def recipe(url: str) -> str:
    """The recipe with what the page tells to put in, and the sandbox for Cloudflare."""
    text = RECIPE.read_text()
    for before, after in (
        ("0123456789abcdef0123456789abcdef", f"{ACCOUNT}\n    api_url: {url}"),
        ("203.0.113.0/24", "127.0.0.1/32"),
    ):
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.fixture
def project(tmp_path):
    """An empty repository, a home of its own, and `rotator` on PATH."""
    with Sandbox() as sandbox:
        place = Place(tmp_path, sandbox)
        bin_ = tmp_path / "bin"
        bin_.mkdir()
        (bin_ / "rotator").write_text(f'#!/bin/sh\nexec {sys.executable} -m rotator "$@"\n')
        (bin_ / "rotator").chmod(0o755)
        folder = tmp_path / "project"
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        yield place, folder
        place.close()


def follow(place: Place, folder: Path, script: str, pasted: str = "") -> str:
    found = place.environment()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**found, "PATH": f"{place.folder / 'bin'}:{found['PATH']}"},
        input=pasted,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_page_leads_from_an_empty_folder_to_values_in_use(project):
    place, folder = project
    token, ready, run = typed()

    follow(place, folder, token, place.sandbox.credentials["account-management"])
    follow(place, folder, ready)
    (folder / "rotator.yaml").write_text(recipe(place.sandbox.url))
    out = follow(place, folder, run)

    held = {path: (folder / path).read_text() for path in ("apps/api/.dev.vars", "apps/web/.dev.vars")}
    values = {re.search(r"^CLOUDFLARE_API_TOKEN=['\"]?(cfat_\w+)", text, re.MULTILINE)[1] for text in held.values()}
    assert len(values) == 1
    assert all(f"CLOUDFLARE_ACCOUNT_ID={ACCOUNT}" in re.sub("['\"]", "", text) for text in held.values())
    assert values.pop() not in (folder / "deploy" / ".env.production").read_text()
    assert "workers-project-prod" in out
    assert "apps" not in follow(place, folder, "git status --porcelain --untracked-files=all | grep dev.vars || true")
    follow(place, folder, "test $(stat -c %a apps/api/.dev.vars) = 600")
