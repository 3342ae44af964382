"""The program run inside the test's own process, against a sandbox: every branch of a verb, quickly."""

import json
import signal

import pytest

from rotator.cli.main import app
from rotator.sandbox import Sandbox
from tests.integration.cli.first_token import ACCOUNT, EMAIL
from tests.rotator_place import Done, Place


@pytest.fixture(autouse=True)
def signals_as_before():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
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
def rotator(place, monkeypatch, capsys):
    """Runs the program with arguments in the folder of `place`."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("HOME", str(place.folder))

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            app(list(arguments), prog_name="rotator")
        found = capsys.readouterr()
        return Done(int(ended.value.code or 0), found.out, found.err)

    return run


@pytest.fixture
def fresh(place, rotator):
    """`rotator`, with the credential created and published."""
    assert rotator("once").code == 0
    return rotator


@pytest.fixture
def bare(place):
    """A configuration whose management token and standby are yet to be made."""

    def write(*credentials, **connection):
        prod = {
            "type": "cloudflare",
            "account_id": ACCOUNT,
            "api_url": place.sandbox.url,
            "token": {"file": "secrets/token"},
            "standby_token": {"file": "secrets/standby"},
        }
        prod = {key: value for key, value in (prod | connection).items() if value is not None}
        found = list(credentials) or [place.credential("workers-deploy")]
        place.write(*found)
        document = json.loads((place.folder / "rotator.yaml").read_text())
        document["connections"]["prod"] = prod
        (place.folder / "rotator.yaml").write_text(json.dumps(document))
        return place

    write()
    place.configure = write
    return place


@pytest.fixture
def by_key(rotator, bare):
    def run(*more):
        return rotator(
            "bootstrap", "prod", "--with", "global-key", "--email", EMAIL, "--key-file", "global-api-key", *more
        )

    return run
