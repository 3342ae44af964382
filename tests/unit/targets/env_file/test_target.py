"""What the dotenv target adds to the contract that all targets keep: git, accounts, warnings, and its options."""

import grp
import os
import stat
import subprocess

import pytest
from pydantic import TypeAdapter, ValidationError

from rotator.config.kinds import DEFAULT_KEYS
from rotator.core.errors import Refused, Unavailable
from rotator.core.ports.target import Publication, Reading
from rotator.core.secret import Secret
from rotator.host import files
from rotator.targets.env_file import EnvFileOptions, complaints
from rotator.targets.env_file.target import EnvFileTarget

KEYS = {"TOKEN": "token.value"}


@pytest.fixture
def open_target(env):
    """A target on the file, with options; its warnings are collected in `target.warnings`."""

    def make(**options):
        warnings = []
        target = EnvFileTarget(
            EnvFileOptions(path=env.path, **options), KEYS, env.locks, warn=lambda code, message: warnings.append(code)
        )
        target.warnings = warnings
        return target

    return make


def publish(target, value="new", still_mine=lambda: None):
    target.write(
        Publication(
            credential="workers-deploy",
            rid="r1",
            generation=1,
            token_id="0" * 32,
            expires_at=0.0,
            values={"TOKEN": Secret(value)},
            expected=target.read(),
            still_mine=still_mine,
        )
    )


# ------------------------------------------------------------------------------------------------------------ content


def test_a_file_with_cr_line_ends_is_refused_by_the_preflight_and_left_as_it_is(env, open_target):
    env.save(b"A=1\rTOKEN=\r")
    with pytest.raises(Refused, match=r"end in CR alone") as caught:
        open_target().check()
    assert (caught.value.code, caught.value.remedy) == ("format", "save it with LF as line end")
    assert env.content == b"A=1\rTOKEN=\r"


def test_a_file_of_yaml_is_refused_by_the_preflight_and_left_as_it_is(env, open_target):
    env.save(b"TOKEN: old\nOTHER: x\n")
    for act in (open_target().check, lambda: publish(open_target())):
        with pytest.raises(Refused, match="looks like YAML") as caught:
            act()
        assert caught.value.code == "format"
    assert env.content == b"TOKEN: old\nOTHER: x\n"


@pytest.mark.parametrize("name", ["env.yaml", "ENV.YML"])
def test_the_name_of_a_file_tells_yaml_of_one_line(env, name):
    path = env.folder / name
    path.write_bytes(b"TOKEN: old\n")
    target = EnvFileTarget(EnvFileOptions(path=path), KEYS, env.locks)
    with pytest.raises(Refused, match="looks like YAML"):
        target.check()


def test_a_colon_on_our_own_line_becomes_the_sign_that_every_program_reads(env, open_target):
    env.save(b"A=1\nTOKEN: changeme\n")
    open_target().check()
    publish(open_target())
    assert env.content == b"A=1\nTOKEN=new\n"


# --------------------------------------------------------------------------------------------------------------- git


@pytest.mark.parametrize("index, words", [(None, "does not ignore"), (b"junk", "does not ignore")])
def test_a_file_that_git_could_commit_is_refused_and_allowed_where_that_is_said(env, open_target, index, words):
    (env.folder / ".git").mkdir()
    if index is not None:
        (env.folder / ".git" / "index").write_bytes(index)
    for act in (open_target().check, lambda: publish(open_target())):
        with pytest.raises(Refused, match=words) as caught:
            act()
        assert "allow_tracked" in caught.value.remedy
    assert not env.path.exists()
    open_target(allow_tracked=True).check()
    publish(open_target(allow_tracked=True))
    assert env.content == b"TOKEN=new\n"


def test_what_git_could_not_prove_is_a_remark(env, open_target, monkeypatch):
    (env.folder / ".git").mkdir()
    (env.folder / ".gitignore").write_text(".env\n")
    monkeypatch.setenv("PATH", "/nonexistent")
    remarks = {remark.code: remark for remark in open_target().check()}
    assert set(remarks) == {"git_not_asked"}
    assert "install git" in remarks["git_not_asked"].remedy


@pytest.mark.parametrize(("ignored", "apart"), [(".env", True), ("/.env", True), (".env*", False), ("*", False)])
def test_git_ignores_whatever_lies_beside_the_file_during_a_write(env, open_target, ignored, apart):
    git = ["git", "-C", str(env.folder)]
    subprocess.run([*git, "init", "-q"], check=True)
    (env.folder / ".gitignore").write_text(f"{ignored}\n.gitignore\n")
    env.save(b"TOKEN=old\n")
    seen = []

    def look():
        seen.append(env.names)
        for what in ("--ignored=no", "--ignored=matching"):
            done = subprocess.run([*git, "status", "--porcelain", what], check=True, capture_output=True, text=True)
            seen.append(done.stdout)

    publish(open_target(), still_mine=look)

    names, visible, hidden = seen
    assert visible == ""
    assert ".rotator-" in hidden
    assert any("rotator-uid" in name for name in names) is apart
    assert (env.content, env.names) == (b"TOKEN=new\n", [".env", ".git", ".gitignore"])


# ---------------------------------------------------------------------------------------------------------- accounts


def test_owner_and_mode_of_the_options_are_given_to_the_file(env, open_target, root):
    publish(open_target(user="65534", group="nogroup" if _has_group("nogroup") else "65534", mode="0640"))
    status = env.path.stat()
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (65534, 0o640)


@pytest.mark.parametrize("option", ["user", "group"])
def test_an_unknown_account_is_refused_by_name(open_target, option):
    target = open_target(**{option: "no-such-account"})
    for act in (target.check, lambda: publish(target)):
        with pytest.raises(Refused, match="no-such-account"):
            act()


def test_accounts_are_found_by_name(env, open_target, root):
    publish(open_target(user="root", group="root"))
    assert env.path.stat().st_uid == 0


def _has_group(name):
    return name in {entry.gr_name for entry in grp.getgrall()}


# ---------------------------------------------------------------------------------------------------------- warnings


def test_a_file_that_everybody_may_read_is_a_warning(env, open_target):
    env.save(b"A=1\n")
    env.path.chmod(0o644)
    (remark,) = open_target().check()
    assert (remark.code, "chmod" in remark.remedy) == ("readable_by_others", True)


def test_writing_in_place_is_a_warning(env, open_target):
    env.save(b"TOKEN=old\n")
    os.link(env.path, env.folder / "twin")
    target = open_target()
    publish(target)
    assert target.warnings == ["written_in_place"]


def test_a_file_system_without_exchange_is_a_warning(env, open_target, monkeypatch):
    def unsupported(*args, **kwargs):
        raise OSError(next(iter(files.EXCHANGE_UNSUPPORTED)), "unsupported")

    env.save(b"TOKEN=old\n")
    monkeypatch.setattr(files, "exchange", unsupported)
    target = open_target()
    publish(target)
    assert (target.warnings, env.content) == (["renamed_over"], b"TOKEN=new\n")


def test_without_anybody_to_warn_a_warning_is_dropped(env):
    env.save(b"TOKEN=old\n")
    os.link(env.path, env.folder / "twin")
    target = EnvFileTarget(EnvFileOptions(path=env.path), KEYS, env.locks)
    publish(target)
    assert env.content == b"TOKEN=new\n"


# ----------------------------------------------------------------------------------------------------------- reading


def test_of_a_key_that_is_set_twice_the_last_value_counts_and_both_are_written(env, open_target):
    env.save(b"TOKEN=1\nTOKEN=2\n")
    target = open_target()
    assert target.read().values["TOKEN"].reveal() == "2"
    publish(target)
    assert env.content == b"TOKEN=new\nTOKEN=new\n"


def test_a_value_that_is_no_text_can_be_read_compared_and_replaced(env, open_target):
    env.save(b"TOKEN=\xff\n")
    target = open_target()
    assert target.read().values == target.read().values
    publish(target)
    assert env.content == b"TOKEN=new\n"


def test_a_file_that_cannot_be_understood_is_unavailable_to_a_read_and_refuses_a_write(env, open_target):
    env.save(b"A='x\nTOKEN=1\ny' z\n")
    target = open_target()
    with pytest.raises(Unavailable, match="line 2"):
        target.read()
    with pytest.raises(Refused, match="line 2"):
        target.check()
    env.save(b"TOKEN=old\n")
    expected = target.read()
    env.save(b"A='x\nTOKEN=old\ny' z\n")
    with pytest.raises(Refused, match="line 2"):
        _write(target, expected, "new")


@pytest.mark.parametrize(
    "content, code, words",
    [
        (b"P=C:\\tmp\\", "format", "last line"),
        (b"A='never closed\n", "format", "never closed"),
        (b"\xef\xbb\xbf", "format", "byte order mark"),
        (b"A=1\nsops_mac=ENC[AES256_GCM,data:x]\n", "encrypted", "sops"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n66\n", "encrypted", "ansible-vault"),
    ],
)
def test_the_preflight_refuses_what_the_write_would(env, open_target, content, code, words):
    env.save(content)
    target = open_target()
    for act in (target.check, lambda: _write(target, None, "new")):
        with pytest.raises(Refused, match=words) as caught:
            act()
        assert (caught.value.code, bool(caught.value.remedy)) == (code, True)
    assert env.content == content


def test_a_key_that_is_missing_after_a_line_that_goes_on_passes_the_preflight_and_is_written(env, open_target):
    env.save(b"P=C:\\tmp\\\n")
    target = open_target()
    target.check()
    publish(target)
    assert env.content == b"P=C:\\tmp\\\n\nTOKEN=new\n"


@pytest.mark.parametrize("name", [".envrc", "env.sh"])
def test_a_file_that_a_shell_runs_gets_the_key_as_export(env, name):
    path = env.folder / name
    path.write_bytes(b"layout node\n")
    publish(EnvFileTarget(EnvFileOptions(path=path), KEYS, env.locks))
    assert path.read_bytes() == b"layout node\nexport TOKEN=new\n"


def test_what_is_no_file_is_unavailable_to_a_read(env, open_target):
    env.path.mkdir()
    with pytest.raises(Unavailable, match="not a regular file"):
        open_target().read()


def test_a_missing_folder_is_unavailable_because_it_may_be_a_disk_that_is_not_mounted(env, open_target):
    env.folder.rmdir()
    with pytest.raises(Unavailable, match="folder"):
        open_target().read()


def test_a_value_that_cannot_be_written_is_refused_without_being_shown(env, open_target):
    with pytest.raises(Refused, match="TOKEN") as caught:
        publish(open_target(), "it's-a-CANARY")
    assert "CANARY" not in caught.value.message + caught.value.remedy


def test_a_version_does_not_depend_on_the_content_but_on_the_file(env, open_target):
    env.save(b"TOKEN=old\n")
    target = open_target()
    before = target.read().version
    assert target.read().version == before
    env.save(b"TOKEN=old\n")
    assert target.read().version != before


def _write(target, expected, value):
    target.write(
        Publication(
            credential="c",
            rid="r",
            generation=1,
            token_id="0" * 32,
            expires_at=0.0,
            values={"TOKEN": Secret(value)},
            expected=expected or Reading(version=""),
            still_mine=lambda: None,
        )
    )


# ----------------------------------------------------------------------------------------------------------- options


def load(**options):
    return TypeAdapter(EnvFileOptions).validate_python(options, context={"folder": "/etc/rotator"})


def test_options_have_safe_defaults():
    options = load(path=".env")
    assert (str(options.path), options.create, options.allow_tracked) == ("/etc/rotator/.env", True, False)
    assert (options.mode, options.user, options.group) == (None, None, None)


def test_the_place_is_the_path_without_detours():
    assert load(path="../app/./.env").place == "/etc/app/.env"


def test_accounts_may_be_names_or_numbers():
    assert (load(path=".env", user="app").user, load(path=".env", group=1000).group) == ("app", "1000")


@pytest.mark.parametrize("account", ["", " app", "a\nb", -1, True, 1.5, ["app"]])
def test_what_is_no_account_is_an_error_that_says_what_to_write(account):
    with pytest.raises(ValidationError, match="write for example app"):
        load(path=".env", user=account)


def test_unknown_options_are_errors():
    with pytest.raises(ValidationError):
        load(path=".env", own="app")


def found(keys, **options):
    return [(one.at, one.fatal) for one in complaints(load(path=".env", **options), keys)]


def test_the_default_keys_are_fine():
    assert found(DEFAULT_KEYS) == []


def test_a_key_that_no_program_would_read_is_a_complaint():
    assert found({"MY-KEY": "token.value", "GOOD": "token.id"}) == [(("keys", "MY-KEY"), True)]


def test_a_literal_that_cannot_be_written_is_a_complaint():
    assert found({"A": "literal:it's", "B": "literal:prod"}) == [(("keys", "A"), True)]


def test_a_mode_that_everybody_may_read_is_a_warning():
    assert found({}, mode="0644") == [(("mode",), False)]
