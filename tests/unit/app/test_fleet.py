"""Which adapters serve a credential, and what holds starts back."""

import json
from dataclasses import replace

import pytest

from rotator.app.once import once
from rotator.app.reload import reload
from rotator.app.run import rows
from rotator.core.errors import Barred, ConfigError, Refused, Unavailable
from rotator.core.protocol.view import Past, TargetView, blank
from rotator.core.reasons import Reason
from rotator.engine.provider_time import ProviderTime
from rotator.registry import SOURCES


@pytest.fixture
def stream(app):
    return app.ids["workers-deploy"]


def known(app):
    """Let the provider's time be known."""
    for time in app.fleet.times.values():
        time.observe(app.clock.utc())


def test_a_configured_credential_is_bound_to_its_adapters_once(app, stream):
    first = app.fleet.bound(stream, blank())

    assert first is not None
    assert list(first.targets) == [t.name for t in first.credential.targets]
    assert app.fleet.bound(stream, blank()) is first


def test_a_reload_makes_adapters_anew(app, stream, place):
    first = app.fleet.bound(stream, blank())
    place.write(place.credential("workers-deploy", grants=[{"permissions": ["DNS Read"], "zones": ["example.com"]}]))
    reload(app)

    assert app.fleet.bound(stream, blank()) is not first


def test_a_connection_outlives_a_reload_while_its_options_stay(app, place):
    first = app.fleet.connection("prod")
    place.write(place.credential("other"))
    reload(app)
    assert app.fleet.connection("prod") is first

    text = (place.folder / "rotator.yaml").read_text().replace("account-management", "standby")
    (place.folder / "standby").write_text("x9" * 20)
    (place.folder / "rotator.yaml").write_text(text)
    reload(app)
    assert app.fleet.connection("prod") is not first


def test_an_unknown_connection_says_what_to_do(app):
    with pytest.raises(ConfigError, match="is not configured any more") as caught:
        app.fleet.connection("gone")
    assert caught.value.remedy == "add gone to connections again"


def test_nothing_is_bound_for_a_stream_that_nobody_knows(app):
    assert app.fleet.bound("unknown", blank()) is None


def test_a_credential_that_left_the_configuration_is_bound_from_its_journaled_stanza(app, stream, place):
    spec = app.queries.credentials[0].spec
    place.write(place.credential("other"))
    reload(app)
    found = app.fleet.bound(stream, replace(blank(), spec=spec))

    assert found is not None
    assert not found.credential.managed
    assert found.credential.name == "workers-deploy"


def test_a_journaled_stanza_whose_connection_is_gone_is_said_and_not_bound(app, stream, said, place):
    spec = dict(app.queries.credentials[0].spec)
    spec["stanza"] = {**spec["stanza"], "connection": "gone"}
    place.write(place.credential("other"))
    reload(app)

    assert app.fleet.bound(stream, replace(blank(), spec=spec)) is None
    assert "workers-deploy" in [fields.get("credential") for name, fields in said if name == "config_warning"]


def test_a_warning_about_a_stanza_is_logged_under_its_name(app, said):
    assert [f["credential"] for name, f in said if (name, f.get("code")) == ("config_warning", "short_grace")] == [
        "workers-deploy"
    ]


def left(app, name, stanza):
    """A view in which a target has left the configuration."""
    spec = app.queries.credentials[0].spec
    return replace(blank(), spec=spec, targets={name: TargetView(past=Past(stanza=stanza))})


def test_a_target_that_left_can_still_be_read(app, stream, place):
    spec = app.queries.credentials[0].spec
    (name, plain), *_ = spec["targets"].items()
    place.write(place.credential("workers-deploy", targets=[{"type": "env_file", "path": "else.env"}]))
    reload(app)
    found = app.fleet.bound(
        stream,
        left(app, name, plain),
    )

    assert found is not None
    assert name in found.targets
    assert len(found.targets) == 2


@pytest.mark.parametrize("plain", [None, {"type": "vault", "connection": "gone", "path": "x"}])
def test_a_target_that_left_and_cannot_be_made_again_is_not_there(app, stream, plain):
    found = app.fleet.bound(
        stream,
        left(app, "old", plain),
    )

    assert found is not None
    assert "old" not in found.targets


def test_a_target_that_left_a_stanza_that_nobody_journaled_is_not_there(app, stream):
    found = app.fleet.bound(stream, replace(left(app, "old", {"type": "env_file", "path": "x"}), spec={}))

    assert found is not None
    assert "old" not in found.targets


# --- what holds starts back


def test_while_the_provider_has_not_said_what_time_it_is_nothing_starts(app):
    assert app.fleet.hold(app.queries.credentials[0]) is Reason.CLOCK_SUSPECT


def test_a_single_credential_is_not_paced(app):
    known(app)

    assert app.fleet.hold(app.queries.credentials[0]) is None


def test_what_paces_a_fleet_holds_a_start_back(app, monkeypatch):
    known(app)
    monkeypatch.setattr(app.fleet._pacing, "may_start", lambda credential: False)

    assert app.fleet.hold(app.queries.credentials[0]) is Reason.PACING


def test_a_value_that_died_is_noted_in_the_journal_for_everybody(app, stream):
    known(app)
    app.fleet.died(app.queries.credentials[0], True)
    assert list(app.writable.pace.deaths("prod")) == [stream]
    assert not app.fleet.incident("prod"), "one is never an incident"

    app.fleet.died(app.queries.credentials[0], False)
    assert not app.writable.pace.deaths("prod")


def test_a_clock_that_jumps_holds_starts_back_and_is_said_once(app, said, monkeypatch):
    wires = []
    entry = replace(SOURCES["cloudflare"], open=lambda name, options, wire: wires.append(wire) or object())
    monkeypatch.setitem(SOURCES, "cloudflare", entry)
    app.fleet.connection("prod")
    (wire,) = wires
    app.fleet.times["prod"] = ProviderTime(app.clock.boot, app.clock.utc, 60.0)
    wire.on_date(app.clock.utc())
    assert app.fleet.hold(app.queries.credentials[0]) is None

    wire.on_date(app.clock.utc() + 3600)
    wire.on_date(app.clock.utc() + 3600)

    assert app.fleet.hold(app.queries.credentials[0]) is Reason.CLOCK_SUSPECT
    assert [name for name, _ in said].count("clock_suspect") == 1


@pytest.mark.parametrize(("status", "reachable"), [("200", True), ("403", True), ("503", False), ("lost", False)])
def test_a_connection_is_reachable_while_it_answers(app, monkeypatch, status, reachable):
    wires = []
    entry = replace(SOURCES["cloudflare"], open=lambda name, options, wire: wires.append(wire) or object())
    monkeypatch.setitem(SOURCES, "cloudflare", entry)
    app.fleet.connection("prod")
    wires[0].on_request("verify", status)

    assert app.fleet.reachable == {"prod": reachable}


@pytest.fixture
def hub(place):
    """A second target, in a Vault whose reads end as the test says."""
    connections = {
        "prod": json.loads((place.folder / "rotator.yaml").read_text())["connections"]["prod"],
        "hub": {"type": "vault", "address": "http://127.0.0.1:1", "auth": {"token": {"file": "rotator.key"}}},
    }
    targets = [
        {"type": "env_file", "path": "a.env"},
        {"type": "vault", "name": "vault", "connection": "hub", "path": "ci/app"},
    ]
    place.write(place.credential("workers-deploy", targets=targets), connections=connections)


@pytest.mark.parametrize(
    ("error", "reachable"),
    [(Unavailable("no answer"), False), (Refused("HTTP 403"), True), (Barred("from elsewhere"), True)],
)
def test_the_connection_of_a_target_is_reachable_while_it_answers(hub, opened, monkeypatch, error, reachable):
    def read(target):
        raise error

    with opened() as app:
        bound = app.fleet.bound(app.queries.credentials[0].id, blank())
        monkeypatch.setattr(type(bound.targets["vault"]), "read", read)
        assert "hub" not in app.fleet.reachable
        once(app, 0.0)

        assert app.fleet.reachable["hub"] is reachable
        assert {row.name: row.reachable for row in rows(app)} == {"prod": True, "hub": reachable}


def test_nothing_was_listed_before_the_first_listing(app):
    assert app.fleet.used("prod", {}) is None


def test_one_listing_serves_a_whole_scope(app, stream):
    bound = app.fleet.bound(stream, blank())
    first = app.fleet.tokens(bound.credential, bound.source, 60)

    assert app.fleet.tokens(bound.credential, bound.source, 60) is first
    assert app.fleet.used("prod", {}) == len(first)


def test_what_was_minted_since_the_listing_counts_too(app, stream):
    bound = app.fleet.bound(stream, blank())
    listed = app.fleet.tokens(bound.credential, bound.source, 60)

    assert app.fleet.used("prod", {stream: replace(blank(), current="minted-since")}) == len(listed) + 1
    assert app.fleet.used("prod", {stream: replace(blank(), current=listed[0].id)}) == len(listed)


def test_a_fleet_without_a_configuration_says_so(app):
    from rotator.app.fleet import ConfiguredFleet

    bare = ConfiguredFleet(
        app.writable.budget, app.clock, lambda *a, **k: None, lambda *a: None, app.config.state.folder
    )
    with pytest.raises(ConfigError, match="no configuration is loaded"):
        _ = bare.config
