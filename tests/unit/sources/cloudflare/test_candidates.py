"""Which value authenticates: the first candidate that lives, asked for anew after the first refusal."""

import pytest

from rotator.core.errors import ConfigError, Unavailable
from rotator.core.secret import Secret
from rotator.sources.cloudflare.candidates import BELIEVED, Candidates

FILE, JOURNAL, STANDBY = Secret("file"), Secret("journal"), Secret("standby")


class Login:
    """Three places, a provider, and a clock that is set by hand."""

    def __init__(self, *others):
        self.now, self.asked = 0.0, []
        self.places = {"file": FILE, "journal": JOURNAL, "standby": STANDBY}
        self.alive = {FILE.reveal(), JOURNAL.reveal(), STANDBY.reveal()}
        self.silent = False
        names = others if others else ("journal", "standby")
        reads = [lambda name=name: self.read(name) for name in names if name]
        self.candidates = Candidates(lambda: self.read("file"), reads, self.lives, lambda: self.now)

    def read(self, name):
        found = self.places[name]
        if found == "gone":
            raise ConfigError("it is not there", "make it")
        return found

    def lives(self, value):
        if self.silent:
            raise Unavailable("no answer")
        self.asked.append(value.reveal())
        return value.reveal() in self.alive


def test_the_value_of_the_file_counts_and_nobody_is_asked():
    login = Login()

    assert login.candidates.value() == FILE
    assert login.asked == []


def test_after_a_refusal_every_candidate_is_read_and_asked_for_before_anything_else():
    login = Login()
    login.alive.discard("file")
    login.candidates.doubt(FILE)

    assert login.candidates.value() == JOURNAL
    assert login.asked == ["file", "journal"]
    assert login.candidates.value() == JOURNAL
    assert login.asked == ["file", "journal"]


def test_a_value_that_lives_after_all_stays():
    login = Login()
    login.candidates.doubt(FILE)
    assert login.candidates.value() == FILE

    login.candidates.doubt(FILE)
    assert login.candidates.value() == FILE
    assert login.asked == ["file"]
    login.now += BELIEVED
    login.candidates.doubt(FILE)
    login.candidates.value()
    assert login.asked == ["file", "file"]


def test_what_is_put_into_the_file_counts_at_once():
    login = Login()
    login.alive.discard("file")
    login.candidates.doubt(FILE)
    login.candidates.value()
    login.places["file"] = Secret("pasted")

    assert login.candidates.value() == Secret("pasted")


def test_the_standby_takes_the_place_of_a_file_that_is_gone_and_of_a_journal_without_a_value():
    login = Login()
    login.places |= {"file": "gone", "journal": None}

    assert login.candidates.value() == STANDBY


def test_where_nothing_can_be_read_the_first_one_says_why():
    login = Login()
    login.places = dict.fromkeys(login.places, "gone")

    with pytest.raises(ConfigError, match="not there"):
        login.candidates.value()


def test_where_nothing_lives_the_file_counts_and_the_provider_is_not_asked_again_at_once():
    login = Login()
    login.alive.clear()
    login.candidates.doubt(FILE)
    assert login.candidates.value() == FILE
    assert login.asked == ["file", "journal", "standby"]

    login.candidates.doubt(FILE)
    login.candidates.value()
    assert len(login.asked) == 3
    login.now += BELIEVED
    login.candidates.doubt(FILE)
    login.candidates.value()
    assert len(login.asked) == 6


def test_a_silent_provider_decides_nothing():
    login = Login()
    login.silent = True
    login.candidates.doubt(FILE)
    assert login.candidates.value() == FILE

    login.silent = False
    login.alive.discard("file")
    assert login.candidates.value() == JOURNAL


def test_what_somebody_else_was_told_of_a_value_counts():
    login = Login()
    login.candidates.note(FILE, False)
    assert login.candidates.value() == JOURNAL

    login.candidates.note(FILE, True)
    assert login.candidates.value() == FILE


def test_a_login_with_one_value_doubts_nothing():
    login = Login("")
    login.candidates.doubt(FILE)
    login.candidates.note(FILE, False)

    assert login.candidates.value() == FILE
    assert login.asked == []
