"""An export that is killed over and over leaves no gap; `make test-kills` does the same a thousand times."""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_an_export_that_is_killed_over_and_over_leaves_no_gap():
    command = [sys.executable, "-m", "tests.crash.export_kills", "20", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["kills"], found["gaps"], found["invented"], found["unsigned"], found["problems"]) == (20, 0, 0, 0, [])
    assert found["facts"] > 0
