"""A fleet of unmanaged tokens comes under management: adopted as it is, given its places, and nobody notices."""

import io
import random
import re
import threading

import pytest
from ruamel.yaml import YAML

from rotator.sandbox import Sandbox
from rotator.sandbox.tokens import make
from rotator.sandbox.world import Owner
from tests.rotator_place import PACE, Place
from tests.sandbox_calls import ACCOUNT, DNS_WRITE, ZONE_READ, Provider, allow, zone, zones_of

COUNT, ROTATED = 40, 5
POLICIES = ([allow(DNS_WRITE, on=zone())], [allow(DNS_WRITE, on=zones_of())], [allow(DNS_WRITE, ZONE_READ, on=zone())])


@pytest.fixture
def fleet(tmp_path):
    """A folder, a provider with many tokens that nobody manages, and these tokens by id."""
    with Sandbox() as sandbox:
        now, made = sandbox.world.clock.now(), {}
        for number in range(COUNT):
            token = make(sandbox.world, Owner("account", ACCOUNT), f"svc {number:03}", POLICIES[number % 3], now)
            token.expires_on = None if number % 2 else now + 90 * 86400
            sandbox.world.add(token)
            made[token.id] = token
        place = Place(tmp_path, sandbox)
        yield place, made
        place.close()


def configure(place, credentials):
    connection = {
        "type": "cloudflare",
        "account_id": ACCOUNT,
        "api_url": place.sandbox.url,
        "token": {"file": "account-management"},
        "rate_budget": {"requests": 100_000, "window": "5m"},
    }
    rotation = {"grace": "5s", "quiet": "2s", "soak": "1s"}
    place.credentials = credentials
    place.write(
        connections={"prod": connection},
        defaults={"connection": "prod", "rotation": rotation},
        advanced=PACE | {"watch": "60s", "sweep": "60s"},
        credentials=credentials,
    )


class Consumers:
    """Read any of the files and ask the provider about what they find, without pause."""

    def __init__(self, place, names):
        self.reads = self.dead = 0
        self._place, self._names, self._stop = place, names, threading.Event()
        self._provider = Provider(place.sandbox)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        chance = random.Random(1)
        while not self._stop.wait(0.02):
            text = (self._place.folder / f"{chance.choice(self._names)}.env").read_text()
            found = re.search(r"^CLOUDFLARE_API_TOKEN=['\"]?([^'\"\n]+)", text, re.MULTILINE)
            path = f"/client/v4/accounts/{ACCOUNT}/tokens/verify"
            self.reads += 1
            self.dead += found is None or self._provider.call("GET", path, bearer=found[1]).status != 200

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(30)


def test_a_fleet_is_adopted_taken_over_and_partly_rotated_without_one_dead_read(fleet):
    place, tokens = fleet
    configure(place, [])
    written = place.run("adopt", "--pick-all")
    assert written.code == 0, written.err
    credentials = YAML(typ="safe").load(io.StringIO(written.out))["credentials"]
    assert {one["adopt"]["id"] for one in credentials} == set(tokens)

    configure(place, credentials)
    assert place.run("check", "--offline").code == 0
    plan = place.run("plan", "--fail-on", "change", "-o", "json")
    assert (plan.code, plan.json["rotations"], plan.json["changes"]) == (0, [], {})

    for one in credentials:
        value = tokens[one["adopt"]["id"]].value
        (place.folder / f"{one['name']}.env").write_text(f"CLOUDFLARE_API_TOKEN={value}\n")
        one["targets"] = [{"type": "env_file", "path": f"{one['name']}.env"}]
    before, names = len(place.sandbox.world.tokens), [one["name"] for one in credentials]
    with Consumers(place, names) as consumers:
        configure(place, credentials)
        once = place.run("once", "--wait", "5s")
        assert once.code == 0, once.err
        status = place.run("status", "--all", "-o", "json").json["credentials"]
        assert all(one["token_id"] in tokens and one["state"] == "idle" and one["ready"] for one in status)
        assert len(place.sandbox.world.tokens) == before

        assert place.run("rotate", *names[:ROTATED], "--yes", "--wait", "60s").code == 0
        status = {one["name"]: one for one in place.run("status", "--all", "-o", "json").json["credentials"]}
    assert [name for name in names if status[name]["token_id"] not in tokens] == names[:ROTATED]
    assert len(place.sandbox.world.tokens) == before + ROTATED
    assert consumers.reads > 50
    assert consumers.dead == 0
