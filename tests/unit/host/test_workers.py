"""The pool: one job per key, first come first served, and nothing that hangs delays anything else."""

import contextvars
import subprocess
import sys
import threading
import time

import pytest

from rotator.host.workers import Workers, run_side_by_side


class Gate:
    """A job that says when it runs and ends when it is let go."""

    def __init__(self):
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self):
        self.entered.set()
        self.open.wait(30)


def test_a_job_runs_in_another_thread():
    pool, seen = Workers(1), []
    assert pool.submit("a", lambda: seen.append(threading.current_thread()))
    assert pool.drain(10)
    assert seen[0] is not threading.current_thread()
    assert seen[0].daemon


def test_a_key_that_runs_or_waits_is_refused_and_welcome_again_afterwards():
    pool, gate = Workers(1), Gate()
    assert pool.submit("a", gate)
    assert gate.entered.wait(10)
    assert pool.submit("b", lambda: None)
    assert not pool.submit("a", lambda: None)
    assert not pool.submit("b", lambda: None)
    gate.open.set()
    assert pool.drain(10)
    assert pool.submit("a", lambda: None)


def test_jobs_start_in_the_order_in_which_they_came():
    pool, gate, order = Workers(1), Gate(), []
    pool.submit("gate", gate)
    for number in range(20):
        pool.submit(str(number), lambda number=number: order.append(number))
    gate.open.set()
    assert pool.drain(10)
    assert order == list(range(20))


def test_never_more_jobs_at_once_than_the_pool_is_large_and_never_fewer_than_possible():
    pool = Workers(3)
    meeting = threading.Barrier(3, timeout=20)
    lock, running, most = threading.Lock(), [0], [0]

    def job():
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        meeting.wait()  # passes only when three run at once
        with lock:
            running[0] -= 1

    for number in range(9):
        pool.submit(str(number), job)
    assert pool.drain(30)
    assert most[0] == 3
    assert not meeting.broken


def test_a_job_that_hangs_does_not_stop_the_others_and_drain_says_so():
    pool, gate = Workers(2), Gate()
    pool.submit("hangs", gate)
    done = threading.Event()
    pool.submit("works", done.set)
    assert done.wait(10)
    assert pool.drain(0.01) is False
    gate.open.set()
    assert pool.drain(10) is True


def test_an_exception_is_reported_with_its_key_and_the_worker_lives():
    reports = []
    pool = Workers(1, on_error=lambda key, error: reports.append((key, str(error))))

    def fail():
        raise KeyError("gone")

    pool.submit("a", fail)
    assert pool.drain(10)
    done = threading.Event()
    pool.submit("b", done.set)
    assert done.wait(10)
    assert reports == [("a", "'gone'")]


def test_a_reporter_that_fails_costs_no_worker():
    def broken(key, error):
        raise RuntimeError("the reporter is broken")

    for on_error in (broken, None):
        pool, done = Workers(1, on_error=on_error), threading.Event()
        pool.submit("a", lambda: 1 / 0)
        pool.submit("b", done.set)
        assert done.wait(10)


def test_a_closed_pool_refuses_new_jobs_and_ends_those_it_has():
    pool, gate, done = Workers(1), Gate(), threading.Event()
    pool.submit("a", gate)
    pool.submit("b", done.set)
    pool.close()
    assert not pool.submit("c", lambda: None)
    gate.open.set()
    assert pool.drain(10)
    assert done.is_set()


def test_a_pool_without_workers_is_a_mistake():
    with pytest.raises(ValueError, match="at least one"):
        Workers(0)


def test_a_hung_job_does_not_delay_the_end_of_the_process():
    program = (
        "import threading\n"
        "from rotator.host.workers import Workers\n"
        "pool = Workers(2)\n"
        "started = threading.Event()\n"
        "pool.submit('hangs', lambda: (started.set(), threading.Event().wait()))\n"
        "started.wait()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_jobs_side_by_side_answer_in_order_and_an_exception_stands_in_its_place():
    error = ValueError("no")

    def fail():
        raise error

    assert run_side_by_side([lambda: 1, fail, lambda: 3]) == [1, error, 3]
    assert run_side_by_side([fail]) == [error]
    assert run_side_by_side([lambda: 1]) == [1]
    assert run_side_by_side([]) == []


def test_one_job_alone_runs_in_the_thread_of_the_caller():
    assert run_side_by_side([threading.current_thread]) == [threading.current_thread()]


def test_jobs_side_by_side_run_at_the_same_time():
    meeting = threading.Barrier(3, timeout=20)
    assert sorted(run_side_by_side([meeting.wait] * 3)) == [0, 1, 2]


def test_jobs_side_by_side_keep_to_their_width():
    lock, running, most = threading.Lock(), [0], [0]

    def job():
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0)
        with lock:
            running[0] -= 1

    run_side_by_side([job] * 50, width=2)
    assert 1 <= most[0] <= 2


def test_jobs_of_a_full_pool_may_run_others_side_by_side_without_a_deadlock():
    pool, results = Workers(2), []
    for number in range(4):
        pool.submit(str(number), lambda: results.append(run_side_by_side([lambda: 1, lambda: 2])))
    assert pool.drain(20)
    assert results == [[1, 2]] * 4


def test_jobs_side_by_side_see_the_context_of_the_caller():
    name = contextvars.ContextVar("name", default="")
    name.set("workers-deploy")
    assert run_side_by_side([name.get, name.get]) == ["workers-deploy", "workers-deploy"]


def test_a_simulated_kill_is_raised_after_all_jobs_have_ended():
    class Killed(BaseException):
        pass

    done = []

    def die():
        raise Killed

    with pytest.raises(Killed):
        run_side_by_side([die, lambda: done.append(1)])
    assert done == [1]
