"""Each file of `broken/` has one mistake; `everything_at_once` and `clashes_of_broken_stanzas` have several.

`expected.txt` holds what is said to each.

After a wanted change of a text: `python -m tests.unit.config.test_broken`, and read the difference.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rotator.config.explain import ConfigErrors
from rotator.config.load import load
from tests.unit.config.fake_kinds import KINDS

FOLDER = Path(__file__).parent / "broken"
FILES = sorted(FOLDER.glob("*.yaml"))
GOLDEN = FOLDER / "expected.txt"
MESSAGE = re.compile(r".+\.yaml:\d+:\d+: [^;]+; expected [^;]+; [^;]+\Z")


def messages(path: Path) -> tuple[str, ...]:
    try:
        load(path, KINDS, {"HOME": "/home/app"}, uid=1000)
    except ConfigErrors as errors:
        return tuple(message.replace(f"{FOLDER}/", "") for message in errors.messages)
    return (f"{path.name} is accepted",)


def golden() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in GOLDEN.read_text().splitlines():
        found.setdefault(line.split(":", 1)[0], []).append(line)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_broken_file_gets_the_messages_of_the_golden_file(path: Path) -> None:
    assert list(messages(path)) == golden()[path.name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_message_says_what_is_wrong_what_is_expected_and_what_to_write_instead(path: Path) -> None:
    assert [message for message in messages(path) if not MESSAGE.match(message)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_message_repeats_a_secret_that_stands_in_the_wrong_place(path: Path) -> None:
    assert "canary" not in "".join(messages(path))
    assert "c2VjcmV0" not in "".join(messages(path))


def test_the_golden_file_names_no_file_that_is_gone() -> None:
    assert set(golden()) == {path.name for path in FILES}


if __name__ == "__main__":
    GOLDEN.write_text("".join(f"{message}\n" for path in FILES for message in messages(path)))
