"""What the system says when it has no room for one thread more, in its several spellings."""

import errno
import threading

import pytest

from rotator.host.threads import Exhausted, exhaustion, start_thread
from rotator.host.workers import Workers, run_side_by_side

THREADS = RuntimeError("can't start new thread")


@pytest.fixture
def few(monkeypatch):
    """Lets so many more threads start."""

    def allow(number):
        real, left = threading.Thread.start, [number]

        def start(self):
            if left[0] == 0:
                raise THREADS
            left[0] -= 1
            real(self)

        monkeypatch.setattr(threading.Thread, "start", start)

    return allow


@pytest.mark.parametrize(
    "error, said",
    [
        (THREADS, "no more threads"),
        (MemoryError(), "no more memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "no more memory"),
        (ImportError("libssl.so.3: failed to map segment from shared object"), "no more memory"),
        (ImportError("_rust.abi3.so: cannot allocate memory in static TLS block"), "no more memory"),
    ],
)
def test_a_limit_of_the_process_is_told_from_its_spelling(error, said):
    found = exhaustion(error)
    assert found is not None
    assert said in found.message
    assert found.remedy


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ImportError("no such module"), OSError(errno.ENOENT, "no")])
def test_anything_else_is_none(error):
    assert exhaustion(error) is None


def test_a_thread_that_may_not_start_is_said(few):
    few(0)
    with pytest.raises(Exhausted):
        start_thread(lambda: None, "web")


def test_a_pool_with_one_thread_does_the_work_of_many(few):
    few(1)
    pool, done = Workers(8), []
    for number in range(20):
        assert pool.submit(str(number), lambda number=number: done.append(number))
    assert pool.drain(30)
    assert done == list(range(20))


def test_a_pool_without_a_thread_takes_no_job_that_would_never_run(few):
    few(0)
    pool = Workers(8)
    with pytest.raises(Exhausted):
        pool.submit("a", lambda: None)
    assert pool.drain(0)


def test_a_pool_that_is_prepared_says_at_once_that_it_may_not(few):
    few(1)
    with pytest.raises(Exhausted):
        Workers(8).prepare(2)


@pytest.mark.parametrize("threads", [0, 1])
def test_jobs_side_by_side_run_one_after_the_other_where_threads_are_few(few, threads):
    few(threads)
    assert run_side_by_side([lambda: 1, lambda: 2, lambda: 3]) == [1, 2, 3]
