"""What the tests of markers share."""

from rotator.core.errors import Refused
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Result, Sight
from rotator.engine.stands import stand
from rotator.testing.simulation.timings import GRACE
from tests.unit.engine.bench import Bench, Sink

K, R, S = Kind, Result, Sight


def blind(*errors, **more):
    """A credential whose target `env` is write-only; nothing was published yet."""
    bench = Bench(**more)
    bench.fleet.targets["env"] = Sink(bench, errors=list(errors))
    return bench, bench.fleet.targets["env"]


def published():
    bench, sink = blind()
    bench.settle()
    assert bench.view.current
    return bench, sink


def stands(bench):
    return stand(bench.work(), "env").result


def asked(bench):
    """An operator asked for a rotation, and it went through."""
    bench.tell(K.REQUEST, detail={"request_id": f"q{bench.now}"})
    old = bench.view.current
    while bench.view.current == old:
        bench.run()
        bench.later(5)
    return old


def restored_and_away():
    """A restored journal, a write-only target that refuses writes, and a token that is newer than the restore."""
    bench, sink = blind(optional=("env",))
    bench.settle()
    sink.save("published after the backup")
    bench.later(10)
    bench.tell(K.AHEAD)
    bench.later(10)
    sink.errors = [Refused("writing env: not now")] * 100
    old = asked(bench)
    bench.later(GRACE + 1)
    return bench, sink, old
