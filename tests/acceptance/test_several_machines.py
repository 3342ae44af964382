"""Two daemons on one PostgreSQL journal, each of which may die at any moment, and so may the database."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request

import pytest

from rotator.sandbox import Sandbox
from tests.rotator_place import Place, eventually
from tests.servers.postgres import Postgres, shared

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(400)]

ACCOUNT = "a0000000000000000000000000000001"
FLEET = [f"app-{number}" for number in range(4)]


@pytest.fixture(scope="module")
def server():
    shared.cluster()  # says what is missing
    made = Postgres()
    made.start()
    made.sql(f"CREATE ROLE rotator LOGIN PASSWORD '{made.password}'")
    yield made
    made.close()


@pytest.fixture
def place(tmp_path, server):
    """Credentials whose files both machines reach, and one on each machine."""
    server.sql("CREATE DATABASE fleet OWNER rotator")
    (tmp_path / "db-password").write_text(server.password + "\n")
    (tmp_path / "db-password").chmod(0o600)
    with Sandbox() as sandbox:
        made = Place(tmp_path, sandbox)
        both = [
            made.credential(name, targets=[{"type": "env_file", "path": f"{name}.env", "shared": True}])
            for name in FLEET
        ]
        bound = [
            made.credential(name, targets=[{"type": "env_file", "path": f"{name}.env", "node": node}])
            for name, node in (("only-one", "one"), ("only-two", "two"))
        ]
        made.write(
            *both,
            *bound,
            state={
                "url": server.url("fleet"),
                "password": {"file": "db-password"},
                "encryption_key": {"file": "rotator.key"},
            },
        )
        yield made
        made.close()
    server.sql("DROP DATABASE fleet WITH (FORCE)")


def on(place: Place, node: str) -> dict[str, str]:
    """The environment of a machine."""
    return {"ROTATOR_NODE": node, "STATE_DIRECTORY": str(place.folder / f"state-{node}")}


def credentials(place: Place) -> dict[str, dict]:
    done = place.run("status", "-o", "json", **on(place, "one"))
    return {c["name"]: c for c in done.json["credentials"]} if done.code == 0 else {}


def generations(place: Place, names) -> dict[str, int]:
    found = credentials(place)
    return {name: found[name]["generation"] or 0 for name in names} if found else {}


def lives(place: Place, value: str) -> bool:
    """Whether the provider takes a value."""
    request = urllib.request.Request(
        f"{place.sandbox.url}/accounts/{ACCOUNT}/tokens/verify", headers={"Authorization": f"Bearer {value}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["result"]["status"] == "active"
    except urllib.error.HTTPError:
        return False


class Consumer(threading.Thread):
    """Reads the files all the time and uses what stands there."""

    def __init__(self, place: Place, names) -> None:
        super().__init__(daemon=True)
        self.place, self.names, self.reads, self.dead = place, names, 0, list[str]()
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(0.05):
            for name in self.names:
                value = self.place.value(name)
                self.reads += 1
                # a value may be replaced between reading and asking: then it is asked again, as every client does
                if value and not lives(self.place, value) and self.place.value(name) == value:
                    self.dead.append(name)


def test_work_that_is_bound_to_a_machine_is_done_there_and_nowhere_else(place):
    place.daemon(**on(place, "one"))
    eventually(lambda: (place.folder / "only-one.env").exists())
    eventually(lambda: all(generations(place, FLEET).values()))
    assert not (place.folder / "only-two.env").exists()
    assert credentials(place)["only-two"]["generation"] in (None, 0)

    second = place.daemon(**on(place, "two"))
    eventually(lambda: (place.folder / "only-two.env").exists())
    shown = place.run("status", "-o", "json", **on(place, "one")).json
    assert sorted(d["node"] for d in shown["daemons"]) == ["one", "two"]

    checked = place.run("check", "-o", "json", **on(place, "two"))
    elsewhere = [f for f in checked.json["findings"] if f["code"] == "elsewhere"]
    assert [f["message"].split("node ")[1].split(",")[0] for f in elsewhere] == ["one"]
    assert second.poll() is None


def test_daemons_that_are_killed_in_turn_and_a_database_that_restarts_leave_nothing_dead(
    place, server, record_property
):
    daemons = {node: place.daemon(**on(place, node)) for node in ("one", "two")}
    eventually(lambda: all(generations(place, [*FLEET, "only-one", "only-two"]).values()), 90)
    consumer = Consumer(place, FLEET)
    consumer.start()
    for round_, victim in enumerate(("one", "two", "database")):
        before = generations(place, FLEET)
        asked = place.run("rotate", *FLEET, "--yes", **on(place, "one"))
        assert asked.code == 0, asked.err
        time.sleep(0.7 + 0.4 * round_)  # somewhere in the middle
        if victim == "database":
            server.kill()
            server.start()
        else:
            daemons[victim].kill()
            daemons[victim].wait()
        began = time.monotonic()
        eventually(
            lambda before=before: (now := generations(place, FLEET)) and all(now[n] > before[n] for n in FLEET), 120
        )
        record_property(f"all_rotated_after_{victim}", round(time.monotonic() - began, 1))
        if victim != "database":
            daemons[victim] = place.daemon(**on(place, victim))
    eventually(lambda: all(c["state"] == "idle" for n, c in credentials(place).items() if n in FLEET), 120)
    consumer.stop.set()
    consumer.join()
    assert (consumer.dead, consumer.reads > 100) == ([], True)
    assert place.run("audit", "verify", **on(place, "one")).code == 0
    shown = eventually(lambda: (d := place.run("status", "-o", "json", **on(place, "one")).json)["orphans"] == 0 and d)
    assert len(shown["daemons"]) >= 2
    assert all(process.poll() is None for process in daemons.values())


def asked(address: str, path: str) -> int:
    """The status that a daemon answers with."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_while_the_database_stands_still_a_daemon_lives_says_so_and_goes_on_afterwards(place, server):
    daemon = place.daemon(**on(place, "one"))
    eventually(lambda: all(generations(place, FLEET).values()), 90)
    address = place.run("status", "-o", "json", **on(place, "one")).json["daemons"][0]["listener"]
    before = generations(place, FLEET)
    server.freeze()
    try:
        eventually(lambda: place.said(daemon, "journal_unsafe"), 90)
        assert (asked(address, "/healthz"), asked(address, "/readyz")) == (200, 503)
        assert asked(address, "/metrics") in (200, 503)
        refused = place.run("status", **on(place, "one"))
        assert refused.code != 0
        assert "rotator goes on by itself as soon as it answers" in " ".join(refused.err.split())
        assert all(lives(place, place.value(name)) for name in FLEET), "what is published lives on"
    finally:
        server.thaw()
    eventually(lambda: asked(address, "/readyz") == 200)
    assert place.run("rotate", *FLEET, "--yes", **on(place, "one")).code == 0
    eventually(lambda: (now := generations(place, FLEET)) and all(now[n] > before[n] for n in FLEET), 120)
    assert daemon.poll() is None


def test_once_and_rotate_work_beside_each_other_without_a_daemon(place):
    for node in ("one", "two"):
        done = place.run("once", **on(place, node))
        assert done.code in (0, 1), done.err
    eventually(lambda: all(generations(place, [*FLEET, "only-one", "only-two"]).values()))
    done = place.run("rotate", FLEET[0], "--wait", "60s", **on(place, "two"))
    assert done.code == 0, done.err
    assert lives(place, place.value(FLEET[0]))
