"""What a good configuration means."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from rotator.config.explain import ConfigErrors
from rotator.config.load import load, read_stanza
from rotator.core.errors import ConfigError
from tests.unit.config.conftest import HEAD, LOOPBACK, Load, credential
from tests.unit.config.fake_kinds import KINDS

VAULT = "  vault: {type: vault, address: https://vault, token: {env: V}}\n"
AWS = "  aws: {type: aws, region: eu-central-1}\n"


def refused(loads: Load, text: str, **more: object) -> str:
    with pytest.raises(ConfigErrors) as caught:
        loads(text, **more)
    return "\n".join(caught.value.messages)


# ------------------------------------------------------------------------------------------------------------- the file
def test_the_smallest_file_is_a_version(loads: Load) -> None:
    config = loads("version: 1\n")

    assert (config.credentials, dict(config.connections), config.warnings) == ((), {}, ())


def test_sections_may_stand_empty(loads: Load) -> None:
    config = loads("version: 1\nstate:\nhttp:\nlog:\nconnections:\ndefaults:\ncredentials:\nadvanced:\n")

    assert (config.http.listen, config.log.level, config.advanced.settle) == ("127.0.0.1:9853", "info", 60.0)


def test_json_is_a_configuration(loads: Load) -> None:
    text = json.dumps(
        {
            "version": 1,
            "connections": {"prod": {"type": "cloudflare", "token": {"env": "T"}}},
            "credentials": [
                {
                    "name": "a",
                    "connection": "prod",
                    "grants": [{"permissions": ["DNS Write"]}],
                    "targets": [{"type": "env_file", "path": ".env"}],
                }
            ],
        },
        indent="\t",
    )

    assert [found.name for found in loads(text).credentials] == ["a"]


def test_the_digest_is_of_the_bytes_of_the_file(loads: Load, tmp_path: Path) -> None:
    config = loads("version: 1\n")

    assert config.sha256 == hashlib.sha256(b"version: 1\n").hexdigest()
    assert config.path == tmp_path / "rotator.yaml"


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_a_file_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigErrors, match=r"1:1: the file cannot be read") as caught:
        load(tmp_path / name, KINDS)

    assert caught.value.exit_code == 2
    assert str(tmp_path / name) in caught.value.messages[0]


def test_a_message_names_the_file_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r.yaml").write_text("version: 2\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigErrors, match=r"^r\.yaml:1:10: "):
        load("r.yaml", KINDS)


def test_all_errors_come_at_once_in_the_order_of_the_file(loads: Load) -> None:
    text = f"{HEAD}log: {{level: loud}}\ncredentials: [1, 2]\nlater: 1\n"

    lines = [int(message.split("rotator.yaml:")[1].split(":")[0]) for message in refused(loads, text).splitlines()]

    assert lines == sorted(lines) == [4, 5, 5, 6]


# ---------------------------------------------------------------------------------------------------------------- paths
def test_relative_paths_start_at_the_folder_of_the_file(loads: Load, tmp_path: Path) -> None:
    config = loads(
        "version: 1\nstate: {url: sqlite:///state/s.db, encryption_key: {file: k}}\n" + credential(head=HEAD[11:])
    )

    assert config.state.url == f"sqlite:///{tmp_path}/state/s.db"
    assert config.state.encryption_key.file == tmp_path / "k"
    assert config.credentials[0].targets[0].name == f"env_file:{tmp_path}/.env"


def test_a_link_to_the_file_counts_as_the_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "r.yaml").write_text(credential())
    (tmp_path / "r.yaml").symlink_to("real/r.yaml")

    assert load(tmp_path / "r.yaml", KINDS).credentials[0].targets[0].place == str(tmp_path / ".env")


# ------------------------------------------------------------------------------------------------------ the environment
def test_the_environment_overrides_the_listener(loads: Load) -> None:
    text = 'version: 1\nhttp: {listen: "127.0.0.1:1"}\n'

    assert loads(text, {"ROTATOR_HTTP_LISTEN": "0.0.0.0:9853"}).http.listen == "0.0.0.0:9853"
    assert loads(text, {"ROTATOR_HTTP_LISTEN": ""}).http.listen == "127.0.0.1:1"
    assert "ROTATOR_HTTP_LISTEN" in refused(loads, text, environ={"ROTATOR_HTTP_LISTEN": "9853"})


@pytest.mark.parametrize("listen", ["[::1]:9853", "localhost:0", "0.0.0.0:65535"])
def test_a_listener_is_a_host_and_a_port(loads: Load, listen: str) -> None:
    assert loads(f'version: 1\nhttp: {{listen: "{listen}"}}\n').http.listen == listen


# ------------------------------------------------------------------------------------------------- defaults and targets
def test_defaults_lie_below_credentials_and_rotation_key_by_key(loads: Load) -> None:
    head = f"{HEAD}defaults: {{owner: user, lifetime: 60d, rotation: {{grace: 2h, soak: 3h}}}}\n"

    found = loads(credential("    lifetime: 40d\n    rotation: {soak: 4h}\n", head=head)).credentials[0]

    assert (found.owner, found.common.lifetime) == ("user", 40 * 86400)
    assert (found.common.rotation.grace, found.common.rotation.soak) == (7200, 14400)


def test_a_mistake_in_the_defaults_is_one_message_and_points_there(loads: Load) -> None:
    text = credential(head=HEAD + "defaults: {lifetime: soon}\n")

    message = refused(loads, text + "  - name: b\n    connection: prod\n    grants: []\n    targets: []\n")

    assert message.count("this is not a duration") == 1
    assert "rotator.yaml:4:22" in message


def test_a_target_without_keys_gets_those_of_its_type(loads: Load) -> None:
    text = credential(head=HEAD + AWS).replace(
        "[{type: env_file, path: .env}]", "[{type: aws_secrets_manager, connection: aws, secret: s, format: string}]"
    )

    assert loads(text).credentials[0].targets[0].keys == {"value": "token.value"}
    assert set(loads(credential()).credentials[0].targets[0].keys) == {"CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"}


def test_literals_may_be_numbers_and_keep_their_digits(loads: Load) -> None:
    text = credential().replace(
        "path: .env", "path: .env, keys: {T: token.value, PORT: {literal: 0080}, E: {literal: ''}}"
    )

    assert loads(text).credentials[0].targets[0].keys == {"T": "token.value", "PORT": "literal:0080", "E": "literal:"}


@pytest.mark.parametrize("output", ["token.value", "r2.secret_access_key"])
def test_either_output_carries_the_value(loads: Load, output: str) -> None:
    text = credential().replace("path: .env", f"path: .env, keys: {{T: {output}}}")

    assert loads(text).credentials[0].targets[0].keys == {"T": output}


def test_several_credentials_share_a_place_with_keys_of_their_own(loads: Load) -> None:
    text = credential().replace("path: .env", "path: .env, keys: {A: token.value}")
    other = credential(name="b", head="").replace("path: .env", "path: .env, keys: {B: token.value}")

    config = loads(text + other.removeprefix("credentials:\n"))

    assert len({found.targets[0].lease for found in config.credentials}) == 1


def test_one_path_on_two_servers_is_two_places(loads: Load) -> None:
    text = credential(head=HEAD + VAULT + VAULT.replace("vault:", "other:", 1).replace("//vault", "//other")).replace(
        "[{type: env_file, path: .env}]",
        "[{type: vault, connection: vault, path: p, name: x}, {type: vault, connection: other, path: p, name: y}]",
    )

    assert len({target.lease for target in loads(text).credentials[0].targets}) == 2


# ------------------------------------------------------------------------------------------------------------- loopback
def test_against_a_sandbox_times_may_be_short_and_budgets_large(loads: Load) -> None:
    head = LOOPBACK.replace("}\n", ", rate_budget: {requests: 100000, window: 1s}}\n")
    text = credential("    lifetime: 20s\n", head=head) + "advanced: {settle: 1s, propagation: 1s, retry: 0.1s}\n"

    config = loads(text)

    assert (config.credentials[0].common.lifetime, config.advanced.retry) == (20, 0.1)


def test_one_real_provider_beside_the_sandbox_keeps_patience_obligatory(loads: Load) -> None:
    head = LOOPBACK + "  real: {type: cloudflare, token: {env: T}}\n"

    assert "`settle` is shorter" in refused(loads, credential(head=head) + "advanced: {settle: 1s}\n")


def test_without_any_provider_nothing_can_be_too_short(loads: Load) -> None:
    assert loads("version: 1\nadvanced: {settle: 1s}\n").advanced.settle == 1


@pytest.mark.parametrize("budget, ok", [("{requests: 1200}", True), ("{requests: 1201}", False)])
@pytest.mark.parametrize("window", ["5m", "1h"])
def test_a_budget_may_be_all_of_the_providers_limit_and_not_more(
    loads: Load, budget: str, ok: bool, window: str
) -> None:
    text = HEAD.replace("{env: T}}", f"{{env: T}}, rate_budget: {budget[:-1]}, window: {window}}}}}")

    assert ok or "above the provider's own limit" in refused(loads, text)
    assert not ok or loads(text)


# ------------------------------------------------------------------------------------------------------------- warnings
def codes(loads: Load, text: str) -> list[tuple[str, str]]:
    return [(found.code, found.where.rsplit("rotator.yaml:", 1)[1]) for found in loads(text).warnings]


def test_grace_under_an_hour_is_a_warning(loads: Load) -> None:
    assert codes(loads, credential("    rotation: {grace: 59m}\n")) == [("short_grace", "9:23")]
    assert codes(loads, credential("    rotation: {grace: 1h}\n")) == []


def test_a_warning_says_of_what_kind_its_subject_is(loads: Load, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("x")
    token.chmod(0o644)
    text = credential("    rotation: {grace: 59m}\n").replace("{env: T}", f"{{file: {token}}}")

    assert {found.subject.about for found in loads(text).warnings} == {"credential", "connection"}


def test_grace_beyond_expiry_is_a_warning(loads: Load) -> None:
    assert codes(loads, credential("    rotation: {grace: 31d}\n")) == [("long_grace", "9:23")]


def test_a_roll_has_no_grace_to_warn_of(loads: Load) -> None:
    assert codes(loads, credential("    rotation: {strategy: roll, outage_budget: 90s, grace: 0s}\n")) == []


def test_an_adapter_may_warn(loads: Load) -> None:
    assert codes(loads, credential("    priority: 9\n")) == [("options", "9:15")]


@pytest.mark.parametrize(
    "text, place",
    [(HEAD.replace("{env: T}", "{file: t}"), "3:35"), ("version: 1\nstate: {encryption_key: {file: t}}\n", "2:25")],
    ids=["token", "key"],
)
def test_a_secret_file_that_others_may_write_is_an_error(loads: Load, tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "t").write_text("canary")
    (tmp_path / "t").chmod(0o622)

    message = refused(loads, text)

    assert (
        f"{place}: file {tmp_path}/t can be written by others (mode 0622); expected mode 0600; write `chmod go-w"
        in message
    )


def test_a_configuration_that_everybody_may_write_is_a_warning(loads: Load, tmp_path: Path) -> None:
    loads("version: 1\n")
    (tmp_path / "rotator.yaml").chmod(0o666)

    assert codes(loads, "version: 1\n") == [("config_writable", "1:1")]


def test_a_secret_file_that_others_may_read_is_a_warning_and_one_that_is_missing_is_none(
    loads: Load, tmp_path: Path
) -> None:
    text = HEAD.replace("{env: T}", "{file: t}")
    assert codes(loads, text) == []

    (tmp_path / "t").write_text("x")
    (tmp_path / "t").chmod(0o644)

    assert codes(loads, text) == [("secret_file", "3:35")]


# ---------------------------------------------------------------------------------------------------------------- specs
RICH = """\
    adopt: {id: 4a5b4a5b4a5b4a5b4a5b4a5b4a5b4a5b}
    lifetime: never
    request_ip: {in: [203.0.113.0/24]}
    rotation: {every: 30d, quiet: 1h}
"""


def test_a_stanza_is_made_again_from_its_spec(loads: Load) -> None:
    text = credential(RICH).replace(
        "path: .env", "path: .env, mode: 0640, name: n, keys: {T: token.value, S: {literal: prod}}"
    )
    config = loads(text)
    spec = json.loads(json.dumps(config.credentials[0].spec(), allow_nan=False))

    assert read_stanza(spec, KINDS, config.connections) == config.credentials[0]


def test_a_spec_whose_connection_is_gone_is_an_error_that_says_so(loads: Load) -> None:
    spec = loads(credential()).credentials[0].spec()

    with pytest.raises(ConfigError, match="there is no connection `prod`"):
        read_stanza(spec, KINDS, {})
