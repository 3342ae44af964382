"""The files of `config/`: the schema is the generated one, and what people copy loads and fits the schema.

After a change of a model: `python -m tests.unit.config.test_shipped_files`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rotator.config.document import parse
from rotator.config.explain import ConfigErrors
from rotator.config.load import load
from rotator.config.schema import json_schema, schema_text
from rotator.registry import kinds
from tests.unit.config.fake_kinds import KINDS as FAKES

KINDS = kinds()
SHIPPED = Path(__file__).parents[3] / "config"
SCHEMA = SHIPPED / "rotator.schema.json"
FILES = [SHIPPED / "rotator.example.yaml", *sorted((SHIPPED / "recipes").glob("*.yaml"))]

files = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema(KINDS))


def test_the_schema_is_the_generated_one() -> None:
    assert SCHEMA.read_text() == schema_text(KINDS), "run `python -m tests.unit.config.test_shipped_files`"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(KINDS))


@files
def test_what_people_copy_loads_without_a_warning(path: Path) -> None:
    config = load(path, KINDS)

    assert config.credentials
    assert config.warnings == ()


@files
def test_what_people_copy_fits_the_schema_that_it_names(path: Path) -> None:
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())

    assert named is not None
    assert (path.parent / named[1]).resolve() == SCHEMA.resolve()
    assert list(validator().iter_errors(parse(path.read_bytes()).plain())) == []


def test_what_the_example_shows_in_comments_loads_too(tmp_path: Path) -> None:
    """Commented lines that look like configuration are switched on, unless they are another way of the line above."""
    text = FILES[0].read_text()
    lines = [re.sub(r"^( *)# (?=(- )?[a-z_]+:( |$))", r"\1", line) for line in text.splitlines()]
    alternatives = ("kubernetes:", "jwt:", "token: { env", "api_url:")
    lines = [line for line in lines if not line.strip().startswith(alternatives)]
    text = "\n".join(re.sub(r"^  #   (?=[a-z])", "    ", line) for line in lines)
    text = re.sub(r"^# (?= +[a-z]+:( |$))", "", text, flags=re.MULTILINE)
    (tmp_path / "all.yaml").write_text(text.replace("every: 30d", "every: 20d"))
    (tmp_path / "fleet.jsonl").write_text('{"name": "dns-web", "team": "web", "zone": "example.com"}')

    config = load(tmp_path / "all.yaml", KINDS)

    assert len(config.credentials) == 5
    assert config.credentials[4].targets[0].place == "secret/ci/web/dns-web"
    assert config.credentials[3].common.rotation.strategy == "roll"
    assert config.credentials[0].common.group in config.calendar.groups


def test_an_account_owned_hub_token_is_told_which_grants_have_to_go(tmp_path: Path) -> None:
    text = (SHIPPED / "recipes" / "w1-saas-hub.yaml").read_text().replace("owner: user", "owner: account")
    (tmp_path / "hub.yaml").write_text(text)

    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path / "hub.yaml", KINDS)

    said = "\n".join(caught.value.messages)
    assert ("API Tokens Read" in said, "Memberships Read" in said) == (True, True)


# ----------------------------------------------------------------------------------------------------------- the schema
@pytest.mark.parametrize(
    "change, fits",
    [
        ({}, True),
        ({"lifetime": "90d"}, True),
        ({"lifetime": 90}, True),
        ({"lifetime": "never"}, True),
        ({"lifetime": "90"}, False),
        ({"lifetme": "90d"}, False),
        ({"name": "my token"}, False),
        ({"rotation": {"grace": "1h30m"}}, True),
        ({"rotation": {"grace": "never"}}, False),
        ({"rotation": {"strategy": "republish"}}, False),
        ({"targets": []}, False),
        ({"targets": [{"type": "vault", "path": "p"}]}, False),
        ({"targets": [{"type": "vault", "path": "p", "connection": "v"}]}, True),
        ({"targets": [{"type": "env_file", "path": "p", "connection": "v"}]}, False),
        ({"targets": [{"type": "env_file", "path": "p", "keys": {"A": {"literal": "x"}}}]}, True),
        ({"targets": [{"type": "env_file", "path": "p", "keys": {"A": "Token"}}]}, False),
    ],
)
def test_the_schema_knows_what_a_credential_may_hold(change: dict[str, Any], fits: bool) -> None:
    stanza = {
        "name": "a",
        "grants": [{"permissions": ["DNS Write"]}],
        "targets": [{"type": "env_file", "path": "p"}],
        **change,
    }
    schema = json_schema(FAKES)

    found = jsonschema.Draft202012Validator(schema).is_valid({"version": 1, "credentials": [stanza]})

    assert found == fits


@pytest.mark.parametrize(
    "token, fits",
    [
        ({"env": "T"}, True),
        ({"command": ["x"]}, True),
        ({}, False),
        ({"env": "T", "file": "f"}, False),
        ("x", False),
        ({"env": None}, False),
    ],
)
def test_the_schema_knows_that_a_secret_has_one_place(token: object, fits: bool) -> None:
    data = {"version": 1, "connections": {"prod": {"type": "cloudflare", "token": token}}}

    assert jsonschema.Draft202012Validator(json_schema(FAKES)).is_valid(data) == fits


def test_properties_say_what_they_are_for() -> None:
    rotation = json_schema(KINDS)["$defs"]["Rotation"]["properties"]

    assert [key for key, spec in rotation.items() if not spec.get("description")] == []


HEAD = """
version: 1
connections: {prod: {type: cloudflare, account_id: a0000000000000000000000000000001, token: {env: TOKEN}}}
"""
ONE = """
credentials:
  - name: a
    connection: prod
    grants: [{permissions: [Zone Read], zones: all}]
    targets: [{type: env_file, path: /srv/.env%s}]
"""


@pytest.mark.parametrize(
    "text, fits",
    [
        (ONE % ", after_publish: [{touch: /srv/a}]", True),
        (ONE % ", after_publish: [{command: [/bin/true], timeout: 3s}]", True),
        (ONE % ", after_publish: [{}]", False),
        (ONE % ", after_publish: []", False),
        (ONE % ", after_publish: [{touch: /srv/a, signal: {pid_file: /srv/p}}]", False),
        (ONE % ", after_publish: [{touch: /srv/a, timeout: 3s}]", False),
        ("groups: {apps: {}}\n" + ONE % "", True),
        ("groups: {apps: }\n" + ONE % "", True),
        ("groups:\nfreezes:\nfleet:\nnames:\nhttp:\nlog:\nadvanced:\ndefaults:\nstate:\n" + ONE % "", True),
        ("groups: {'': {}}\n" + ONE % "", False),
        ("defaults: {labels: {}}\n" + ONE % "", True),
        ("defaults: {labels: {team: web, tier: '1'}}\n" + ONE % "", True),
        ("defaults: {labels: {'a b': web}}\n" + ONE % "", False),
        ("defaults: {labels: {team: ''}}\n" + ONE % "", False),
    ],
)
def test_the_schema_and_the_parser_say_the_same_of_a_stanza(tmp_path: Path, text: str, fits: bool) -> None:
    path = tmp_path / "rotator.yaml"
    path.write_text(HEAD + text)
    by_schema = not list(validator().iter_errors(parse(path.read_bytes()).plain()))

    try:
        load(path, KINDS, {"HOME": str(tmp_path)}, uid=1000)
        by_parser = True
    except ConfigErrors:
        by_parser = False
    assert (by_schema, by_parser) == (fits, fits)


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(KINDS))
