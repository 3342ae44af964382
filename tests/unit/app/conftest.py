"""An opened instance in a folder of its own, with the sandbox as provider."""

import pytest

from rotator.app.app import App
from rotator.app.checks import check
from rotator.sandbox import Sandbox
from tests.rotator_place import Place


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def place(tmp_path, sandbox):
    """A folder with one credential, `workers-deploy`, that nobody has created yet."""
    made = Place(tmp_path, sandbox).write()
    yield made
    made.close()


@pytest.fixture
def said():
    """What was said: (event, fields)."""
    return []


@pytest.fixture
def opened(place, said, monkeypatch):
    """Opens the instance of `place`; closed at the end."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("HOME", str(place.folder))
    found = []

    def make(mode="writer", **more):
        app = App.open(
            place.folder / "rotator.yaml", mode, say=lambda name, **fields: said.append((name, fields)), **more
        )
        found.append(app)
        return app

    yield make
    for app in found:
        app.close()


@pytest.fixture
def app(opened):
    """A writer."""
    return opened()


@pytest.fixture
def looked(place, monkeypatch):
    """Runs `check` on the configuration of `place`: code -> findings."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("HOME", str(place.folder))

    def look(**more):
        found = {}
        for finding in check(place.folder / "rotator.yaml", **more):
            found.setdefault(finding.code, []).append(finding)
        return found

    return look
