"""Putting the parts together: `Sandbox` for tests and the demo, `main` for the command line."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rotator.sandbox import control, initial, s3, state
from rotator.sandbox.control import Control
from rotator.sandbox.gateway import Gateway
from rotator.sandbox.message import Request, Response
from rotator.sandbox.routes import PREFIX
from rotator.sandbox.server import Server
from rotator.sandbox.unusable import UnusableError
from rotator.sandbox.world import World

DEFAULT_LISTEN: Final = "127.0.0.1:8980"
TRACE: Final = "/cdn-cgi/trace"
"""Where Cloudflare's edge tells a caller the address from which it sees him."""

PathLike = str | os.PathLike[str]


class Sandbox:
    """A local Cloudflare on a loopback port.

    Args:
        listen: `HOST:PORT`, loopback; port 0 picks a free one.
        world: a world file; None for the default world.
        tokens_dir: where to write the management tokens' values, one file of mode 0600 each; None for nowhere.
        state: a file that lets the tokens outlive a restart; None for memory only.

    Raises:
        ValueError: `listen`, the world file or the state file is wrong; the text says where and what is expected.
        OSError: a file cannot be written, or the state file not read.
    """

    def __init__(
        self,
        listen: str = "127.0.0.1:0",
        world: PathLike | None = None,
        tokens_dir: PathLike | None = None,
        state: PathLike | None = None,
    ) -> None:
        self._state = Path(state) if state is not None else None
        self.world = _begin(Path(world) if world is not None else None, self._state)
        self._tokens_dir = Path(tokens_dir) if tokens_dir is not None else None
        self.gateway = Gateway(self.world, self._save)
        self._control = Control(self.gateway, self._save)
        self._buckets = s3.Buckets(self.gateway)
        self._server = Server(listen, self._answer)
        self._base: str | None = None

    def start(self) -> Self:
        """Write the token files, bind and serve from background threads; returns itself.

        Raises:
            OSError: a file cannot be written, or the address cannot be bound.
        """
        self._save()
        if self._tokens_dir is not None:
            initial.write_credentials(self.world, self._tokens_dir)
        self._base = self._server.start()
        return self

    def stop(self) -> None:
        """Close every connection, give up what faults put off for later, save the state. Safe to call twice."""
        self._server.stop()
        self.gateway.stop()
        self._save()

    @property
    def url(self) -> str:
        """Base of the API, without a slash at its end: `http://127.0.0.1:PORT/client/v4`."""
        return f"{self._started}{PREFIX}"

    def r2_endpoint(self, account_id: str) -> str:
        """Base of R2's S3 interface of an account, for `endpoint_url` of an S3 client."""
        return f"{self._started}{s3.PREFIX}{account_id}"

    @property
    def control(self) -> str:
        """Base of the control interface, without a slash at its end: `http://127.0.0.1:PORT/__sandbox__`."""
        return f"{self._started}{control.PREFIX.rstrip('/')}"

    @property
    def credentials(self) -> Mapping[str, str]:
        """What the tokens folder holds: file name -> value. A secret, if only a sandbox's."""
        with self.world.lock:
            return initial.credentials(self.world)

    @property
    def _started(self) -> str:
        if self._base is None:
            raise RuntimeError("the sandbox has no address before start()")
        return self._base

    def __enter__(self) -> Self:
        return self.start() if self._base is None else self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Response | None:
        if request.path.startswith(control.PREFIX):
            return self._control.answer(request)
        if request.path.startswith(s3.PREFIX):
            return self._buckets.answer(request)
        if request.path == TRACE:  # of the edge, not of the API: no token, no envelope, no fault
            return Response(200, f"ip={request.ip}\nuag=sandbox\n".encode(), content_type="text/plain")
        return self.gateway.answer(request)

    def _save(self) -> None:
        with self.world.lock:
            if self._state is not None:
                state.save(self.world, self._state)
            self.world.unsaved = 0


def _begin(world_file: Path | None, state_file: Path | None) -> World:
    """The world from its file, with the tokens of the state file when there is one, else with fresh ones."""
    if world_file is None:
        world = initial.default_world()
    else:
        from rotator.sandbox import worldfile

        try:
            world = worldfile.read(world_file)
        except OSError as error:
            wrong = f"{world_file}: cannot be read: {error.strerror}"
            raise UnusableError(wrong, "give the path of a world file") from None
    seeded = dict(world.tokens)
    world.tokens.clear()
    if state_file is None or not state.load(world, state_file):
        initial.add_management_tokens(world)
        for token in seeded.values():
            world.add(token)
    return world


def serve(
    listen: str = DEFAULT_LISTEN,
    world: PathLike | None = None,
    tokens_dir: PathLike | None = None,
    state: PathLike | None = None,
) -> None:
    """Run a sandbox until SIGTERM or Ctrl-C; its first line on stdout says that it is ready and where.

    Raises:
        ValueError: as `Sandbox`.
        OSError: as `Sandbox.start`.
    """
    ended = threading.Event()
    before = {}
    if threading.current_thread() is threading.main_thread():  # only there may a handler be set
        for number in (signal.SIGTERM, signal.SIGINT):
            before[number] = signal.signal(number, lambda *_: ended.set())
    try:
        with Sandbox(listen, world, tokens_dir, state) as sandbox:
            sys.stdout.write(f"sandbox ready {sandbox.url}\n")
            sys.stdout.flush()
            ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(
    listen: str = DEFAULT_LISTEN,
    world: PathLike | None = None,
    tokens_dir: PathLike | None = None,
    state: PathLike | None = None,
) -> int:
    """The verb `rotator sandbox`: as `serve`, with the exit code 0 at its end, 1 or 2 when it could not begin."""
    try:
        serve(listen, world, tokens_dir, state)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        what = error.filename if error.filename is not None else f"--listen {listen}"
        sys.stderr.write(f"cannot run the sandbox: {what}: {error.strerror}; name another one\n")
        return 1
    return 0
