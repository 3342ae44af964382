"""Durable rotations per second against a sandbox in its own process, beside two programs that promise less.

A rotation here is the whole of it: a successor of a published token is minted, proven, published, read back and
proven again, and the old token is disabled and deleted. Only the time in which somebody works is counted; the waits in
between (grace, soak: set to zero, which means about a second) are not.

- `bare`: the very requests that the rotations made, operation by operation, by as many threads over one httpx client,
  and a plain write of the file. Nothing is journaled, nothing is decided.
  Both are bound by the interpreter's lock, at 50 ms too: what the ratio misses to 1 is the processor time of a dozen
  encrypted, chained and flushed facts, of a canary, a spool, leases, and of deciding anew after each of them. A third
  of that time is the lock itself: every SQL statement gives it away, and the threads hand it from core to core a
  thousand times per rotation. Pinned to one core the same daemon does half as many rotations again; it does not pin
  itself, since providers allow a hundredth of either rate.
- `sdk`: a script as one would write it on the official SDK: create, verify, write the file, verify, delete.
"""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bench.place import ACCOUNT, Place, place
from bench.row import Row, cpu_seconds
from rotator.app import App
from rotator.app.once import Once
from rotator.core.facts import Draft, Requested
from rotator.core.ids import RequestId
from rotator.core.protocol.view import View
from rotator.daemon import WORKERS

CREDENTIALS = 64
ROUNDS = 3
SEQUENTIAL = 12
LATENCIES = (0.0, 0.05)
ROTATION = "{ grace: 0s, quiet: 0s, soak: 0s }"
ADVANCED = "advanced: { settle: 1s, propagation: 4s, retry: 1s, watch: 1h, sweep: 1h }\n"

Taken = tuple[float, float]
"""Seconds of wall and of processor time."""


def timed(work: Callable[[], object]) -> Taken:
    """Run it."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    work()
    return time.perf_counter() - wall, cpu_seconds() - cpu


def settled(app: App, once: Once) -> Taken:
    """Drive everything until no rotation and no retirement is open; count only the time in which there was work."""
    wall = cpu = 0.0
    streams = once.all()
    while True:
        spent = timed(partial(once.sweep, streams))
        wall, cpu = wall + spent[0], cpu + spent[1]
        streams = [stream for stream in streams if unfinished(app.writable.view(stream))]
        if not streams:
            return wall, cpu
        time.sleep(1.1)


def unfinished(view: View) -> bool:
    """Whether a credential still has something open."""
    return not view.current or bool(view.rotation or view.retirements or view.request)


def rotated(app: App, once: Once) -> Taken:
    """Ask for a rotation of every credential and see it through."""
    for credential in app.config.credentials:
        at = app.queries.now("account")
        app.note(credential.name, Draft(what=Requested(request_id=RequestId("bench")), at=at, actor="bench"))
    return settled(app, once)


def bare(at: Place, requests: Counter[str]) -> Taken:
    """Send what the rotations of all credentials sent, and write the files."""
    import httpx

    client = httpx.Client(headers={"Authorization": f"Bearer {at.token}"}, timeout=30)
    tokens = f"{at.url}/accounts/{ACCOUNT}/tokens"
    group = permission(client, at)
    each = {operation: round(count / CREDENTIALS) for operation, count in requests.items()}

    def rotate(number: int) -> None:
        made = client.post(tokens, json=body(f"bare-{number}", group)).raise_for_status().json()["result"]
        path, own = f"{tokens}/{made['id']}", {"Authorization": f"Bearer {made['value']}"}
        for _ in range(each.get("get", 0) + each.get("list", 0)):
            client.get(path).raise_for_status()
        for _ in range(each.get("verify", 0)):
            client.get(f"{tokens}/verify", headers=own).raise_for_status()
        (at.folder / f"bare-{number}.env").write_text(f"CLOUDFLARE_API_TOKEN={made['value']}\n")
        for _ in range(each.get("update", 0) + each.get("disable", 0)):
            client.put(path, json={**body(made["name"], group), "status": "disabled"}).raise_for_status()
        client.delete(path).raise_for_status()

    with ThreadPoolExecutor(WORKERS) as pool:
        rotate(-1)
        return timed(lambda: list(pool.map(rotate, range(CREDENTIALS))))


def permission(client: Any, at: Place) -> str:
    """Return the id of the permission group that every token here has."""
    found = client.get(f"{at.url}/accounts/{ACCOUNT}/tokens/permission_groups").json()["result"]
    return next(str(group["id"]) for group in found if group["name"] == "Workers Scripts Write")


def body(name: str, group: str) -> dict[str, Any]:
    """Return what creates a token."""
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=90)
    resources = {f"com.cloudflare.api.account.{ACCOUNT}": "*"}
    policies = [{"effect": "allow", "permission_groups": [{"id": group}], "resources": resources}]
    return {"name": name, "policies": policies, "expires_on": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}


def sdk(at: Place) -> Taken:
    """Run the sequential script."""
    import httpx
    from cloudflare import Cloudflare

    with httpx.Client(headers={"Authorization": f"Bearer {at.token}"}) as client:
        group = permission(client, at)

    def rotate(number: int) -> None:
        made = manager.accounts.tokens.create(account_id=ACCOUNT, **body(f"sdk-{number}", group))
        assert made is not None
        assert made.id is not None
        assert made.value is not None
        with Cloudflare(api_token=made.value, base_url=at.url, max_retries=0) as own:
            own.accounts.tokens.verify(account_id=ACCOUNT)
            (at.folder / f"sdk-{number}.env").write_text(f"CLOUDFLARE_API_TOKEN={made.value}\n")
            own.accounts.tokens.verify(account_id=ACCOUNT)
        manager.accounts.tokens.delete(made.id, account_id=ACCOUNT)

    with Cloudflare(api_token=at.token, base_url=at.url, max_retries=0) as manager:
        rotate(-1)
        return timed(lambda: list(map(rotate, range(SEQUENTIAL))))


def measure(folder: Path) -> list[Row]:
    """Measure: the three in turns, several rounds, the best of each."""
    sent: Counter[str] = Counter()

    def count(connection: str, operation: str, status: str) -> None:
        sent[operation] += 1

    rows: list[Row] = []
    with (
        place(folder, CREDENTIALS, rotation=ROTATION, advanced=ADVANCED) as at,
        App.open(at.config, "writer", count=count) as app,
    ):
        once = Once(app)
        settled(app, once)
        for latency in LATENCIES:
            at.set(latency=latency)
            requests: Counter[str] = Counter()
            ours: list[Taken] = []
            plain: list[Taken] = []
            script: list[Taken] = []
            for _ in range(ROUNDS):
                sent.clear()
                ours.append(rotated(app, once))
                requests = Counter(sent)
                plain.append(bare(at, requests))
                script.append(sdk(at))
            rows += rows_of(latency, min(ours), min(plain), min(script), requests)
            at.set(latency=0)
    return rows


def rows_of(latency: float, ours: Taken, plain: Taken, script: Taken, requests: Counter[str]) -> list[Row]:
    """Put one latency into two rows."""
    rate, other, single = CREDENTIALS / ours[0], CREDENTIALS / plain[0], SEQUENTIAL / script[0]
    name = f"durable rotations at {1000 * latency:.0f} ms"
    calls = ", ".join(f"{count / CREDENTIALS:.1f} {operation}" for operation, count in requests.most_common())
    took = f"processor time {1e3 * ours[1] / CREDENTIALS:.1f} ms each, theirs"
    return [
        Row(
            name=name,
            value=rate,
            unit="1/s",
            baseline=other,
            against=f"bare requests, {WORKERS} threads",
            goal=0.6,
            at_least=True,
            note=f"{took} {1e3 * plain[1] / CREDENTIALS:.1f}; requests: {calls}",
        ),
        Row(
            name=name,
            value=rate,
            unit="1/s",
            baseline=single,
            against="sequential script, cloudflare SDK",
            goal=10.0 if latency else None,
            at_least=True,
            note=f"{took} {1e3 * script[1] / SEQUENTIAL:.1f}; 4 requests, ours {requests.total() / CREDENTIALS:.0f}",
        ),
    ]
