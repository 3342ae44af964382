"""The state file: what outlives a restart."""

import json
import stat

import pytest

from rotator.sandbox import Sandbox
from tests.sandbox_calls import USER, Provider


def reopened(path):
    return Provider(Sandbox(state=path))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.json"


@pytest.mark.parametrize("kind", ["user", "account"])
def test_tokens_values_and_their_history_outlive_a_restart(path, kind):
    first = Provider(Sandbox(state=path)).owner(kind)
    kept, deleted, disabled = first.made(name="kept"), first.made(name="deleted"), first.made(name="disabled")
    value = first.roll(kept["id"]).result
    first.delete(deleted["id"])
    first.update(disabled["id"], name="disabled", status="disabled")
    before = first.provider.control("GET", "tokens").json
    second = reopened(path)
    assert second.control("GET", "tokens").json["tokens"][4:] == before["tokens"][4:]
    again = second.owner(kind)
    assert again.management == first.management
    assert again.verify(value).status == 200
    assert again.verify(kept["value"]).refusal == (401, 1000)
    assert again.verify(deleted["value"]).refusal == (401, 1000)


def test_a_change_is_in_the_file_before_its_answer_leaves(path):
    """Nothing is stopped or closed here: what is read is what a killed sandbox would have left."""
    user = Provider(Sandbox(state=path)).owner("user")
    token = user.made()
    assert reopened(path).owner("user").verify(token["value"]).status == 200
    user.delete(token["id"])
    assert reopened(path).owner("user").verify(token["value"]).status == 401


def test_the_clock_the_settings_and_the_key_outlive_a_restart(path):
    first = Provider(Sandbox(state=path))
    first.advance(86400)
    first.settings(verify_lag=2, rate_limit={"requests": 5, "window": 10})
    second = reopened(path)
    assert second.control("GET", "settings").json == first.control("GET", "settings").json
    assert second.control("GET", "clock").json["advanced"] == 86400
    assert second.credentials["global-api-key"] == first.credentials["global-api-key"]


def test_an_exposed_token_stays_exposed(path):
    user = Provider(Sandbox(state=path)).owner("user")
    token = user.made()
    user.provider.control("POST", f"tokens/{token['id']}/expose")
    assert reopened(path).seen(token["id"])["status"] == "revoked (exposed)"


def test_last_use_is_saved_when_the_sandbox_stops(path):
    sandbox = Sandbox(state=path)
    user = Provider(sandbox).owner("user")
    user.verify(user.management)
    sandbox.stop()
    assert reopened(path).seen(user.management_id)["last_used_on"] is not None


def test_the_state_file_is_private(path):
    Sandbox(state=path).stop()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_token_files_follow_a_management_token_that_rolled_itself(path, tmp_path):
    user = Provider(Sandbox(state=path)).owner("user")
    value = user.roll(user.management_id).result
    sandbox = Sandbox(state=path, tokens_dir=tmp_path / "tokens").start()
    sandbox.stop()
    assert (tmp_path / "tokens" / "user-management").read_text() == value


def test_a_deleted_management_token_has_no_file(path, tmp_path):
    user = Provider(Sandbox(state=path)).owner("user")
    user.delete(user.provider.world.roles["user-standby"])
    Sandbox(state=path, tokens_dir=tmp_path / "tokens").start().stop()
    assert sorted(each.name for each in (tmp_path / "tokens").iterdir()) == [
        "account-management",
        "account-narrow",
        "account-standby",
        "global-api-key",
        "user-management",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "{}",
        '{"version": 99}',
        '{"version": 1}',
        '{"version": 1, "advanced": 0, "settings": {"rate_limit": null}, "roles": {}, "keys": {}, "tokens": [{}]}',
    ],
)
def test_a_damaged_state_is_named_and_left_alone(path, text):
    path.write_text(text)
    with pytest.raises(ValueError, match=r"state\.json"):
        Sandbox(state=path)
    assert path.read_text() == text


def test_a_user_that_the_world_no_longer_has_is_passed_over(path):
    Sandbox(state=path).stop()
    document = json.loads(path.read_text())
    document["keys"] = {"f" * 32: "cfk_x", **document["keys"]}
    path.write_text(json.dumps(document))
    assert reopened(path).world.users[USER].key == document["keys"][USER]
