"""Mounts, in a namespace of their own: a single file, a read-only folder, a full disk. Needs root."""

import shutil
import subprocess
import sys

import pytest

from tests.servers.require import MOUNTS, require

WRITE = """
import sys
from pathlib import Path
from rotator.core.errors import RotatorError
from rotator.targets.env_file.document import Document
from rotator.targets.env_file import access
from rotator.targets.env_file.access import read
from rotator.targets.env_file.writer import Writer
class Edit:
    def __init__(self, value):
        self.value = value
    def agrees(self, content):
        return True
    def apply(self, content):
        return Document(content).set({"TOKEN": self.value})
def probe(path):
    return access.probe(path, Edit("new").apply)
def write(value):
    try:
        print(Writer(Path(sys.argv[2])).replace(Path(sys.argv[1]), Edit(value), lambda: None))
    except RotatorError as error:
        print(type(error).__name__, getattr(error, "code", ""))
"""


@pytest.fixture
def inside(env, root):
    """Run a shell script in a new mount namespace, then Python lines with `write` at hand; the lines printed."""
    if shutil.which("unshare") is None:
        require("unshare", "install util-linux")
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode != 0:
        require(*MOUNTS)

    def run(script, *lines):
        program = WRITE + "\n".join(lines)
        answer = subprocess.run(
            [
                *("unshare", "--mount", "--propagation", "private", "sh", "-ec", f'{script}\nexec "$@"', "sh"),
                *(sys.executable, "-c", program, str(env.path), str(env.locks)),
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return answer.stdout.split("\n")[:-1]

    return run


def test_a_mount_of_a_single_file_is_written_in_place(env, inside, tmp_path):
    real = tmp_path / "host.env"
    real.write_bytes(b"TOKEN=old\nA=1\n")
    env.path.touch()
    assert inside(
        f"mount --bind {real} {env.path}", 'write("new-and-longer")', 'write("s")', "probe(Path(sys.argv[1]))"
    ) == [
        "in_place",
        "in_place",
    ]
    assert real.read_bytes() == b"TOKEN=s\nA=1\n"
    assert env.names == [".env"]


def test_a_mount_of_a_file_that_its_host_has_replaced_is_refused(env, inside, tmp_path):
    real = tmp_path / "host.env"
    real.write_bytes(b"TOKEN=old\n")
    env.path.touch()
    replace = f"new = Path({str(tmp_path / 'saved')!r})\nnew.write_bytes(b'TOKEN=host\\n')\nnew.rename({str(real)!r})"
    asked = "try:\n    read(Path(sys.argv[1]))\nexcept RotatorError as error:\n    print(error.code)"
    assert inside(f"mount --bind {real} {env.path}", replace, 'write("new")', asked) == ["Refused detached", "detached"]
    assert real.read_bytes() == b"TOKEN=host\n"


def test_a_folder_that_is_mounted_whole_is_exchanged(env, inside, tmp_path):
    host = tmp_path / "host"
    host.mkdir()
    (host / ".env").write_bytes(b"TOKEN=old\n")
    assert inside(f"mount --bind {host} {env.folder}", 'write("new")') == ["exchanged"]
    assert (host / ".env").read_bytes() == b"TOKEN=new\n"


def test_a_writable_file_in_a_read_only_folder_is_written_in_place(env, inside, tmp_path):
    real = tmp_path / "host.env"
    real.write_bytes(b"TOKEN=old\n")
    env.path.touch()
    script = (
        f"mount --bind {env.folder} {env.folder}; mount --bind {real} {env.path}; mount -o remount,bind,ro {env.folder}"
    )
    assert inside(script, 'write("new")') == ["in_place"]
    assert real.read_bytes() == b"TOKEN=new\n"


def test_a_read_only_file_system_is_refused(env, inside):
    env.save(b"TOKEN=old\n")
    script = f"mount --bind {env.folder} {env.folder}; mount -o remount,bind,ro {env.folder}"
    asked = "try:\n    probe(Path(sys.argv[1]))\nexcept RotatorError as error:\n    print(error.code)"
    assert inside(script, 'write("new")', asked) == ["Refused read_only", "read_only"]
    assert env.content == b"TOKEN=old\n"


def test_a_full_disk_leaves_the_old_file_whole_and_alone(env, inside):
    script = (
        f"mount -t tmpfs -o size=16k tmpfs {env.folder}\n"
        f"printf 'TOKEN=old\\n' > {env.path}\n"
        f"dd if=/dev/zero of={env.folder}/filler bs=4k 2>/dev/null || true"
    )
    look = "import os\nprint(sorted(os.listdir(Path(sys.argv[1]).parent)), Path(sys.argv[1]).read_bytes())"
    assert inside(script, 'write("new")', look) == ["Unavailable ", "['.env', 'filler'] b'TOKEN=old\\n'"]


def test_a_full_disk_leaves_a_file_with_two_names_whole(env, inside):
    script = (
        f"mount -t tmpfs -o size=16k tmpfs {env.folder}\n"
        f"head -c 4086 /dev/zero | tr '\\0' '#' > {env.path}; printf '\\nTOKEN=o\\n' >> {env.path}\n"
        f"ln {env.path} {env.folder}/twin\n"
        f"dd if=/dev/zero of={env.folder}/filler bs=4k 2>/dev/null || true"
    )
    look = "print(Path(sys.argv[1]).read_bytes()[-10:])"
    assert inside(script, 'write("a-value-that-needs-another-page")', look) == ["Unavailable ", "b'#\\nTOKEN=o\\n'"]


def test_the_preflight_foresees_that_a_mount_of_a_single_file_is_written_in_place(env, inside, tmp_path):
    real = tmp_path / "host.env"
    real.write_bytes(b"TOKEN=old\n")
    env.path.touch()
    assert inside(f"mount --bind {real} {env.path}", "print(probe(Path(sys.argv[1])).code)") == ["mount"]


def test_a_read_only_mount_is_the_cause_that_root_is_told_too(env, inside):
    env.save(b"TOKEN=old\n")
    script = f"mount --bind {env.folder} {env.folder}; mount -o remount,bind,ro {env.folder}"
    asked = "try:\n    probe(Path(sys.argv[1]))\nexcept RotatorError as error:\n    print(error.message, error.remedy)"
    (said,) = inside(script, asked)
    assert "mounted read-only" in said
    assert "user" not in said


def test_the_preflight_finds_a_disk_without_room_for_the_new_content(env, inside):
    script = (
        f"mount -t tmpfs -o size=16k tmpfs {env.folder}\n"
        f"printf 'TOKEN=old\\n' > {env.path}\n"
        f"dd if=/dev/zero of={env.folder}/filler bs=4k 2>/dev/null || true"
    )
    asked = "try:\n    probe(Path(sys.argv[1]))\nexcept RotatorError as error:\n    print(type(error).__name__, error)"
    (said,) = inside(script, asked)
    assert said.startswith("Unavailable")
    assert "no space" in said


def test_the_preflight_finds_a_file_system_without_inodes(env, inside):
    script = (
        f"mount -t tmpfs -o nr_inodes=3 tmpfs {env.folder}\n"
        f"printf 'TOKEN=old\\n' > {env.path}\ntouch {env.folder}/filler"
    )
    asked = "try:\n    probe(Path(sys.argv[1]))\nexcept RotatorError as error:\n    print(error.remedy)"
    (said,) = inside(script, asked)
    assert "df -i" in said
