"""How a living token compares with what was asked for: how often that is looked at."""

from dataclasses import replace

import pytest

from rotator.core.credential import Can
from rotator.core.protocol.rules import Sight
from rotator.testing.simulation.world import TUNING
from tests.unit.engine.bench import published

WITHOUT_LIST = Can(list=False)


def test_a_source_without_a_list_is_asked_seldom_and_every_look_counts_from_now():
    bench = published()
    bench.world.scenario = replace(bench.world.scenario, can=WITHOUT_LIST)
    bench.look(Sight.DRIFT, bench.view.current)
    bench.later(TUNING.watch + 1)
    bench.fails("get", AssertionError("it was asked again"))

    assert bench.seen(Sight.DRIFT, bench.view.current).at == bench.world.hub.now


def test_it_is_asked_again_after_some_watches():
    bench = published()
    bench.world.scenario = replace(bench.world.scenario, can=WITHOUT_LIST)
    bench.look(Sight.DRIFT, bench.view.current)
    bench.later(12 * TUNING.watch + 1)
    bench.fails("get", AssertionError("it was asked again"))

    with pytest.raises(AssertionError, match="asked again"):
        bench.look(Sight.DRIFT, bench.view.current)


def test_a_list_that_took_longer_than_a_watch_is_not_made_again_at_once():
    bench = published()
    bench.fleet.listed = lambda credential: 3 * TUNING.watch

    assert bench.world.hub.now - bench.seen(Sight.DRIFT, bench.view.current).at < TUNING.watch


def test_a_look_counts_from_when_the_list_was_made():
    bench = published()
    bench.fleet.listed = lambda credential: 60.0

    assert bench.world.hub.now - bench.seen(Sight.DRIFT, bench.view.current).at == 60.0
