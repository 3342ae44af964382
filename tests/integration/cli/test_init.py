"""init: the first files of a project, which pass `check --offline` as they are."""

import json
import subprocess

import pytest
from ruamel.yaml import YAML

ACCOUNT = "a0000000000000000000000000000001"


@pytest.fixture
def init(rotator, tmp_path):
    """Runs init for an empty folder below the present one."""

    def run(*arguments):
        return rotator("init", "new", *arguments)

    return run


def written(folder):
    return YAML(typ="safe").load((folder / "new" / "rotator.yaml").read_text())


WAYS = [
    ["--for", "worker", "--path", "apps/api/.dev.vars", "--path", "apps/web/.dev.vars", "--zone", "example.com"],
    ["--for", "worker"],
    ["--for", "worker", "--owner", "user", "--zone", "b0000000000000000000000000000001", "--token-file", "my token"],
    ["--for", "ci", "--vault", "https://vault.internal:8200"],
    ["--for", "ci", "--aws", "eu-central-1", "--zone", "bücher.example"],
    ["--for", "ci", "--path", "deploy/.env.production"],
    ["--for", "ci"],
    ["--for", "fleet"],
    ["--for", "fleet", "--zone", "example.com", "--zone", "bücher.example", "--path", "apps/{name}/.env"],
    ["--for", "fleet", "--path", "apps/api/.dev.vars", "--path", "apps/web/.dev.vars"],
    ["--for", "fleet", "--zone", "example.com", "--vault", "https://vault.internal:8200", "--aws", "eu-central-1"],
]


@pytest.mark.parametrize("arguments", WAYS, ids=" ".join)
def test_what_is_written_passes_the_offline_check_without_a_warning(init, rotator, tmp_path, arguments):
    done = init("--account-id", ACCOUNT, *arguments)

    assert done.code == 0, done.err
    checked = rotator("-c", "new/rotator.yaml", "check", "--offline", "--fail-on", "warn")
    assert checked.code == 0, checked.out
    assert written(tmp_path)["connections"]["cloudflare"]["account_id"] == ACCOUNT


def test_every_place_that_will_hold_a_secret_is_ignored_by_git(init, tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".gitignore").write_text("node_modules\n/.env")

    done = init(
        "--account-id", ACCOUNT, "--for", "worker", "--path", ".env", "--path", "api/.dev.vars", "--token-file", "t"
    )
    assert done.code == 0
    for path in (".env", "api/.dev.vars", "t", "t-standby", ".rotator/rotator.key", "api/.dev.vars.rotator-0.dev.vars"):
        asked = subprocess.run(["git", "-C", str(tmp_path / "new"), "check-ignore", "-q", path], check=False)
        assert asked.returncode == 0, path
    lines = (tmp_path / "new" / ".gitignore").read_text().splitlines()
    assert lines[:2] == ["node_modules", "/.env"]
    assert lines.count("/.env") == 1


def test_a_file_that_git_tracks_already_is_named(init, tmp_path):
    folder = tmp_path / "new"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".dev.vars").write_text("A=b\n")
    subprocess.run(["git", "-C", str(folder), "add", ".dev.vars"], check=True)

    done = init("--account-id", ACCOUNT, "--for", "worker")
    assert done.code == 0
    assert "git rm --cached .dev.vars" in done.err


def test_nothing_that_exists_is_written_over(init, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "rotator.yaml").write_text("mine\n")

    done = init("--account-id", ACCOUNT, "--for", "worker")
    assert done.code == 1
    assert (tmp_path / "new" / "rotator.yaml").read_text() == "mine\n"
    assert not (tmp_path / "new" / ".gitignore").exists()


def test_a_second_init_in_another_folder_keeps_the_key(init, tmp_path):
    assert init("--account-id", ACCOUNT, "--for", "fleet").code == 0
    key = (tmp_path / "new" / ".rotator" / "rotator.key").read_bytes()
    (tmp_path / "new" / "rotator.yaml").unlink()

    assert init("--account-id", ACCOUNT, "--for", "fleet").code == 0
    assert (tmp_path / "new" / ".rotator" / "rotator.key").read_bytes() == key


def test_a_fleet_has_a_template_and_a_line_of_its_inventory_for_each_zone(init, rotator, tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    zones = ["--zone", "example.com", "--zone", "bücher.example"]

    assert init("--account-id", ACCOUNT, "--for", "fleet", *zones).code == 0

    lines = (tmp_path / "new" / "fleet.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"name": "example-com", "zone": "example.com"},
        {"name": "bucher-example", "zone": "bücher.example"},
    ]
    assert written(tmp_path)["fleet"]["inventory"] == "fleet.jsonl"
    shown = rotator("-c", "new/rotator.yaml", "status", "-o", "json").json["credentials"]
    assert sorted(one["name"] for one in shown) == ["bucher-example", "example-com"]
    for path in ("example-com.env", "later.env"):
        asked = subprocess.run(["git", "-C", str(tmp_path / "new"), "check-ignore", "-q", path], check=False)
        assert asked.returncode == 0, path


def test_a_fleet_of_files_has_a_line_for_each_file_and_a_name_once(init, tmp_path):
    paths = ["--path", "a/.env", "--path", "A-.env"]

    assert init("--account-id", ACCOUNT, "--for", "fleet", *paths).code == 0

    lines = (tmp_path / "new" / "fleet.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"name": "a-env", "file": "a/.env"},
        {"name": "a-env-2", "file": "A-.env"},
    ]


def test_an_inventory_that_is_there_already_is_used_and_never_written_over(init, tmp_path):
    mine = '{"name": "shop", "zone": "example.net"}\n{"name": "example-com", "zone": "example.com"}\n'
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "fleet.jsonl").write_text(mine)

    other = init("--account-id", ACCOUNT, "--for", "fleet", "--zone", "example.org")
    assert other.code == 1
    assert "fleet.jsonl exists" in other.err
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["fleet.jsonl"]

    done = init("--account-id", ACCOUNT, "--for", "fleet", "--zone", "example.com", "-o", "json")
    assert done.code == 0, done.err
    assert (tmp_path / "new" / "fleet.jsonl").read_text() == mine
    assert "new/fleet.jsonl" not in done.json["written"]


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--account-id", ACCOUNT], "--for"),
        (
            ["--for", "fleet", "--account-id", ACCOUNT, "--zone", "a.example", "--path", "apps/.env"],
            "--path 'apps/{name}/.env'",
        ),
        (["--for", "worker"], "--account-id"),
        (["--for", "worker", "--account-id", "example.com"], "not the id of an account"),
        (["--for", "worker", "--account-id", ACCOUNT, "--zone", "example"], "not the name of a zone"),
    ],
)
def test_without_a_terminal_what_is_missing_is_a_usage_error_and_nothing_is_written(init, tmp_path, arguments, said):
    done = init(*arguments)

    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "new").exists()


def test_the_account_is_found_by_a_management_token_that_is_there_already(init, place, tmp_path):
    token = str(tmp_path / "account-management")
    done = init("--for", "worker", "--token-file", token, "--api-url", place.sandbox.url)

    assert done.code == 0, done.err
    assert ACCOUNT in done.err
    assert written(tmp_path)["connections"]["cloudflare"]["account_id"] == ACCOUNT


def test_several_accounts_are_listed(init, place, tmp_path):
    token = str(tmp_path / "user-management")
    done = init("--for", "worker", "--token-file", token, "--api-url", place.sandbox.url)

    assert done.code == 2
    assert "Second Account" in done.err


def test_a_zones_id_in_place_of_the_accounts_is_named(init, place, tmp_path):
    zone = "b0000000000000000000000000000001"
    token = str(tmp_path / "account-management")
    done = init("--for", "worker", "--account-id", zone, "--token-file", token, "--api-url", place.sandbox.url)

    assert done.code == 2
    assert "zone example.com" in done.err
    assert ACCOUNT in done.err


def test_from_an_empty_folder_to_a_value_in_use(init, rotator, place, tmp_path, monkeypatch):
    """What the documentation promises: three commands."""
    (tmp_path / "new").mkdir()
    arguments = ["--for", "worker", "--account-id", ACCOUNT, "--zone", "example.com", "--api-url", place.sandbox.url]
    assert init(*arguments).code == 0
    monkeypatch.chdir(tmp_path / "new")

    made = rotator(
        *("bootstrap", "cloudflare", "--with", "global-key", "--email", "owner@example.com"),
        *("--key-file", "../global-api-key"),
    )
    assert made.code == 0, made.err + made.out
    assert rotator("once").code == 0
    assert "CLOUDFLARE_API_TOKEN=cfat_" in (tmp_path / "new" / ".dev.vars").read_text()


def test_from_an_empty_folder_to_a_fleet_in_use(init, rotator, place, tmp_path, monkeypatch):
    zones = ["--zone", "example.com", "--zone", "example.net"]
    (tmp_path / "new").mkdir()
    assert init("--for", "fleet", "--account-id", ACCOUNT, *zones, "--api-url", place.sandbox.url).code == 0
    monkeypatch.chdir(tmp_path / "new")

    made = rotator(
        *("bootstrap", "cloudflare", "--with", "global-key", "--email", "owner@example.com"),
        *("--key-file", "../global-api-key"),
    )
    assert made.code == 0, made.err + made.out
    assert rotator("once").code == 0
    for name in ("example-com", "example-net"):
        assert "CLOUDFLARE_API_TOKEN=cfat_" in (tmp_path / "new" / f"{name}.env").read_text()


def test_the_document_names_what_was_written(init, tmp_path):
    document = init("--account-id", ACCOUNT, "--for", "worker", "-o", "json").json

    assert document["written"] == ["new/.gitignore", "new/.rotator/rotator.key", "new/rotator.yaml"]
    assert "/.dev.vars" in document["ignored"]
    assert json.dumps(document)


def test_at_a_terminal_it_asks_for_what_no_flag_says(init, tmp_path, monkeypatch):
    answers = iter(["nonsense", "worker", "not-an-id", ACCOUNT, "example.com, example.net", "a/.dev.vars b/.dev.vars"])
    monkeypatch.setattr("rotator.cli.init.is_terminal", lambda stream: True)
    monkeypatch.setattr("rotator.cli.init._line", lambda prompt: next(answers))

    assert init().code == 0
    (credential,) = written(tmp_path)["credentials"]
    assert [target["path"] for target in credential["targets"]] == ["a/.dev.vars", "b/.dev.vars"]
    assert credential["grants"][1]["zones"] == ["example.com", "example.net"]
