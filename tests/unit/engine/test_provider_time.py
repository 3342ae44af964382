"""Provider time: a jump freezes and ends no wait until it is confirmed across a settle time."""

import pytest

from rotator.engine.provider_time import LOCAL, ProviderTime

SETTLE = 60.0
UTC = 1_800_000_000.0


class Clocks:
    """Boot time and the wall clock, both moved by hand."""

    def __init__(self, *, trusted: bool = False) -> None:
        self.boot, self.utc = 500.0, UTC
        self.time = ProviderTime(lambda: self.boot, lambda: self.utc, SETTLE, trusted=trusted)

    def later(self, seconds: float) -> None:
        self.boot += seconds
        self.utc += seconds


@pytest.fixture
def clocks():
    found = Clocks()
    found.time.observe(UTC)
    return found


def test_before_the_first_answer_the_local_clock_is_the_best_guess_and_nothing_starts():
    clocks = Clocks()

    assert clocks.time.now() == UTC
    assert not clocks.time.steady


def test_after_the_first_answer_provider_time_goes_on_by_boot_time(clocks):
    clocks.later(10)
    clocks.utc -= 9999  # somebody sets the wall clock

    assert clocks.time.now() == UTC + 10
    assert clocks.time.steady


def test_whole_second_dates_are_no_jump_and_the_latest_is_the_nearest(clocks):
    for cut in (0.9, 0.1, 0.5):
        clocks.later(1)
        clocks.time.observe(UTC + (clocks.boot - 500) - cut)

    assert clocks.time.steady
    assert clocks.time.now() == UTC + 3


def test_a_date_that_is_a_little_ahead_moves_time_forward(clocks):
    clocks.time.observe(UTC + 4)

    assert clocks.time.now() == UTC + 4
    assert clocks.time.steady


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_jump_freezes_and_the_earlier_of_the_two_times_counts(clocks, jump):
    clocks.time.observe(UTC + jump)

    assert not clocks.time.steady
    assert clocks.time.now() == min(UTC, UTC + jump), "no wait ends by it"


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_what_is_written_in_an_unconfirmed_jump_bears_the_time_from_before_it(clocks, jump):
    clocks.time.observe(UTC + jump)
    clocks.later(10)

    assert clocks.time.believed() == UTC + 10


def test_before_the_first_answer_the_local_clock_is_written():
    assert Clocks().time.believed() == UTC


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_jump_is_believed_when_it_was_confirmed_across_a_settle_time(clocks, jump):
    clocks.time.observe(UTC + jump)
    clocks.later(SETTLE - 1)
    clocks.time.observe(UTC + jump + SETTLE - 1)
    assert not clocks.time.steady

    clocks.later(1)
    clocks.time.observe(UTC + jump + SETTLE)
    assert clocks.time.steady
    assert clocks.time.now() == UTC + jump + SETTLE


def test_a_jump_that_is_not_repeated_is_forgotten(clocks):
    clocks.time.observe(UTC + 3600)
    clocks.later(5)
    clocks.time.observe(UTC + 5)

    assert clocks.time.steady
    assert clocks.time.now() == UTC + 5


def test_another_jump_starts_the_confirmation_anew(clocks):
    clocks.time.observe(UTC + 3600)
    clocks.later(SETTLE)
    clocks.time.observe(UTC + 7200)
    clocks.later(SETTLE - 1)
    clocks.time.observe(UTC + 7200 + SETTLE - 1)

    assert not clocks.time.steady


@pytest.mark.parametrize(("off", "steady"), [(LOCAL, True), (LOCAL + 1, False), (-LOCAL - 1, False)])
def test_a_first_answer_that_contradicts_the_local_clock_is_confirmed_first(off, steady):
    clocks = Clocks()
    clocks.time.observe(UTC + off)

    assert clocks.time.steady is steady
    clocks.later(SETTLE)
    clocks.time.observe(UTC + off + SETTLE)
    assert clocks.time.steady
    assert clocks.time.now() == UTC + off + SETTLE


@pytest.mark.parametrize("off", [-3600.0, 7.0, 3600.0])
def test_how_far_the_local_clock_is_off_is_known_before_it_is_confirmed(off):
    clocks = Clocks()
    assert clocks.time.skew == 0

    clocks.time.observe(UTC + off)
    clocks.later(10)
    assert clocks.time.skew == off


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_provider_on_this_machine_is_believed_at_once(jump):
    clocks = Clocks(trusted=True)
    clocks.time.observe(UTC + 9999)
    clocks.time.observe(UTC + jump)

    assert clocks.time.steady
    assert clocks.time.now() == UTC + jump


def test_a_trusted_provider_never_goes_back_by_the_cut_of_a_second():
    clocks = Clocks(trusted=True)
    clocks.time.observe(UTC)
    clocks.later(0.9)
    clocks.time.observe(UTC)

    assert clocks.time.now() == UTC + 0.9
