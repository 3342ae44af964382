"""What people see of the demo: lines, a live picture, a scoreboard that fits a terminal."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from rotator.core.credential import Credential, Policy, State, TargetRef
from rotator.core.protocol.view import blank
from rotator.core.status import OpenRotation, credential_status
from rotator.demo.picture import Picture, board
from rotator.demo.play import end_of
from rotator.demo.scoreboard import Score
from rotator.demo.stage import ROLES

GOOD = Score(
    rotations=6,
    kills=4,
    consumer_reads=812,
    dead_reads=0,
    roll_dead_seconds=0.4,
    lost_values=0,
    abandoned_attempts=1,
    orphans=0,
    seconds=41.2,
    folder=None,
)
ROLE = ROLES[0]
CONSUMER = SimpleNamespace(role=ROLE, reads=12, dead=0)


def status(generation=0, **more):
    credential = Credential(
        id="c",
        name=ROLE.credential,
        connection="account",
        owner="account",
        policy=Policy(),
        targets=(TargetRef(name="env", type="env_file", place="p"),),
    )
    return replace(credential_status(credential, blank(), 0.0, {}), generation=generation, **more)


@pytest.mark.parametrize("wrong", ["lost_values", "dead_reads", "orphans"])
def test_anything_lost_dead_or_left_is_said_loudly(wrong):
    found = replace(GOOD, **{wrong: 1})

    assert GOOD.clean
    assert not found.clean
    assert "SOMETHING WAS LOST OR DEAD" in board(found)
    assert "nothing was lost" in board(GOOD)


def test_the_scoreboard_fits_a_terminal_and_says_where_everything_is_kept():
    lines = board(replace(GOOD, folder="/tmp/rotator-demo-x")).splitlines()

    assert max(map(len, lines)) <= 80
    assert lines[-1].endswith("/tmp/rotator-demo-x")


def test_the_document_has_the_names_that_it_promises():
    assert list(GOOD.document()) == [
        *("rotations", "kills", "consumer_reads", "dead_reads", "roll_dead_seconds", "lost_values"),
        *("abandoned_attempts", "orphans", "seconds", "folder"),
    ]


def test_without_a_terminal_each_publication_is_one_plain_line(capsys):
    picture = Picture(live=False)
    for generation in (0, 1, 1, 2):
        picture.show([status(generation)], [CONSUMER], 0, 0.0)
    picture.close()

    said = capsys.readouterr()
    assert said.out == ""
    assert [line.split(" s  ")[1] for line in said.err.splitlines()] == [
        "workers-deploy: generation 1 published",
        "workers-deploy: generation 2 published",
    ]


def test_on_a_terminal_it_draws_every_credential_with_what_its_consumer_saw(capsys):
    rotation = OpenRotation(
        id="r", step="captured", strategy="recreate", started=0.0, attempt=1, waiting_until=None, reason=""
    )
    picture = Picture(live=True)
    picture.show([status(3, rotation=rotation, state=State.ROTATING, expires_on=20.0)], [CONSUMER], 2, 0.0)
    picture.say("coming to rest")
    picture.close()

    drawn = capsys.readouterr().err
    for word in ("workers-deploy", "captured", "20 s", "12", "2 kills"):
        assert word in drawn


@pytest.mark.parametrize(
    ("rotations", "seconds", "words"),
    [
        (2, None, "ends after every credential has rotated twice; Ctrl-C ends it earlier"),
        (5, 60.0, "ends after every credential has rotated 5 times or after 60 s; Ctrl-C ends it earlier"),
        (None, None, "goes on until Ctrl-C, which ends it"),
    ],
)
def test_when_it_ends_is_said_at_once(rotations, seconds, words):
    assert end_of(rotations, seconds) == words
