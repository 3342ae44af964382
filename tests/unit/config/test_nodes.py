"""The name of this machine, and whose work a credential is."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from rotator.config.explain import ConfigErrors
from rotator.config.load import load, read_stanza
from rotator.config.nodes import elsewhere
from tests.unit.config.fake_kinds import KINDS


def read(folder: Path, *, targets=({"type": "env_file", "path": "a.env"},), environ=None, **more):
    credential = {"name": "a", "connection": "prod", "grants": [{"permissions": ["DNS Write"]}], "targets": [*targets]}
    document = {
        "version": 1,
        "connections": {"prod": {"type": "cloudflare", "token": {"env": "T"}}},
        "credentials": [credential],
        **more,
    }
    (folder / "rotator.yaml").write_text(json.dumps(document))
    return load(folder / "rotator.yaml", KINDS, {"HOME": "/home/app", **(environ or {})}, uid=1000)


def test_a_machine_is_called_as_its_host_unless_somebody_says_otherwise(tmp_path: Path):
    assert read(tmp_path).node == socket.gethostname()
    assert read(tmp_path, node="web1").node == "web1"
    assert read(tmp_path, node="web1", environ={"ROTATOR_NODE": "web2"}).node == "web2"


def test_a_name_in_the_environment_that_is_none_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigErrors, match="ROTATOR_NODE is not a name"):
        read(tmp_path, environ={"ROTATOR_NODE": "web 2"})


@pytest.mark.parametrize(("node", "whose"), [(None, ""), ("here", ""), ("there", "there")])
def test_a_credential_with_a_place_on_another_machine_is_that_machines(tmp_path: Path, node, whose: str):
    target = {"type": "env_file", "path": "a.env"} | ({"node": node} if node else {})
    [stanza] = read(tmp_path, targets=[{"type": "env_file", "path": "b.env"}, target]).credentials
    assert elsewhere(stanza, "here") == whose


def test_what_the_journal_keeps_of_a_credential_says_whose_it_was(tmp_path: Path):
    config = read(tmp_path, targets=[{"type": "env_file", "path": "a.env", "node": "there"}])
    [stanza] = config.credentials
    assert elsewhere(read_stanza(stanza.spec(), KINDS, config.connections), "here") == "there"


def test_the_same_path_on_two_machines_is_two_places(tmp_path: Path):
    places = [
        read(tmp_path, targets=[{"type": "env_file", "path": "/srv/a.env", "node": node}]).credentials[0].targets[0]
        for node in ("web1", "web2")
    ]
    assert places[0].lease != places[1].lease
    assert places[0].name == places[1].name
