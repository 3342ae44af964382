"""What makes a site out of pages that are written to be read in the repository; MkDocs calls the `on_...` functions.

The pages at the top of the repository (README.md and its like) become pages of the site, and a link that leaves the
site leads to the repository: to its address in ROTATOR_REPOSITORY_URL (of one commit: https://host/owner/name/blob/SHA),
or, without one, to nowhere: its text stays. Nothing here has an effect.
"""

import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
"""Pages beside docs/ that belong to the site; the README is its first page."""

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages at the top of the repository."""
    for name in TOP:
        files.append(File.generated(config, _at_top(name), content=(ROOT / name).read_text()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Return the page's text with its links as the site needs them; code blocks are left alone."""
    where = page.file.src_uri
    source = next((name for name in TOP if _at_top(name) == where), f"docs/{where}")
    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [_links(markdown[end : fence.start()], source), fence[0]]
        end = fence.end()
    return "".join([*parts, _links(markdown[end:], source)])


def _at_top(name: str) -> str:
    return "index.md" if name == "README.md" else name


def _links(text: str, source: str) -> str:
    return LINK.sub(lambda link: _link(link[1], link[2], source), text)


def _link(text: str, target: str, source: str) -> str:
    """One link of the page `source`, a path in the repository."""
    path, hash_, anchor = target.partition("#")
    if not path or re.match(r"[a-z]+:", target):
        return f"[{text}]({target})"
    found = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    inside = found.removeprefix("docs/") if found.startswith("docs/") else _at_top(found) if found in TOP else None
    if inside is not None and found.endswith(".md"):
        here = posixpath.dirname(_at_top(source) if source in TOP else source.removeprefix("docs/"))
        return f"[{text}]({posixpath.relpath(inside, here or '.')}{hash_}{anchor})"
    repository = os.environ.get("ROTATOR_REPOSITORY_URL", "").rstrip("/")
    return f"[{text}]({repository}/{found})" if repository else text
