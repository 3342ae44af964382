"""A page of docs/recipes, followed as a person would type it: its blocks in an empty repository against the sandbox.

Works with the recipe of the same name in config/recipes.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.sandbox import Sandbox
from tests.rotator_place import ROOT, Place

ACCOUNT = "a0000000000000000000000000000001"
USER = "owner@example.com"
PRINTED_ACCOUNT = "0123456789abcdef0123456789abcdef"


class RecipePage:
    """A page, its recipe, an empty repository, a home of its own, and `rotator` on PATH."""

    def __init__(self, name: str, place: Place) -> None:
        self.place = place
        self.page = (ROOT / "docs" / "recipes" / f"{name}.md").read_text()
        self._recipe = (ROOT / "config" / "recipes" / f"{name}.yaml").read_text()
        bin_ = place.folder / "bin"
        bin_.mkdir()
        (bin_ / "rotator").write_text(f'#!/bin/sh\nexec {sys.executable} -m rotator "$@"\n')
        (bin_ / "rotator").chmod(0o755)
        self.folder = place.folder / "project"
        subprocess.run(["git", "init", "-q", str(self.folder)], check=True)

    def typed(self) -> list[str]:
        """What the page tells to type, block by block, with the sandbox's account and user for the printed ones."""
        blocks = re.findall(r"```sh\n(.*?)```", self.page, re.DOTALL)
        return [block.replace(PRINTED_ACCOUNT, ACCOUNT).replace("me@example.com", USER) for block in blocks]

    def put_recipe(self, changes: dict[str, str] | None = None) -> None:
        """Copy the recipe as rotator.yaml, with what the page tells to put in, and the sandbox for Cloudflare."""
        assert not (self.folder / "rotator.yaml").exists(), "the recipe would replace a file without a word"
        text = self._recipe
        account = {PRINTED_ACCOUNT: f"{ACCOUNT}\n    api_url: {self.place.sandbox.url}"}
        for before, after in (account | (changes or {})).items():
            assert before in text
            text = text.replace(before, after)
        (self.folder / "rotator.yaml").write_text(text)

    def follow(self, script: str, pasted: str = "") -> str:
        """Type a block; `pasted` is what is given on standard input. Returns standard output."""
        found = self.place.environment()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**found, "PATH": f"{self.place.folder / 'bin'}:{found['PATH']}"},
            input=pasted,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def value(self, path: str) -> str:
        """The token in a file of the project."""
        found = re.search(r"^CLOUDFLARE_API_TOKEN=['\"]?(cf[au]t_\w+)", (self.folder / path).read_text(), re.MULTILINE)
        assert found, f"no token in {path}"
        return found[1]


@contextmanager
def recipe_page(name: str, folder: Path) -> Iterator[RecipePage]:
    """One page with a sandbox that ends with it."""
    with Sandbox() as sandbox:
        place = Place(folder, sandbox)
        yield RecipePage(name, place)
        place.close()
