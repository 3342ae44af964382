"""What is not ours in a file stays as it is, byte for byte, however often we or others write beside it."""

import re
import subprocess
import sys

import pytest

from rotator.app import App
from rotator.app.once import once
from tests.installation import ROTATION, Installation, credential, eventually
from tests.prepared import RENEWAL

ROTATIONS = 100
SAVES = 10_000

THEIRS = (
    b"\xef\xbb\xbf# made on another machine, long ago\r\n"
    b'export PATH_TO="C:\\Users\\me" # quoted\r\n'
    b"EMPTY=\r\n"
    b"\r\n\t INDENTED = 'single # not a comment'\n"
    b'MULTI="first line\n  CLOUDFLARE_API_TOKEN=not this one, it is text\nlast line"\n'
    b"LATIN1=caf\xe9\n"
    b"MY_CLOUDFLARE_API_TOKEN=mine\n"
    b"CLOUDFLARE_API_TOKEN_OLD=theirs\n"
    b"UNICODE=\xe2\x98\x83\xf0\x9f\x94\x91\n"
    b"no assignment at all\n"
    b"LAST_WITHOUT_NEWLINE=1"
)
OURS = re.compile(rb"^(CLOUDFLARE_API_TOKEN|CLOUDFLARE_ACCOUNT_ID|SECOND)=[^\r\n]*\r?\n?", re.MULTILINE)


def without_ours(content: bytes) -> bytes:
    """The content without our lines, and without the line break that a last line needed before ours could follow."""
    head, multi, tail = content.partition(b'last line"\n')
    kept = head + multi + OURS.sub(b"", tail)
    return kept[: len(THEIRS)] if kept[len(THEIRS) :].strip(b"\r\n") == b"" else kept


def test_a_hundred_rotations_of_two_credentials_keep_every_byte_of_others(tmp_path):
    first = credential("deploy", rotation=ROTATION)
    keys = {"SECOND": "token.value"}
    second = credential("dns", targets=[{"type": "env_file", "name": "env", "path": "app/.env", "keys": keys}])
    with Installation(tmp_path, first, second) as place:
        file = tmp_path / "app" / ".env"
        file.write_bytes(THEIRS)
        file.chmod(0o640)
        sizes = set()
        values = set()
        with App.open(place.config, "writer") as app:
            for _ in range(ROTATIONS // 2 + 1):
                assert once(app, 0) == 0
                content = file.read_bytes()
                sizes.add(len(content))
                values |= {place.value(), place.value(key="SECOND")}
                assert without_ours(content) == THEIRS
                place.advance(RENEWAL)
        assert len(values) == ROTATIONS + 2
        assert all(place.accepts(value) for value in (place.value(), place.value(key="SECOND")))
        assert len(sizes) == 1  # nothing grows, not even by a blank line
        assert file.stat().st_mode & 0o777 == 0o640
        assert sorted(path.name for path in file.parent.iterdir()) == [".env"]


EDITOR = """
import os, re, sys, time
path, saves = sys.argv[1], int(sys.argv[2])
for number in range(1, saves + 1):
    with open(path, "rb") as file:
        content = file.read()
    if content.count(b"COUNT=%d\\n" % (number - 1)) != 1:
        sys.exit("save %d was lost" % (number - 1))
    with open(path + "~", "wb") as file:
        file.write(re.sub(rb"(?m)^COUNT=[0-9]+$", b"COUNT=%d" % number, content))
    os.replace(path + "~", path)
    time.sleep(0.002)
"""
"""Reads, looks whether its last save is still there, changes one line, and saves as editors do: a new file, renamed."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_editor_that_saves_ten_thousand_times_during_rotations_loses_nothing(tmp_path):
    with Installation(tmp_path) as place:
        file = tmp_path / "app" / ".env"
        file.write_text("COUNT=0\nOTHER=theirs\n")
        daemon = place.daemon()
        eventually(lambda: place.accepts(place.value()))
        editor = subprocess.Popen([sys.executable, "-c", EDITOR, str(file), str(SAVES)])
        values = {place.value()}
        while editor.poll() is None:
            place.advance(RENEWAL)
            before = place.value()
            eventually(lambda before=before: place.value() != before or editor.poll() is not None, 60)
            values.add(place.value())
        assert editor.wait() == 0  # else it says on standard error which save was lost
        eventually(lambda: place.accepts(place.value()))  # its last save may have brought back the value that it read
        assert place.end(daemon) == 0
        assert f"COUNT={SAVES}\nOTHER=theirs\n" in file.read_text()
        print(f"{SAVES} saves during {len(values) - 1} rotations: none lost")
        assert len(values) > 5
        assert sorted(path.name for path in file.parent.iterdir()) == [".env"]
