"""What happens at a target: somebody else's value, an operator's edit, a file that cannot be written."""

import json
import os
import shutil
import subprocess

import pytest

from tests import verdict
from tests.installation import ACCOUNT, BESIDE, KEY, credential
from tests.prepared import LATER
from tests.servers.require import MOUNTS, require

pytestmark = pytest.mark.slow


def foreign(place):
    """A living value that nobody of us made: an operator's own token."""
    from rotator.sandbox import tokens
    from rotator.sandbox.world import Owner

    with place.world.lock:
        mine = place.world.tokens[place.world.roles["account-standby"]]
        made = tokens.make(
            place.world, Owner("account", ACCOUNT), "made by hand", mine.policies, place.world.clock.now()
        )
        place.world.add(made)
    return made


def overwrite(place, value):
    """Change the managed key as a person with an editor would."""
    file = place.folder / "app" / ".env"
    file.write_text(file.read_text().replace(place.value(), value))


def needs(place):
    """The code under which `status` asks for an operator."""
    [found] = json.loads(place.run("status", "-o", "json").out)["credentials"]
    return found["needs_operator"] and found["needs_operator"]["code"]


def test_an_occupied_target_is_left_alone_until_an_operator_decides(tmp_path, opened):
    place = opened(tmp_path)
    theirs = foreign(place)
    place.file(content=BESIDE + f"{KEY}={theirs.value}\n")
    done = place.run("once")
    assert done.code == 3
    assert "not ours" in done.out
    assert needs(place) == "target_occupied"
    assert place.value() == theirs.value
    assert [token.name for token in place.alive()] == ["made by hand"]  # nothing was minted for a place that is taken

    assert place.run("resolve", "deploy", "--retry").code == 0
    assert place.run("once", "--wait", "10s").code == 0
    verdict.is_at_rest(place, "deploy", {"env": place.value()})
    assert place.accepts(theirs.value)  # their token is theirs
    verdict.other_bytes_are_kept(tmp_path / "app" / ".env", BESIDE)


def test_an_occupied_target_may_be_declared_ours_to_replace(tmp_path, opened):
    target = {"type": "env_file", "name": "env", "path": "app/.env", "on_existing": "replace"}
    place = opened(tmp_path, credential(targets=[target]))
    theirs = foreign(place)
    place.file(content=BESIDE + f"{KEY}={theirs.value}\n")
    assert place.run("once").code == 0
    verdict.is_at_rest(place, "deploy", {"env": place.value()})
    assert place.accepts(theirs.value)


def test_an_operator_s_edit_is_never_overwritten_unasked(fresh):
    assert fresh.run("once").code == 0  # the folder is a copy: the place is another one, and seen for the first time
    ours, theirs = fresh.value(), foreign(fresh)
    overwrite(fresh, theirs.value)
    done = fresh.run("once", "--wait", "3s")
    assert done.code == 3
    assert "target_overridden" in done.events
    assert "somebody else changed" in done.out
    assert needs(fresh) == "target_overridden"
    fresh.advance(45 * 60)  # not even when a rotation is due
    assert fresh.run("once", "--wait", "3s").code == 3
    assert fresh.value() == theirs.value
    assert fresh.accepts(ours)
    assert fresh.accepts(theirs.value)


def test_an_edit_that_was_a_mistake_is_undone_on_request(fresh):
    ours, theirs = fresh.value(), foreign(fresh)
    overwrite(fresh, theirs.value)
    assert fresh.run("once").code == 3
    assert fresh.run("resolve", "deploy", "--retry", "--reason", "a mistake").code == 0
    assert fresh.run("once", "--wait", "10s").code == 0
    assert fresh.value() == ours
    assert fresh.accepts(theirs.value)
    assert needs(fresh) is None


def test_an_edit_that_was_meant_is_kept_and_our_token_stays_alive(fresh):
    ours, theirs = fresh.value(), foreign(fresh)
    overwrite(fresh, theirs.value)
    assert fresh.run("once").code == 3
    assert fresh.run("resolve", "deploy", "--accept", "--reason", "hotfix").code == 0
    assert fresh.run("once", "--wait", "5s").code == 0
    assert fresh.value() == theirs.value
    assert fresh.accepts(theirs.value)
    assert fresh.accepts(ours)
    assert needs(fresh) is None


def test_a_read_only_target_keeps_the_old_value_until_it_can_be_written(renewal):
    before, app = renewal.value(), renewal.folder / "app"
    if os.geteuid() == 0:  # root may write whatever the mode says, but not to a file system that is read-only
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(app)]
        kept = (app / ".env").read_bytes()
        if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
            require(*MOUNTS)
        (app / ".env").write_bytes(kept)
        (app / ".env").chmod(0o600)
        subprocess.run(["mount", "-o", "remount,ro", str(app)], check=True)
        again, clean = ["mount", "-o", "remount,rw", str(app)], ["umount", "-l", str(app)]
    else:
        (app / ".env").chmod(0o400)
        app.chmod(0o500)
        again, clean = ["chmod", "-R", "u+w", str(app)], ["true"]
    try:
        done = renewal.run("once", "--wait", "3s")
        assert done.code == 1
        assert "target_failed" in done.events
        assert str(app / ".env") in done.err
        assert renewal.value() == before
        assert renewal.accepts(before)
        assert len(renewal.alive()) == 1  # nothing is minted for a place that cannot take it
        subprocess.run(again, check=True)
        renewal.advance(LATER)
        assert renewal.run("once", "--wait", "20s").code == 0
        assert renewal.value() != before
        verdict.is_at_rest(renewal, "deploy", {"env": renewal.value()})
    finally:
        subprocess.run(clean, check=True)


def test_a_target_that_is_not_required_delays_nobody(tmp_path, opened):
    targets = [
        {"type": "env_file", "name": "env", "path": "app/.env"},
        {"type": "env_file", "name": "elsewhere", "path": "not-mounted/.env", "required": False},
    ]
    place = opened(tmp_path, credential(targets=targets))
    place.file()
    assert place.run("once", "--wait", "3s").code == 0
    assert place.accepts(place.value())
    place.file("not-mounted/.env")
    place.advance(LATER)
    assert place.run("once", "--wait", "5s").code == 0
    both = {"env": place.value(), "elsewhere": place.value("not-mounted/.env")}
    verdict.is_at_rest(place, "deploy", both)
