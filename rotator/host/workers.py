"""A bounded pool of daemon threads, one job per key at a time.

The standard executor joins its threads when the interpreter exits, so one hung call to a provider would keep a stopped
daemon alive; these threads never delay an exit. The pool decides only *when* a job runs. What a job means, and what
becomes of its exception, is the caller's: an exception that escapes a job is handed to `on_error` and the worker lives.
"""

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from rotator.host.threads import Exhausted, start_thread

T = TypeVar("T")
Job = Callable[[], object]
OnError = Callable[[Any, BaseException], None]

WIDTH = 8
"""Most jobs that run side by side for one caller: a rotation publishes to a handful of targets, never to hundreds."""


class Workers:
    """FIFO pool of at most `size` daemon threads, started when first needed. Safe to share between threads."""

    def __init__(self, size: int, on_error: OnError | None = None, name: str = "worker") -> None:
        """`size` >= 1. `on_error(key, exception)` is called in the worker's thread; what it raises is dropped."""
        if size < 1:
            raise ValueError("a pool needs at least one worker")
        self._size = size
        self._on_error = on_error
        self._name = name
        self._changed = threading.Condition()
        self._queue: deque[tuple[str, Job]] = deque()
        self._keys: set[str] = set()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, key: str, job: Job) -> bool:
        """Queue `job` under `key`; False when that key is queued or running already, or the pool is closed.

        Never blocks and never runs the job in the calling thread. Where the system allows no thread more, those that
        run already do it.

        Raises:
            Exhausted: the system allows this pool not even one thread; the job is not queued.
        """
        with self._changed:
            if self._closed or key in self._keys:
                return False
            if self._idle <= len(self._queue) and self._threads < self._size:
                self._grow()
            self._keys.add(key)
            self._queue.append((key, job))
            self._changed.notify()
            return True

    def prepare(self, threads: int) -> None:
        """Start that many threads now, where they would be started when first needed.

        Raises:
            Exhausted: the system does not allow them.
        """
        with self._changed:
            while self._threads < min(threads, self._size):
                self._start()

    def _grow(self) -> None:
        try:
            self._start()
        except Exhausted:
            if not self._threads:
                raise

    def _start(self) -> None:
        start_thread(self._work, f"{self._name}-{self._threads + 1}")
        self._threads += 1

    def close(self) -> None:
        """Refuse further jobs; those queued still run."""
        with self._changed:
            self._closed = True

    def drain(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until nothing is queued or running; False when something still is.

        Jobs stay welcome meanwhile: call `close` first when the process is about to stop.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._keys:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return True

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._queue:
                    self._changed.wait()
                self._idle -= 1
                key, job = self._queue.popleft()
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - the thread is the boundary: nothing above it could handle this
                self._report(key, error)
            finally:
                with self._changed:
                    self._keys.discard(key)
                    self._changed.notify_all()

    def _report(self, key: str, error: BaseException) -> None:
        if self._on_error is None:
            return
        try:
            self._on_error(key, error)
        except Exception:  # noqa: BLE001 - a broken reporter must not cost a worker
            return


def run_side_by_side(jobs: Sequence[Callable[[], T]], name: str = "job", width: int = WIDTH) -> list[T | Exception]:
    """Run `jobs` in at most `width` short-lived daemon threads; return their results in the order of `jobs`.

    An exception stands in the place of the job that raised it; one that is no `Exception` (a simulated kill) is raised
    here, after all have ended. One job alone, and those for which the system allows no thread, run in the calling
    thread. The caller's context variables (log context) are visible to every job.
    """
    outcomes: list[T | BaseException | None] = [None] * len(jobs)
    if len(jobs) == 1:
        try:
            return [jobs[0]()]
        except Exception as error:  # noqa: BLE001 - handed to the caller as a result
            return [error]
    pending = iter(range(len(jobs)))
    turn = threading.Lock()

    def take_turns() -> None:
        while True:
            with turn:
                index = next(pending, None)
            if index is None:
                return
            try:
                outcomes[index] = jobs[index]()
            except BaseException as error:  # noqa: BLE001 - raised or returned below, in the caller's thread
                outcomes[index] = error

    threads = []
    for number in range(min(width, len(jobs))):
        context = contextvars.copy_context()
        try:
            threads.append(start_thread(partial(context.run, take_turns), f"{name}-{number}"))
        except Exhausted:
            break
    if not threads:
        take_turns()
    for thread in threads:
        thread.join()
    results: list[T | Exception] = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
            raise outcome
        results.append(outcome)  # type: ignore[arg-type]  # every index was taken, so None is a T here
    return results
