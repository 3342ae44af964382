"""What a process leaves on a disk when it dies: never its memory."""

import subprocess
import sys

import pytest

LIMIT = """
import atexit, os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096))
atexit.register(lambda: os.write(2, f"limit {resource.getrlimit(resource.RLIMIT_CORE)}".encode()))
from rotator.cli.main import main
sys.argv = ["rotator", *sys.argv[1:]]
main()
"""


def limit(*arguments):
    done = subprocess.run([sys.executable, "-c", LIMIT, *arguments], capture_output=True, text=True, check=False)
    return done.stderr.partition("limit ")[2]


@pytest.mark.parametrize("verb", ["run", "rotate"])
def test_no_verb_may_dump_core(verb, tmp_path):
    assert limit("-c", str(tmp_path / "absent.yaml"), verb) == "(0, 4096)"


def test_what_exec_starts_may(tmp_path):
    assert limit("-c", str(tmp_path / "absent.yaml"), "exec", "a", "--", "true") == "(4096, 4096)"
