"""Whether the ignore files of a git repository cover a path, where git itself cannot be asked.

Reads `.git/info/exclude` and every `.gitignore` on the way down; not the ignore file of the user. The patterns are
understood by pathspec; the order of the files is that of https://git-scm.com/docs/gitignore.
"""

from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec


def is_ignored(root: Path, path: Path) -> bool:
    """Whether `path`, below `root`, or a folder above it is ignored in the repository at `root`.

    Raises:
        OSError, ValueError: an ignore file is there and cannot be read or understood.
    """
    parts = path.relative_to(root).parts
    specs = list(_specs(root, parts[:-1]))
    for depth in range(1, len(parts) + 1):
        folder = "/" if depth < len(parts) else ""
        verdict = False
        for level, spec in specs:
            if level >= depth:
                continue
            said = spec.check_file("/".join(parts[level:depth]) + folder).include
            verdict = verdict if said is None else said
        if verdict:
            return True  # what lies in an ignored folder cannot be taken back in
    return False


def _specs(root: Path, folders: tuple[str, ...]) -> Iterator[tuple[int, GitIgnoreSpec]]:
    """The ignore files with the depth of their folder, the one that decides last at the end."""
    sources = [(0, _git_folder(root) / "info" / "exclude")]
    sources += [(depth, root.joinpath(*folders[:depth]) / ".gitignore") for depth in range(len(folders) + 1)]
    for depth, source in sources:
        try:
            lines = source.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            continue
        yield depth, GitIgnoreSpec.from_lines(lines)


def _git_folder(root: Path) -> Path:
    """`.git`, or the folder to which it points in a worktree or submodule (a file with `gitdir: PATH`)."""
    place = root / ".git"
    if place.is_dir():
        return place
    pointed = root / place.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    common = pointed / "commondir"
    return pointed / common.read_text(encoding="utf-8").strip() if common.is_file() else pointed
