"""One look is shared by all who ask, for a moment."""

import asyncio
import threading

import pytest

from rotator.web.page.looks import FRESH, USABLE, Looks, look_at
from tests.unit.cli.documents import NOW, credential, status
from tests.unit.web.page.boards import FakeBoard


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_look_that_is_a_moment_old_is_good(clock):
    board = FakeBoard(status(credential()))

    async def twice():
        looks = Looks(board.status, clock=clock)
        await looks.last()
        clock.now += FRESH / 2
        return await looks.last()

    asyncio.run(twice())
    assert board.looked == 1


def test_an_older_one_is_shown_at_once_while_the_next_is_under_way(clock):
    board, hold = FakeBoard(status(credential())), threading.Event()

    async def during():
        looks = Looks(lambda: (board.looked and hold.wait(30), board.status())[1], clock=clock)
        first = await looks.last()
        clock.now += USABLE / 2
        shown = await looks.last()
        hold.set()
        return first, shown, await looks.last(anew=True)

    first, shown, after = asyncio.run(during())
    assert shown is first
    assert after is not first


def test_one_that_is_too_old_is_not_shown(clock):
    board = FakeBoard(status(credential()))

    async def later():
        looks = Looks(board.status, clock=clock)
        first = await looks.last()
        clock.now += USABLE + 1
        return first, await looks.last()

    first, second = asyncio.run(later())
    assert second is not first


def test_an_error_is_everybodys_who_asked_and_nobodys_afterwards(clock):
    board = FakeBoard(status(credential()))
    board.error = RuntimeError("no")

    async def twice():
        looks = Looks(board.status, clock=clock)
        with pytest.raises(RuntimeError):
            await looks.last()
        board.error = None
        return await looks.last()

    assert asyncio.run(twice()).of("workers-deploy")


def test_the_digest_knows_a_change_and_does_not_mind_the_time():
    at = {"time": NOW}
    later = status(credential()) | {"time": "2026-11-22T10:00:05Z"}
    assert look_at(status(credential()) | at).digest == look_at(later).digest
    assert look_at(status(credential())).digest != look_at(status(credential(state="failing"))).digest


def test_a_look_that_took_long_is_good_for_longer(clock):
    board = FakeBoard(status(credential()))

    def slow():
        clock.now += 1.5
        return board.status()

    async def twice():
        looks = Looks(slow, clock=clock)
        await looks.last()
        clock.now += 3 * FRESH
        await looks.last()

    asyncio.run(twice())
    assert board.looked == 1


def test_of_a_small_fleet_the_new_look_is_shown(clock):
    board = FakeBoard(status(credential()))

    async def twice():
        looks = Looks(board.status, clock=clock)
        first = await looks.last()
        clock.now += 2 * FRESH
        return first, await looks.last()

    first, second = asyncio.run(twice())
    assert second is not first
