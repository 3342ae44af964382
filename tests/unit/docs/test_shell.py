"""Man page and completions are those of the program, and the package brings them."""

import re
import tomllib
from pathlib import Path

import pytest

from docs.pages.commands import verbs
from docs.pages.shell import shell

ROOT = Path(__file__).parents[3]
MADE = shell()


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_file_for_the_shell_is_the_generated_one(name):
    assert (ROOT / "rotator/cli/shell" / name).read_text() == MADE[name], "run `make docs`"


def test_every_file_for_the_shell_is_generated_and_installed():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    files = {path.name for path in (ROOT / "rotator/cli/shell").iterdir()}

    assert files == set(MADE)
    assert {Path(source).name for source in wheel["shared-data"]} == files


def test_the_man_page_has_every_verb_and_every_option_of_it():
    import typer

    from rotator.cli.main import app

    sections = dict(re.findall(r"^\.SS (.*)\n((?:(?!\.S[SH] ).*\n)*)", MADE["rotator.1"], re.MULTILINE))
    for words, command in verbs(typer.main.get_command(app)):
        section = sections[" ".join(words).replace("-", r"\-")]
        options = [name for param in command.params if param.param_type_name == "option" for name in param.opts]
        hidden = {name for p in command.params if getattr(p, "hidden", False) for name in p.opts}
        missing = [o for o in options if o not in hidden and o.replace("-", r"\-") not in section]
        assert missing == [], f"{' '.join(words)} lacks {missing}"


def test_no_line_of_prose_in_the_man_page_is_taken_for_a_command():
    known = {"TH", "SH", "SS", "PP", "TP", "B", "I", "br", "nf", "fi", '\\"'}
    commands = {line[1:].split(" ")[0] for line in MADE["rotator.1"].splitlines() if line.startswith((".", "'"))}
    assert commands <= known
    assert MADE["rotator.1"].isascii()
