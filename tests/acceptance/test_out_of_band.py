"""What people and the provider do to our tokens behind our back: seen within a watch, then healed or reported.

A witness looks at `status` all the while; for how long it showed a dead value as fine is printed and stands in the
report of the test, for a loaded machine must not decide about it.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace

import pytest

from rotator.sandbox.world import new_id, new_value
from tests.acceptance import stage
from tests.acceptance.stage import status, until
from tests.installation import ROTATION, Installation, credential

pytestmark = pytest.mark.slow

HELD = {**ROTATION, "grace": "1h", "quiet": "1h", "soak": "1h"}


class Witness:
    """Looks at `status` and asks the provider about what stands at the target; how long a lie lasted is kept."""

    def __init__(self, place):
        self.place = place
        self.longest = 0.0
        self._since = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._stop.wait(0.2):
            began = time.monotonic()
            dead = self.place.holder(self.place.value()) is None
            try:
                shown = status(self.place, "deploy")
            except (ValueError, StopIteration):
                continue
            fine = shown["ready"] or any(target["in_sync"] for target in shown["targets"])
            if dead and fine and self.place.holder(self.place.value()) is None:
                self._since = self._since or began
                self.longest = max(self.longest, time.monotonic() - self._since)
            else:
                self._since = None

    def __enter__(self):
        self._thread.start()
        return self

    def tell(self, record_property):
        """Print what it saw."""
        record_property("a_dead_value_was_shown_as_fine_for", round(self.longest, 2))
        print(f"a dead value was shown as fine for {self.longest:.2f} s")

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(30)


@pytest.fixture
def place(tmp_path):
    with Installation(tmp_path, credential(rotation=HELD)) as made:
        made.file()
        yield made


@pytest.fixture
def running(place):
    place.process = place.daemon()
    until(lambda: stage.is_confirmed(place, "deploy"), "the first value")
    return place


def mine(place):
    """The token whose value stands at the target."""
    return place.holder(place.value())


def change(place, token, **changes):
    with place.world.lock:
        for name, value in changes.items():
            setattr(token, name, value)


def events(place):
    return place.said(place.process)


def healed(place, before):
    until(lambda: place.value() != before and place.accepts(place.value()), "a living value stands there")
    until(lambda: status(place, "deploy")["ready"], "it is ready again")


def test_somebody_disables_the_published_token(running, record_property):
    before = running.value()
    with Witness(running) as witness:
        change(running, mine(running), disabled=True)
        healed(running, before)
    assert '"value_dead"' in events(running)
    witness.tell(record_property)


def test_somebody_deletes_the_published_token(running, record_property):
    before = running.value()
    with Witness(running) as witness:
        change(running, mine(running), deleted_on=running.world.clock.now())
        healed(running, before)
    assert '"value_dead"' in events(running)
    witness.tell(record_property)


def test_somebody_rolls_the_published_token(running, record_property):
    before, token = running.value(), mine(running)
    running.advance(2)  # what is changed within the second of its making is seen at the next proof of the value only
    with Witness(running) as witness:
        with running.world.lock:
            running.world.replace_value(token, new_value("account"), running.world.clock.now())
        healed(running, before)
    witness.tell(record_property)
    assert mine(running).id != token.id, "the value of a foreign roll is nobody's: a new token is made"


def test_the_token_ends_while_no_daemon_runs(running):
    before = running.value()
    assert running.end(running.process) == 0
    running.advance(7200)
    assert not running.accepts(before)
    running.process = running.daemon()
    healed(running, before)


def test_somebody_changes_the_policies(running):
    before = running.value()
    change(running, mine(running), policies=[])
    until(lambda: status(running, "deploy")["drift"], "it is told within a watch")
    found = status(running, "deploy")
    assert [one["part"] for one in found["drift"]["differences"]] == ["policies"]
    assert found["drift"]["by"] == "provider"
    assert running.value() == before
    assert running.accepts(before)


def test_somebody_pastes_the_value_of_before(running):
    before = running.value()
    assert running.run("rotate", "deploy", "--wait", "60s").code == 0
    now = running.value()
    running.file().write_text(f"CLOUDFLARE_API_TOKEN={before}\nCLOUDFLARE_ACCOUNT_ID=x\n")
    until(lambda: running.value() == now, "the current value is written over it")
    assert '"target_drifted"' in events(running)
    assert running.accepts(before), "its token lives on for its grace"


def test_somebody_restores_an_older_file_with_a_dead_value(running, record_property):
    before, token = running.value(), mine(running)
    assert running.run("revoke", "deploy").code == 0
    now = running.value()
    assert running.holder(before) is None
    assert token is not None
    with Witness(running) as witness:
        running.file().write_text(f"CLOUDFLARE_API_TOKEN={before}\n")
        until(lambda: running.value() == now, "the dead value is written over")
    witness.tell(record_property)


def test_the_management_token_loses_its_rights_and_what_is_published_lives_on(running):
    before = running.value()
    management = running.world.tokens[running.world.roles["account-management"]]
    change(running, management, policies=[])
    done = running.run("rotate", "deploy", "--wait", "5s")
    assert done.code in (1, 3)
    found = status(running, "deploy")
    assert running.value() == before
    assert running.accepts(before)
    assert found["problem"] or found["needs_operator"], "what is in the way is told"
    assert found["expires_on"], "and how long there is"


def test_a_token_of_somebody_else_that_is_called_like_ours_is_left_alone(running):
    token = mine(running)
    twin = replace(token, id=new_id(), value=new_value("account"), name=token.name.replace(".1.", ".2."), former=[])
    with running.world.lock:
        running.world.add(twin)
    assert running.run("rotate", "deploy", "--wait", "60s").code == 0
    assert twin.status(running.world.clock.now()) == "active"


def test_a_second_installation_of_one_credential_takes_nothing_from_the_first(running, tmp_path):
    before = running.value()
    other = dict(running.document, state={"url": "sqlite:///other/state.db"})
    (tmp_path / "other.yaml").write_text(json.dumps(other))
    done = running.run("-c", str(tmp_path / "other.yaml"), "once")
    shown = json.loads(running.run("-c", str(tmp_path / "other.yaml"), "status", "-o", "json").out)
    [found] = shown["credentials"]

    assert "journal_behind" in done.events
    assert found["needs_operator"]["code"] == "restored_journal"
    assert running.value() == before
    assert running.accepts(before)
    assert len(running.alive()) == 1, "nothing was minted beside it"
