"""The key changes under a daemon that works: it takes it by itself, and needs the old one no more."""

from tests.rotator_place import eventually


def test_a_daemon_takes_the_new_key_within_a_heartbeat_and_goes_on_under_it_alone(place):
    daemon = place.daemon()
    eventually(lambda: place.said(daemon, "rotation_confirmed"))
    key = place.folder / "rotator.key"
    assert place.run("keygen", "--add", "rotator.key").code == 0

    done = place.run("rekey", "-o", "json")
    assert (done.code, done.json["rewrapped"]) == (0, 1), done.err

    key.write_text(key.read_text().splitlines()[0] + "\n")
    assert place.run("rotate", "workers-deploy", "--wait", "60s").code == 0
    assert daemon.poll() is None
    assert place.run("audit", "verify").code == 0
    again = place.run("rekey", "-o", "json")
    assert (again.code, again.json["rewrapped"], again.json["opened"]) == (0, 0, 2), again.err
