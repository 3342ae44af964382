"""Whether a file could be committed: asked from git, and, without it, worked out alike."""

import os
import shutil
import subprocess

import pytest

from rotator.targets.env_file import exposure as exposure_module
from rotator.targets.env_file.exposure import Exposure, InGit, exposure
from tests.servers.require import require

GIT = shutil.which("git")


def git(folder, *what):
    program = GIT or require("git", "install git")
    subprocess.run(
        [program, "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(folder), *what],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "repo"
    (folder / "sub" / "deep").mkdir(parents=True)
    git(folder, "init", "-q")
    return folder


@pytest.fixture(params=["git", "alone"])
def way(request, monkeypatch):
    """With git, and without."""
    if request.param == "alone":
        monkeypatch.setenv("PATH", "/nonexistent")


def verdict(path):
    return exposure(path).verdict


def test_outside_every_repository_nothing_is_exposed(tmp_path):
    assert verdict(tmp_path / ".env") is InGit.NONE


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_is_not_ignored_is_exposed_before_it_exists_too(repo, exists):
    if exists:
        (repo / ".env").touch()
    assert verdict(repo / ".env") is InGit.NOT_IGNORED


@pytest.mark.parametrize("name", [".env", "[a]*.env", "*.env", ":(top).env", "deep/a b.env"])
@pytest.mark.parametrize("pattern", ["", "*.env\n"])
def test_where_git_answers_nothing_stays_unproven(repo, name, pattern):
    (repo / ".gitignore").write_text(pattern)
    found = exposure(repo / name, beside=[".env~"])

    assert found == Exposure(InGit.NONE if pattern else InGit.NOT_IGNORED, bare=(".env~",))


@pytest.mark.parametrize("index_version", ["2", "4"])
def test_a_tracked_file_is_exposed_even_where_it_is_ignored(repo, index_version):
    for name in (".env", "a", "sub/.env", "sub/.env.example", "sub/deep/.env"):
        (repo / name).touch()
    git(repo, "add", "a", "sub/.env.example", "sub/deep/.env", ".env")
    git(repo, "update-index", "--index-version", index_version)
    (repo / ".gitignore").write_text(".env\n")
    assert verdict(repo / ".env") is InGit.TRACKED
    assert verdict(repo / "sub" / "deep" / ".env") is InGit.TRACKED
    assert verdict(repo / "sub" / ".env") is InGit.NONE


def test_a_file_marked_to_be_added_later_counts_as_tracked(repo):
    (repo / ".env").touch()
    git(repo, "add", "--intent-to-add", ".env")  # an extended index entry
    assert verdict(repo / ".env") is InGit.TRACKED


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "where, patterns, ignored",
    [
        (".gitignore", ".env", True),
        (".gitignore", "# .env", False),
        (".gitignore", "/.env", False),
        (".gitignore", "/sub/deep/.env", True),
        (".gitignore", "sub/deep/.env", True),
        (".gitignore", "deep/.env", False),
        (".gitignore", "**/deep/.env", True),
        (".gitignore", "sub/**/.env", True),
        (".gitignore", "sub/**", True),
        (".gitignore", "deep/", True),
        (".gitignore", ".env/", False),
        (".gitignore", "*", True),
        (".gitignore", "*.env", True),
        (".gitignore", ".e?v", True),
        (".gitignore", ".[a-f]nv", True),
        (".gitignore", ".[!a-f]nv", False),
        (".gitignore", "\\.env   ", True),
        (".gitignore", ".env\n!.env", False),
        (".gitignore", "!.env\n.env", True),
        (".gitignore", "deep/\n!.env", True),
        (".gitignore", "sub/*\n!sub/deep", False),
        ("sub/.gitignore", "/deep/.env", True),
        ("sub/.gitignore", "/sub/deep/.env", False),
        ("sub/deep/.gitignore", "/.env", True),
        (".git/info/exclude", ".env", True),
    ],
)
def test_ignore_patterns_are_understood(repo, where, patterns, ignored):
    (repo / where).write_text(patterns + "\n")
    assert verdict(repo / "sub" / "deep" / ".env") is (InGit.NONE if ignored else InGit.NOT_IGNORED)


@pytest.mark.usefixtures("way")
def test_a_deeper_ignore_file_decides_over_a_higher_one(repo):
    (repo / ".gitignore").write_text(".env\n")
    (repo / "sub" / ".gitignore").write_text("!.env\n")
    assert verdict(repo / "sub" / ".env") is InGit.NOT_IGNORED
    assert verdict(repo / ".env") is InGit.NONE


def test_a_linked_worktree_is_a_repository_too(repo, tmp_path):
    (repo / ".env").touch()
    git(repo, "add", ".env")
    git(repo, "commit", "-q", "-m", "a secret, by mistake")
    git(repo, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert verdict(tmp_path / "tree" / ".env") is InGit.TRACKED
    assert verdict(tmp_path / "tree" / ".dev.vars") is InGit.NOT_IGNORED


@pytest.mark.usefixtures("way")
def test_a_link_is_judged_by_the_real_file(repo, tmp_path):
    (repo / ".env").symlink_to(tmp_path / "real.env")
    assert verdict(repo / ".env") is InGit.NONE
    (tmp_path / "link").symlink_to(repo / "sub" / ".env")
    assert verdict(tmp_path / "link") is InGit.NOT_IGNORED


def test_a_linked_worktree_follows_the_exclude_file_of_its_repository_without_git_too(repo, tmp_path, monkeypatch):
    git(repo, "commit", "-q", "--allow-empty", "-m", "one")
    git(repo, "worktree", "add", "-q", str(tmp_path / "tree"))
    (repo / ".git" / "info" / "exclude").write_text(".env\n")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert verdict(tmp_path / "tree" / ".env") is InGit.NONE


def test_without_git_an_ignored_file_passes_and_it_is_said_what_nobody_proved(repo, monkeypatch):
    (repo / ".gitignore").write_text(".env\n")
    monkeypatch.setenv("PATH", "/nonexistent")
    found = exposure(repo / ".env")
    assert (found.verdict, found.unproven, found.remedy) == (
        InGit.NONE,
        "git is not installed here",
        "install git where the daemon runs",
    )


def test_a_git_that_hangs_is_done_without(repo, monkeypatch):
    (repo / ".gitignore").write_text(".env\n")
    (repo / "slow").mkdir()
    slow = repo / "slow" / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:/usr/bin:/bin")
    monkeypatch.setattr(exposure_module, "GIT_TIMEOUT", 0.2)
    found = exposure(repo / ".env")
    assert (found.verdict, "did not answer" in found.unproven) == (InGit.NONE, True)


def test_a_git_that_may_not_be_run_is_done_without(repo, monkeypatch, tmp_path):
    (repo / ".gitignore").write_text(".env\n")
    (tmp_path / "git").write_text("#!/bin/nowhere\n")
    (tmp_path / "git").chmod(0o644)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (verdict(repo / ".env"), bool(exposure(repo / ".env").unproven)) == (InGit.NONE, True)


@pytest.mark.parametrize("index", [b"JUNK" + bytes(20), b"DIRC\0\0\0\7\0\0\0\0"])
def test_a_broken_repository_is_judged_by_its_ignore_files(tmp_path, index):
    git(tmp_path, "init", "-q")
    (tmp_path / ".git" / "index").write_bytes(index)
    assert verdict(tmp_path / ".env") is InGit.NOT_IGNORED
    (tmp_path / ".gitignore").write_text(".env\n")
    found = exposure(tmp_path / ".env")
    assert (found.verdict, "cannot read" in found.unproven) == (InGit.NONE, True)


def test_a_repository_that_nobody_can_read_is_unknown(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").mkdir()
    assert verdict(tmp_path / ".env") is InGit.UNKNOWN


def test_root_asks_git_as_the_owner_of_the_repository(repo, root, tmp_path):
    (repo / ".env").touch()
    git(repo, "add", ".env")
    for parent in (tmp_path, *tmp_path.parents):
        if not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    for path in (repo, *repo.rglob("*")):
        os.chown(path, 65534, 65534)
    found = exposure(repo / ".env")
    assert (found.verdict, found.unproven) == (InGit.TRACKED, "")


def test_a_repository_of_somebody_else_is_not_asked_and_the_cure_is_named(repo, root, monkeypatch):
    (repo / ".gitignore").write_text(".env\n")
    monkeypatch.setattr(exposure_module, "_as_owner", lambda folder: {"env": {"PATH": os.environ["PATH"]}})
    for path in (repo, *repo.rglob("*")):
        os.chown(path, 65534, 65534)
    found = exposure(repo / ".env")
    assert (found.verdict, "does not trust" in found.unproven) == (InGit.NONE, True)
    assert found.remedy.endswith(f"--add safe.directory {repo}`")


def test_nothing_that_the_repository_configures_is_run(repo, tmp_path):
    (repo / ".gitignore").write_text(".env\n")
    git(repo, "config", "core.fsmonitor", f"touch {tmp_path / 'ran'}; false")
    assert verdict(repo / ".env") is InGit.NONE
    assert not (tmp_path / "ran").exists()


def test_a_name_with_the_characters_of_a_pattern_is_meant_literally(repo):
    (repo / "a").touch()
    git(repo, "add", "a")
    (repo / ".gitignore").write_text("\\[a\\]\n")
    assert verdict(repo / "[a]") is InGit.NONE


@pytest.mark.usefixtures("way")
def test_names_beside_the_file_that_are_not_ignored_are_named(repo):
    (repo / ".gitignore").write_text(".env\n")
    assert exposure(repo / ".env", [".env.rotator-0.env"]).bare == (".env.rotator-0.env",)
    (repo / ".gitignore").write_text(".env*\n")
    assert exposure(repo / ".env", [".env.rotator-0.env"]).bare == ()


def test_git_variables_of_the_environment_do_not_mislead(repo, monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert verdict(repo / ".env") is InGit.NOT_IGNORED
