"""`rotator exec`: a command gets the keys of credentials in its environment, and its exit code is the answer."""

import json
import sys

import pytest

from rotator.sandbox import Sandbox
from tests.rotator_place import Place

SHOW = (sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two credentials of which one is published, and one that claims the same keys."""
    with Sandbox() as sandbox:
        made = Place(tmp_path_factory.mktemp("exec"), sandbox)
        keys = {"R2_KEY": "r2.access_key_id", "R2_SECRET": "r2.secret_access_key", "STAGE": {"literal": "prod"}}
        bucket = {"type": "env_file", "path": "r2.env", "keys": keys}
        made.write(
            made.credential("workers-deploy"), made.credential("twin"), made.credential("bucket", targets=[bucket])
        )
        assert made.run("once", "--wait", "5s").code == 0
        made.write(*made.credentials, made.credential("later"))
        yield made
        made.close()


def environment(done) -> dict[str, str]:
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_command_gets_the_keys_of_a_credential(place):
    found = environment(place.run("exec", "workers-deploy", "--", *SHOW))

    assert found["CLOUDFLARE_API_TOKEN"] == place.value()
    assert found["CLOUDFLARE_ACCOUNT_ID"] == "a0000000000000000000000000000001"


def test_several_credentials_go_into_one_environment_each_by_its_own_keys(place):
    found = environment(place.run("exec", "workers-deploy", "bucket", "--", *SHOW))

    written = dict(line.split("=", 1) for line in (place.folder / "r2.env").read_text().split())
    assert {key: found[key] for key in written} == {key: value.strip("'\"") for key, value in written.items()}
    assert found["STAGE"] == "prod"


@pytest.mark.parametrize("code", [0, 3, 77])
def test_the_exit_code_is_the_commands(place, code):
    assert place.run("exec", "workers-deploy", "--", "sh", "-c", f"exit {code}").code == code


def test_options_of_the_command_are_its_own(place):
    done = place.run("exec", "workers-deploy", "--", "sh", "-c", 'printf %s "$1"', "--", "-o")

    assert (done.code, done.out) == (0, "-o")


def test_two_credentials_that_claim_one_key_are_refused(place):
    done = place.run("exec", "workers-deploy", "twin", "--", *SHOW)

    assert (done.code, done.out) == (2, "")
    assert "workers-deploy and twin both claim the variable CLOUDFLARE_API_TOKEN" in done.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("later", "--", "true"), 125, "nothing is published of later yet"),
        (("workers-deplo", "--", "true"), 125, "there is no credential workers-deplo"),
        (("workers-deploy",), 2, "no command is given"),
        (("workers-deploy", "--"), 2, "no command is given"),
        (("workers-deploy", "--", "no-such-program-here"), 127, "there is no such program"),
        (("workers-deploy", "--", "/etc/hostname"), 126, "it cannot be started"),
    ],
)
def test_what_goes_wrong_is_said_with_an_exit_code_of_its_own(place, words, code, said):
    done = place.run("exec", *words)

    assert (done.code, said in done.err) == (code, True), done.err
    assert "Traceback" not in done.err
