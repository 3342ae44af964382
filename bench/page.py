"""What the page of a large fleet costs: seconds to the first byte, and bytes, over HTTP from a real journal.

The credentials have their first facts and no token yet: what is created costs a provider, and the page draws a row for
either. The picture of what ends when is not in it.
"""

from __future__ import annotations

import http.client
import statistics
import time
from pathlib import Path

from bench.place import place
from bench.row import Row
from rotator.app import App
from rotator.app.page import DaemonBoard
from rotator.config.page import Page
from rotator.journal.key_file import generate_key
from rotator.web.listener import Listener, listening
from rotator.web.page.application import page_application

CREDENTIALS, TIMES = 5_000, 30


def measure(folder: Path) -> list[Row]:
    """Measure; wall time, for that is what somebody waits for."""
    with place(folder, CREDENTIALS) as at:
        if not (at.folder / "state").exists():
            (at.folder / "state").mkdir(mode=0o700)
        generate_key(at.folder / "state" / "rotator.key")
        with App.open(at.config, "writer") as app:
            board = DaemonBoard(app, lambda: "")
            made = page_application(board, Page, board.key())
            listener = listening("127.0.0.1:0", made, setting="page.listen", close=made.close)
            try:
                first, size = asked(listener)
                later = statistics.median(asked(listener)[0] for _ in range(TIMES))
            finally:
                listener.stop()
    fleet = f"{CREDENTIALS:,} credentials"
    return [
        Row(name=f"first byte of the page, {fleet}", value=later, unit="s", goal=0.2, note="median of 30"),
        Row(
            name=f"first byte of the first page, {fleet}",
            value=first,
            unit="s",
            note="nobody has looked before: the whole fleet is looked at, templates are compiled",
        ),
        Row(name=f"page with {fleet}", value=size / 1000, unit="kB", goal=300.0, note="not compressed"),
    ]


def asked(listener: Listener) -> tuple[float, int]:
    """Return seconds to the first byte of the fleet's page, and its bytes."""
    connection = http.client.HTTPConnection(listener.host, listener.port, timeout=60)
    try:
        began = time.perf_counter()
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read(1)
        took = time.perf_counter() - began
        return took, 1 + len(answer.read())
    finally:
        connection.close()
