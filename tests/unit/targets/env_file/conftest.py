"""A file, a writer for it, and a change of one key."""

from pathlib import Path

import pytest

from rotator.host import files
from rotator.targets.env_file.document import Document
from rotator.targets.env_file.writer import How, Writer


class SetKey:
    """An edit: KEY becomes `value`, on top of `expected` (None: whatever stands there)."""

    def __init__(self, value, expected=None, key="TOKEN"):
        self.value, self.expected, self.key = value, expected, key

    def agrees(self, content):
        return self.expected is None or Document(content).get(self.key)[-1:] == [self.expected]

    def apply(self, content):
        return Document(content).set({self.key: self.value})


class Env:
    """One `.env` in a folder of its own."""

    def __init__(self, folder: Path):
        self.folder = folder / "app"
        self.folder.mkdir()
        self.path = self.folder / ".env"
        self.locks = folder / "locks"
        self.passed = []
        self.at = {}

    def crash(self, point):
        """Note the point, and do what `at` says for it, once."""
        self.passed.append(str(point))
        self.at.pop(str(point), lambda: None)()

    def write(self, value, expected=None, path=None, still_mine=lambda: None, **options) -> How:
        writer = Writer(self.locks, self.crash)
        return writer.replace(path or self.path, SetKey(value, expected), still_mine, **options)

    def save(self, content: bytes):
        """Save as most editors do: a new file under the old name."""
        editor = self.folder / "editor~"
        editor.write_bytes(content)
        editor.rename(self.path)

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()

    @property
    def names(self):
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def env(tmp_path):
    return Env(tmp_path)


@pytest.fixture
def no_flush(monkeypatch):
    """Flushing takes most of the time of a write, and is not what a test about races is about."""
    monkeypatch.setattr(files, "flush", lambda fd: None)
