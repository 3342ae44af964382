"""What we write is read alike by real programs: python-dotenv, Node, and two shells."""

import io
import json
import shutil
import subprocess

import dotenv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.targets.env_file.document import Document, DocumentError
from tests.servers.require import require

BASES = [
    b"",
    b"A=1\nTOKEN=old\nB=2\n",
    b"export A=1\r\nexport TOKEN='old' # why\r\n",
    b'\nJSON="{\nTOKEN=no\n}"\nTOKEN="old"\n\nTOKEN=older\n# TOKEN=never\n',
    b"A=1",
    b"A='multi\nline'\nTOKEN=\nB=x # y\n",
    b"A=1\nTOKEN= # paste it here\n",
    b"TOKEN = old\n",
    b"TOKEN='' ; export TOKEN\n",
    b"P='C:'\nQ=x\\\n",
    b"TOKEN: changeme\n",
    b"A=1\nTOKEN:\nB=2\n",
]
VALUES = [
    "cfut_abcdefghijklmnopqrstuvwxyz0123456789-_AB",
    "a/b:c@d%e+f=g,h.i",
    "=",
    "two words",
    " around ",
    "hash # no comment",
    'say "hi"',
    "`tick`",
    "{json: [1]}",
    "é ünï",
    "a;b&c|d<e>(f)",
    "!history",
    "*",
    "~/x",
]


def cases():
    return [(base, value, Document(base).set({"TOKEN": value})) for base in BASES for value in VALUES]


def test_python_dotenv_reads_what_was_written():
    for base, value, content in cases():
        for interpolate in (True, False):
            read = dotenv.dotenv_values(stream=io.StringIO(content.decode(), newline=""), interpolate=interpolate)
            assert read["TOKEN"] == value, (base, value)


def test_node_reads_what_was_written():
    node = shutil.which("node") or require("node", "install Node 20 or newer")
    program = (
        "const u=require('util');let s='';process.stdin.on('data',d=>s+=d).on('end',()=>console.log(JSON.stringify("
    )
    program += "JSON.parse(s).map(t=>u.parseEnv(t).TOKEN))))"
    wanted = [(value, content.decode()) for _, value, content in cases()]
    answer = subprocess.run(
        [node, "-e", program],
        input=json.dumps([content for _, content in wanted]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout) == [value for value, _ in wanted]


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_shell_reads_what_was_written(shell, tmp_path):
    found = shutil.which(shell) or require(shell, f"install {shell}")
    wanted, script = [], []
    for number, (base, value, content) in enumerate(cases()):
        if b"\r" in base:  # no shell reads Windows line ends; that file has other readers
            continue
        (tmp_path / str(number)).write_bytes(content)
        script.append(f"(set -a; . {tmp_path / str(number)}; printf '%s\\0' \"$TOKEN\")")
        wanted.append(value)
    answer = subprocess.run([found, "-c", "\n".join(script)], capture_output=True, check=True)
    assert answer.stdout.decode().split("\0")[:-1] == wanted


key = st.sampled_from(["A", "B", "TOKEN"])
text = st.sampled_from(
    [
        "x",
        "x y",
        "'x'",
        '"x"',
        "'x\ny'",
        '"x\nTOKEN=1\ny"',
        "x # c",
        "'x' # c",
        "",
        "x#y",
        "'it",
        '"x\\"y"',
        "'x' y",
        "x\\",
    ]
)
line = st.one_of(
    st.builds("{}{}{}{}".format, st.sampled_from(["", "export "]), key, st.sampled_from(["=", " = "]), text),
    st.sampled_from(["", "# TOKEN=1", "  # it's", "word"]),
)


@settings(max_examples=300)
@given(st.lists(line, max_size=8).map("\n".join), st.sampled_from(VALUES))
def test_python_dotenv_sees_the_new_value_and_every_other_value_unchanged(content, value):
    try:
        after = Document(content.encode()).set({"TOKEN": value}).decode()
    except DocumentError:
        return
    old, new = (dotenv.dotenv_values(stream=io.StringIO(one), interpolate=False) for one in (content, after))
    assert new.pop("TOKEN") == value
    old.pop("TOKEN", None)
    assert new == old
