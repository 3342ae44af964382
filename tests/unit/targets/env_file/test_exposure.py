"""Whether a file could be committed: asked from git, and, without it, worked out alike."""

import shutil
import subprocess

import pytest

from rotator.targets.env_file import exposure as exposure_module
from rotator.targets.env_file.exposure import Exposure, exposure
from tests.servers.require import require


def git(folder, *what):
    program = shutil.which("git") or require("git", "install git")
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
        monkeypatch.setattr(exposure_module, "_ask_git", lambda root, *question: None)


def test_outside_every_repository_nothing_is_exposed(tmp_path):
    assert exposure(tmp_path / ".env") is Exposure.NONE


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_is_not_ignored_is_exposed_before_it_exists_too(repo, exists):
    if exists:
        (repo / ".env").touch()
    assert exposure(repo / ".env") is Exposure.NOT_IGNORED


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("index_version", ["2", "4"])
def test_a_tracked_file_is_exposed_even_where_it_is_ignored(repo, index_version):
    for name in (".env", "a", "sub/.env", "sub/.env.example", "sub/deep/.env"):
        (repo / name).touch()
    git(repo, "add", "a", "sub/.env.example", "sub/deep/.env", ".env")
    git(repo, "update-index", "--index-version", index_version)
    (repo / ".gitignore").write_text(".env\n")
    assert exposure(repo / ".env") is Exposure.TRACKED
    assert exposure(repo / "sub" / "deep" / ".env") is Exposure.TRACKED
    assert exposure(repo / "sub" / ".env") is Exposure.NONE


@pytest.mark.usefixtures("way")
def test_a_file_marked_to_be_added_later_counts_as_tracked(repo):
    (repo / ".env").touch()
    git(repo, "add", "--intent-to-add", ".env")  # an extended index entry
    assert exposure(repo / ".env") is Exposure.TRACKED


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
    assert exposure(repo / "sub" / "deep" / ".env") is (Exposure.NONE if ignored else Exposure.NOT_IGNORED)


@pytest.mark.usefixtures("way")
def test_a_deeper_ignore_file_decides_over_a_higher_one(repo):
    (repo / ".gitignore").write_text(".env\n")
    (repo / "sub" / ".gitignore").write_text("!.env\n")
    assert exposure(repo / "sub" / ".env") is Exposure.NOT_IGNORED
    assert exposure(repo / ".env") is Exposure.NONE


@pytest.mark.usefixtures("way")
def test_a_linked_worktree_is_a_repository_too(repo, tmp_path):
    (repo / ".env").touch()
    git(repo, "add", ".env")
    git(repo, "commit", "-q", "-m", "a secret, by mistake")
    git(repo, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert exposure(tmp_path / "tree" / ".env") is Exposure.TRACKED
    assert exposure(tmp_path / "tree" / ".dev.vars") is Exposure.NOT_IGNORED


@pytest.mark.usefixtures("way")
def test_a_link_is_judged_by_the_real_file(repo, tmp_path):
    (repo / ".env").symlink_to(tmp_path / "real.env")
    assert exposure(repo / ".env") is Exposure.NONE
    (tmp_path / "link").symlink_to(repo / "sub" / ".env")
    assert exposure(tmp_path / "link") is Exposure.NOT_IGNORED


@pytest.mark.parametrize("index", [b"", b"JUNK" + bytes(20), b"DIRC\0\0\0\2\0\0\0\5short", b"DIRC\0\0\0\7\0\0\0\0"])
def test_a_repository_that_cannot_be_read_is_unknown(tmp_path, index):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index").write_bytes(index)
    assert exposure(tmp_path / ".env") is Exposure.UNKNOWN


def test_a_git_that_is_missing_or_hangs_is_done_without(repo, monkeypatch):
    (repo / ".gitignore").write_text(".env\n")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert exposure(repo / ".env") is Exposure.NONE

    def hang(*args, **kwargs):
        raise subprocess.TimeoutExpired("git", kwargs["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    assert exposure(repo / ".env") is Exposure.NONE


def test_git_variables_of_the_environment_do_not_mislead(repo, monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert exposure(repo / ".env") is Exposure.NOT_IGNORED
