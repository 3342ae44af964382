"""What stands beside our values and keeps a program from using them is remarked, with what to do."""

import pytest

from rotator.targets.env_file import EnvFileOptions
from rotator.targets.env_file.target import EnvFileTarget

WITH_ACCOUNT = {"CLOUDFLARE_API_TOKEN": "token.value", "CLOUDFLARE_ACCOUNT_ID": "account.id"}
TOKEN_ALONE = {"CLOUDFLARE_API_TOKEN": "token.value"}
OURS = b"CLOUDFLARE_API_TOKEN=ours\nCLOUDFLARE_ACCOUNT_ID=acc\n"


@pytest.fixture
def look(env):
    """Remarks of a target on `name`, by code, after some files were written: name -> content."""

    def check(name, files, keys=WITH_ACCOUNT):
        for other, content in files.items():
            (env.folder / other).write_bytes(content)
            (env.folder / other).chmod(0o600)
        target = EnvFileTarget(EnvFileOptions(path=env.folder / name), keys, env.locks)
        remarks = target.check()
        assert all(remark.remedy and "ours" not in remark.message + remark.remedy for remark in remarks)
        return {remark.code: remark for remark in remarks}

    return check


def test_a_file_that_stands_alone_has_nothing_remarkable(look):
    assert look(".env", {".env": OURS}) == {}
    assert look(".dev.vars", {}) == {}


# ----------------------------------------------------------------------------------------------------------- .dev.vars


@pytest.mark.parametrize("content", [b"", b"OTHER=1\n", b"CLOUDFLARE_API_TOKEN=theirs\nCLOUDFLARE_ACCOUNT_ID=acc\n"])
def test_wrangler_reads_the_file_of_an_environment_instead_of_dev_vars(env, look, content):
    found = look(".dev.vars", {".dev.vars": OURS, ".dev.vars.production": content})["outranked"]
    assert "`--env production`" in found.message
    assert found.about == str(env.folder / ".dev.vars.production")


def test_the_file_of_an_environment_is_found_before_the_first_write_too(look):
    assert "outranked" in look(".dev.vars", {".dev.vars.production": b"OTHER=1\n"})


def test_a_file_of_an_environment_that_holds_the_same_is_fine(look):
    assert look(".dev.vars", {".dev.vars": OURS, ".dev.vars.production": OURS + b"MORE=1\n"}) == {}


def test_wrangler_takes_variables_from_dev_vars_where_that_exists(env, look):
    found = look(".env", {".env": OURS, ".dev.vars": b"A=1\n"})["shadowed"]
    assert found.about == str(env.folder / ".dev.vars")
    assert "only its own login" in found.message


# ----------------------------------------------------------------------------------------------------------------- .env


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (".env", ".env.local"),
        (".env", ".env.production"),
        (".env", ".env.production.local"),
        (".env.local", ".env.production"),
        (".env.production", ".env.production.local"),
    ],
)
def test_a_more_special_file_that_holds_the_key_wins(env, look, ours, theirs):
    found = look(ours, {ours: OURS, theirs: b"CLOUDFLARE_API_TOKEN=theirs\n"})["outranked"]
    assert "CLOUDFLARE_API_TOKEN" in found.message
    assert found.about == str(env.folder / theirs)


def test_a_more_special_file_wins_with_an_empty_value_too(look):
    assert "outranked" in look(".env", {".env": OURS, ".env.local": b"CLOUDFLARE_API_TOKEN=\n"})


def test_a_more_special_file_that_programs_read_differently_is_remarked(look):
    assert "outranked" in look(".env", {".env": OURS, ".env.local": b"N=Bob's\nCLOUDFLARE_API_TOKEN=x\n"})


def test_a_more_special_file_is_found_before_the_first_write_too(look):
    assert "outranked" in look(".env", {".env.local": b"CLOUDFLARE_API_TOKEN=theirs\n"})


@pytest.mark.parametrize(
    "ours, theirs, content",
    [
        (".env", ".env.local", b"OTHER=1\n"),
        (".env", ".env.local", OURS),
        (".env", ".env.example", b"CLOUDFLARE_API_TOKEN=your-token\n"),
        (".env", ".env.local.example", b"CLOUDFLARE_API_TOKEN=your-token\n"),
        (".env", ".env.bak", b"CLOUDFLARE_API_TOKEN=old\n"),
        (".env", ".env~", b"CLOUDFLARE_API_TOKEN=old\n"),
        (".env", ".env.rotator-0123abcd.env", b"CLOUDFLARE_API_TOKEN=old\n"),
        (".env", ".env.vault", b'DOTENV_VAULT_CI="x"\n'),
        (".env", ".env.sealed", b"CLOUDFLARE_API_TOKEN=encrypted:abc\n"),
        (".env.production", ".env", b"CLOUDFLARE_API_TOKEN=other\n"),
        (".dev.vars", ".dev.vars.example", b"CLOUDFLARE_API_TOKEN=your-token\n"),
        ("secrets.env", ".env.local", b"CLOUDFLARE_API_TOKEN=other\n"),
    ],
)
def test_a_file_that_does_not_win_is_not_remarkable(look, ours, theirs, content):
    assert look(ours, {ours: OURS, theirs: content}) == {}


def test_a_folder_beside_the_file_is_passed_over(env, look):
    (env.folder / ".env.local").mkdir()
    assert look(".env", {".env": OURS}) == {}


# -------------------------------------------------------------------------------------------------------------- logins


@pytest.mark.parametrize("other", [b"CLOUDFLARE_API_KEY", b"CF_API_KEY"])
def test_a_global_key_in_the_same_file_is_taken_instead_of_the_token(look, other):
    found = look(".env", {".env": OURS + other + b"=0123456789abcdef\nCLOUDFLARE_EMAIL=a@example.com\n"})["two_logins"]
    assert other.decode() in found.remedy
    assert "0123456789abcdef" not in found.message


@pytest.mark.parametrize("line", [b"CLOUDFLARE_API_KEY=\n", b"# CLOUDFLARE_API_KEY=x\n", b"CLOUDFLARE_EMAIL=a@b.c\n"])
def test_a_global_key_that_is_not_there_is_not_taken(look, line):
    assert look(".env", {".env": OURS + line}) == {}


def test_a_token_without_an_account_id_is_remarked(look):
    found = look(".env", {}, TOKEN_ALONE)["account_id_missing"]
    assert "CLOUDFLARE_ACCOUNT_ID: account.id" in found.remedy


@pytest.mark.parametrize(
    "files",
    [
        {".env": b"CLOUDFLARE_ACCOUNT_ID=acc\n"},
        {".env": b"export CF_ACCOUNT_ID=acc\n"},
        {"wrangler.toml": b'name = "x"\naccount_id = "acc"\n'},
        {"wrangler.jsonc": b'{ "account_id": "acc" }'},
    ],
)
def test_an_account_id_that_a_person_wrote_there_is_enough(look, files):
    assert look(".env", files, TOKEN_ALONE) == {}


def test_another_key_than_wranglers_needs_no_account(look):
    assert look(".env", {}, {"TF_TOKEN": "token.value"}) == {}


# -------------------------------------------------------------------------------------------------- comments, direnv


def test_a_comment_after_a_value_is_remarked_with_its_line(look):
    found = look(".env", {".env": b"A=1 # fine\nCLOUDFLARE_API_TOKEN= # paste it here\n"})["comment_after_value"]
    assert "line 2" in found.message


def test_direnv_asks_again(look):
    assert "direnv allow" in look(".envrc", {".envrc": b"use flake\n"})["direnv"].message
