"""One stanza for many credentials: what the template makes of each row, and what is said of a wrong one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rotator.config.explain import ConfigErrors
from rotator.config.load import digest, load
from rotator.config.models import Config
from tests.unit.config.conftest import HEAD, Load
from tests.unit.config.fake_kinds import KINDS

VAULT = "  vault: {type: vault, address: https://vault, token: {env: V}}\n"
TEMPLATE = """
fleet:
  inventory: fleet.jsonl
  template:
    connection: prod
    grants: [{permissions: [DNS Write]}]
    targets: [{type: vault, connection: vault, path: "ci/{team}/{name}"}]
"""
FILE = HEAD + VAULT + TEMPLATE


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.jsonl"
    path.write_text('{"name": "a", "team": "web"}\n\n{"name": "b", "team": "ops"}\n')
    return path


def refused(loads: Load, text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        loads(text)
    return [re.sub(r"/\S+/(?=rotator.yaml|fleet\.)", "", message) for message in caught.value.messages]


def places(config: Config) -> dict[str, str]:
    return {found.name: found.targets[0].place for found in config.credentials}


# --------------------------------------------------------------------------------------------------------------- copies
def test_each_row_becomes_a_credential_with_its_columns_filled_in(loads: Load, inventory: Path) -> None:
    assert places(loads(FILE)) == {"a": "secret/ci/web/a", "b": "secret/ci/ops/b"}


def test_the_rows_may_stand_in_the_configuration_itself(loads: Load) -> None:
    text = FILE.replace("fleet.jsonl", "[{name: a, team: web}, {name: b, team: ops}]")

    assert places(loads(text)) == {"a": "secret/ci/web/a", "b": "secret/ci/ops/b"}


def test_a_table_with_a_line_of_column_names_is_an_inventory(loads: Load, tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_text('name,team\r\na,web\r\n\r\nb,"o,ps"\r\n')

    assert places(loads(FILE.replace("fleet.jsonl", "fleet.csv"))) == {"a": "secret/ci/web/a", "b": "secret/ci/o,ps/b"}


def test_a_fleet_stands_beside_credentials_and_follows_them(loads: Load, inventory: Path) -> None:
    single = (
        "credentials:\n  - {name: z, connection: prod, grants: [{permissions: [Zone Read]}], "
        "targets: [{type: env_file, path: .env}]}\n"
    )

    assert [found.name for found in loads(FILE + single).credentials] == ["z", "a", "b"]


def test_defaults_hold_for_a_fleet_and_the_template_wins(loads: Load, inventory: Path) -> None:
    text = FILE.replace("    connection: prod\n", "    rotation: {grace: 2h}\n")
    config = loads(text + "defaults: {connection: prod, lifetime: 30d, rotation: {grace: 3h, soak: 4h}}\n")

    common = config.credentials[0].common
    assert (common.lifetime, common.rotation.grace, common.rotation.soak) == (30 * 86400.0, 7200.0, 14400.0)


def test_a_text_that_is_one_column_takes_its_value_whatever_its_type(loads: Load, tmp_path: Path) -> None:
    rows = [{"name": "a", "team": "x", "zones": ["one.example", "two.example"], "prio": 3}]
    (tmp_path / "fleet.jsonl").write_text(json.dumps(rows[0]))
    text = FILE.replace("[DNS Write]}", '[DNS Write], zones: "{zones}"}').replace(
        "    grants", '    priority: "{prio}"\n    grants'
    )

    source = loads(text).credentials[0].source
    assert (source.grants[0].zones, source.priority) == (("one.example", "two.example"), 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "empty"), [("fleet.jsonl", '{"name":"a","team":"w","life":null}'), ("fleet.csv", "")])
def test_an_empty_column_leaves_out_the_key_that_holds_nothing_else(
    loads: Load, tmp_path: Path, name: str, empty: str
) -> None:
    (tmp_path / name).write_text(empty or "name,team,life\na,w,\n")
    text = FILE.replace("fleet.jsonl", name).replace("    grants", '    lifetime: "{life}"\n    grants')

    assert loads(text).credentials[0].common.lifetime == 90 * 86400.0


def test_columns_may_stand_in_the_keys_of_a_mapping(loads: Load, inventory: Path) -> None:
    text = FILE.replace('/{name}"', '/{name}", keys: {"{team}_TOKEN": token.value}')

    assert [dict(found.targets[0].keys) for found in loads(text).credentials] == [
        {"web_TOKEN": "token.value"},
        {"ops_TOKEN": "token.value"},
    ]


def test_doubled_braces_are_braces(loads: Load, inventory: Path) -> None:
    assert places(loads(FILE.replace("ci/{team}", "ci/{{team}}")))["a"] == "secret/ci/{team}/a"


def test_a_number_keeps_the_digits_that_were_written(loads: Load, tmp_path: Path) -> None:
    (tmp_path / "fleet.jsonl").write_text('{"name": "a", "team": 4.10}')

    assert places(loads(FILE))["a"] == "secret/ci/4.10/a"


# --------------------------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"name": "a b", "team": "w"}', "this is not a name"),
        ('{"name": "b", "team": ""}', "the column `team` is empty, and stands inside a text"),
        ('{"name": "b", "team": true}', "the column `team` is neither a text nor a number"),
        ('{"name": "b"}', "the column `team` is missing in this row"),
        ('{"name": "b", "name": "c", "team": "w"}', "the column `name` stands twice in this line"),
        ('["b", "w"]', "the line is no object"),
        ('{"name": "a", "team": "w"}', "a second credential is called `a`, the first stands in line 1 of fleet.jsonl"),
    ],
)
def test_what_is_wrong_in_a_row_is_said_with_its_line(loads: Load, inventory: Path, line: str, said: str) -> None:
    inventory.write_text('{"name": "a", "team": "web"}\n\n' + line + "\n")

    assert [message for message in refused(loads, FILE) if message.startswith(f"fleet.jsonl:3:1: {said}")]


def test_a_line_that_is_no_json_is_said_with_its_column(loads: Load, inventory: Path) -> None:
    inventory.write_text('{"name": "a", "team": "web"}\n{"name": "b" "team": "ops"}\n')

    assert refused(loads, FILE) == [
        'fleet.jsonl:2:14: the line is not JSON; expected one object a line; write for example {"name": "a"}'
    ]


def test_a_row_of_a_table_with_too_few_cells_is_said_with_its_line(loads: Load, tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_text('name,team\n"a","two\nlines"\nb\n')

    (said,) = [m for m in refused(loads, FILE.replace("fleet.jsonl", "fleet.csv")) if "cells" in m]
    assert said.startswith("fleet.csv:4:1: the line has 1 cells; expected 2")


def test_a_column_that_no_row_has_is_said_once_where_the_template_names_it(loads: Load, inventory: Path) -> None:
    (said,) = refused(loads, FILE.replace("{team}", "{tema}"))

    assert said == (
        "rotator.yaml:11:54: the inventory has no column `tema`; expected one of name, team; write `{team}`"
    )


def test_what_the_template_itself_has_wrong_is_said_once(loads: Load, inventory: Path) -> None:
    text = FILE.replace("[DNS Write]", "[DNS Rite]").replace("    grants", "    grnts: 1\n    grants")

    assert [message.split(";")[0] for message in refused(loads, text)] == [
        "rotator.yaml:10:5: the key `grnts` is not known here",
        "rotator.yaml:11:29: there is no permission `DNS Rite`",
    ]


def test_what_all_rows_have_wrong_is_one_message_that_counts_them(loads: Load, inventory: Path) -> None:
    (said,) = refused(loads, FILE.replace("vault, connection: vault,", "vault,"))

    assert said.startswith("fleet.jsonl:1:1: the key `connection` is missing in the target")
    assert said.endswith(" (the same in 1 more rows)")


def test_two_rows_that_claim_one_place_are_said_with_both_lines(loads: Load, inventory: Path) -> None:
    inventory.write_text('{"name": "a", "team": "web"}\n{"name": "b", "team": "web"}\n')
    (said,) = refused(loads, FILE.replace("/{name}", ""))
    assert said.startswith("fleet.jsonl:2:1: the keys ")
    assert "claimed by `a` already (line 1 of fleet.jsonl)" in said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("fleet: [a]", "`fleet` is not a mapping"),
        ("fleet: {template: {}}", "the key `inventory` is missing in `fleet`"),
        ("fleet: {inventory: fleet.jsonl}", "the key `template` is missing in `fleet`"),
        ("fleet: {inventory: fleet.txt, template: {}}", "this is no inventory"),
        ("fleet: {inventory: fleet.jsonl, template: {}, rows: 3}", "the key `rows` is not known here"),
        ("fleet: {inventory: fleet.jsonl, template: []}", "the template is not a mapping"),
        ("fleet: {inventory: gone.jsonl, template: {}}", "the inventory cannot be read: No such file or directory"),
        ("fleet: {inventory: [a], template: {}}", "this entry of the inventory is not a mapping"),
        ('fleet: {inventory: fleet.jsonl, template: {name: "{name"}}', "a brace stands alone"),
    ],
)
def test_a_wrong_stanza_is_said_at_its_place(loads: Load, inventory: Path, written: str, said: str) -> None:
    assert [message for message in refused(loads, HEAD + written + "\n") if f": {said}" in message]


def test_an_inventory_that_everybody_may_write_is_worth_a_warning(loads: Load, inventory: Path) -> None:
    inventory.chmod(0o666)

    assert [warned.code for warned in loads(FILE).warnings] == ["config_writable"]


# --------------------------------------------------------------------------------------------------------------- reload
def test_a_change_of_the_inventory_is_a_change_of_the_configuration(loads: Load, inventory: Path) -> None:
    config = loads(FILE)

    assert digest(config.path, config.inventory) == config.sha256
    inventory.write_text('{"name": "a", "team": "web"}\n')
    assert digest(config.path, config.inventory) != config.sha256


def test_what_was_kept_of_an_inventory_counts_instead_of_what_it_holds_now(loads: Load, inventory: Path) -> None:
    config, kept = loads(FILE), inventory.read_bytes()
    inventory.write_text("broken")

    again = load(config.path, KINDS, {"HOME": "/home/app"}, content=config.path.read_bytes(), inventory=kept)

    assert places(again) == places(config)


# ----------------------------------------------------------------------------------------------------------------- size
def test_a_part_of_the_template_without_columns_is_checked_once_for_all_rows(loads: Load, inventory: Path) -> None:
    first, second = loads(FILE).credentials

    assert first.source is second.source
    assert first.targets[0] != second.targets[0]
