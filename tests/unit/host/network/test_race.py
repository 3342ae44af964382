"""TCP to whichever address answers: dead ones cost a quarter of a second each, never the connection."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rotator.host.network import race
from rotator.host.network.dial import Network
from rotator.host.network.errors import Cause, NotConnected

SIX, FOUR = socket.AF_INET6, socket.AF_INET


@contextmanager
def listening() -> Iterator[race.Address]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield FOUR, listener.getsockname()


@contextmanager
def silent() -> Iterator[race.Address]:
    """An address that swallows what is sent to it: a listener whose queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
            yield FOUR, listener.getsockname()
        finally:
            for one in waiting:
                one.close()


def refusing() -> race.Address:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return FOUR, listener.getsockname()


def test_families_take_turns_beginning_with_the_one_that_the_system_prefers() -> None:
    found = race.in_turns([(SIX, "a"), (SIX, "b"), (SIX, "c"), (FOUR, "d"), (FOUR, "e")])
    assert [name for _, name in found] == ["a", "d", "b", "e", "c"]


def test_three_silent_addresses_and_a_living_one_make_a_connection() -> None:
    with silent() as one, silent() as two, silent() as three, listening() as living:
        made, address = race.connect([one, two, three, living], timeout=20)
        made.close()
    assert address == living


def test_an_address_that_refuses_makes_room_for_the_next_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "STAGGER", 1000.0)
    with listening() as living:
        made, address = race.connect([refusing(), refusing(), living], timeout=20)
        made.close()
    assert address == living


def test_a_family_that_this_host_does_not_have_makes_room_for_the_next() -> None:
    with listening() as living:
        made, _ = race.connect([(SIX, ("2001:db8::1", 443, 0, 0)), living], timeout=20)
        made.close()


def test_where_all_refuse_the_system_says_why() -> None:
    with pytest.raises(race.NoAnswer, match="connection refused") as caught:
        race.connect([refusing(), refusing()], timeout=20)
    assert not caught.value.silent


def test_the_time_is_for_all_addresses_together() -> None:
    with silent() as one, silent() as two, pytest.raises(race.NoAnswer, match="any of 2 addresses") as caught:
        race.connect([one, two], timeout=0.4)
    assert caught.value.silent


def test_what_answered_last_is_tried_first() -> None:
    asked: list[list[race.Address]] = []
    real = race.connect

    def noted(addresses: list[race.Address], timeout: float) -> tuple[socket.socket, race.Address]:
        asked.append(list(addresses))
        return real(addresses, timeout)

    dead = refusing()
    with listening() as living, pytest.MonkeyPatch.context() as patch:
        patch.setattr(race, "connect", noted)
        network = Network(resolve=lambda host, port: [dead, living])
        for _ in range(2):
            network.dial("service.test", 443, tls=False, timeout=20).close()
    assert [first for first, *_ in asked] == [dead, living]


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 70 + ".test", "..", "x\x00y"])
def test_a_name_without_an_address_says_so(host: str) -> None:
    with pytest.raises(NotConnected, match="does not resolve") as caught:
        Network().dial(host, 443, tls=False, timeout=20)
    assert (caught.value.cause, "`proxy`" in caught.value.remedy) == (Cause.NAME, True)
