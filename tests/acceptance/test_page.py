"""The page in a real Chromium: with and without scripts, on a phone and a wall, light and dark, for everybody.

Pictures go to the folder that `SCREENSHOTS` names, so that somebody can look at them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from rotator.config.page import Page as Stanza
from rotator.sandbox import Sandbox
from rotator.web.listener import listening
from rotator.web.page.application import page_application
from tests.rotator_place import Place, eventually
from tests.servers import axe, oidc, tools
from tests.servers.require import require
from tests.unit.cli.documents import connection, credential, needs, status, target
from tests.unit.web.page.boards import KEY, FakeBoard, fact

SERIOUS = ("error", "warning")
PHONE, LAPTOP, WALL = (390, 844), (1280, 900), (2560, 1300)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = tools.chromium()
    if path is None:
        require("Chromium", tools.CHROMIUM_HOW)
    with sync_playwright() as playwright:
        # Its own sandbox needs rights that root in a container lacks; it sees our page alone.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, served: object) -> Iterator[Callable[..., Page]]:
    """Opens pages that may ask nobody but the page's own address and must not complain; closed before the server is."""
    opened, complaints = [], []

    def make(size: tuple[int, int] = LAPTOP, *, strict: bool = True, **more: Any) -> Page:
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **more)
        opened.append(context)
        context.route(lambda address: "//127.0.0.1:" not in address, lambda route: route.abort())
        found = context.new_page()
        if not strict:  # pages of others are seen, too
            return found
        found.on("pageerror", lambda error: complaints.append(str(error)))
        found.on("console", lambda said: complaints.append(said.text) if said.type in SERIOUS else None)
        found.on("request", lambda asked: complaints.append(asked.url) if "127.0.0.1" not in asked.url else None)
        return found

    yield make
    for context in opened:
        context.close()
    assert complaints == []


def life(number: int) -> dict[str, Any]:
    """A credential somewhere in its ninety days."""
    month, day = 1 + number % 2, 1 + number * 7 % 27
    return credential(
        f"{('workers', 'd1', 'dns', 'pages')[number % 4]}-{('deploy', 'backup', 'edge')[number % 3]}-{number:03d}",
        expires_on=f"2027-{month:02d}-{day:02d}T10:00:00Z",
        next_rotation=f"2026-12-{day:02d}T10:00:00Z",
        rotation_deadline=f"2027-{month:02d}-{day:02d}T09:00:00Z",
        last_success=f"2026-11-{1 + number % 20:02d}T10:00:00Z",
        labels={"team": ("web", "data")[number % 2]},
    )


def fleet(number: int) -> FakeBoard:
    """A fleet in which one needs a person, one fails, one is paused and one rotates."""
    found = [life(n) for n in range(number)]
    found[0] |= {
        "state": "needs_operator",
        "ready": False,
        "needs_operator": needs(),
        "targets": [target(in_sync=False)],
    }
    found[1] |= {"state": "failing", "message": "rotating: planned (creating a token: HTTP 403, code 9109)"}
    found[2] |= {"state": "paused", "message": "paused: release freeze"}
    found[2]["paused"] = {"since": None, "until": None, "reason": "release freeze", "actor": "alice"}
    found[3] |= {"state": "rotating", "message": "rotating: publishing (write vault:secret/dns)"}
    name = found[0]["name"]
    facts = [fact(kind, name) for kind in ("planned", "intent", "captured", "verified", "confirmed", "overridden")]
    facts.append(fact("request", name, actor="alice", detail={"reason": "left on a bus"}))
    away = connection(name="stage", reachable=False, problem="listing tokens: HTTP 401", remedy="`rotator check`")
    return FakeBoard(status(*found, connections=[connection(), away]), facts)


@pytest.fixture
def served() -> Iterator[Callable[[FakeBoard], str]]:
    running = []

    def serve(board: FakeBoard) -> str:
        made = page_application(board, Stanza, KEY)
        running.append(listening("127.0.0.1:0", made, setting="page.listen", close=made.close, request_within=30.0))
        return f"http://{running[-1].address}"

    yield serve
    for listener in running:
        listener.stop()


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


def obstacles(page: Page) -> list[str]:
    """What keeps people from using the page, as axe sees it."""
    script = axe.find()
    if script is None:
        require("axe", axe.HOW)
    # By the debugger, which no policy of the page binds.
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
    page.reload()
    page.evaluate(script.read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


NAME = fleet(4).document["credentials"][0]["name"]
PAGES = {"fleet": "/", "credential": f"/credentials/{NAME}", "history": "/history", "discover": "/discover"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_nothing_keeps_anybody_from_using_the_page(page, served, size, scheme):
    address, opened = served(fleet(12)), page(size, color_scheme=scheme)
    found = {}
    for name, path in PAGES.items():
        opened.goto(address + path)
        shot(opened, f"{name}-{'phone' if size == PHONE else 'laptop'}-{scheme}")
        found[name] = obstacles(opened)

    assert found == {name: [] for name in PAGES}


@pytest.mark.parametrize("size", [(320, 640), PHONE, LAPTOP, WALL], ids=["tiny", "phone", "laptop", "wall"])
@pytest.mark.parametrize("number", [12, 300])
def test_no_page_is_wider_than_its_screen(page, served, size, number):
    address, opened = served(fleet(number)), page(size)
    for name, path in PAGES.items():
        opened.goto(address + path)
        shot(opened, f"{name}-{number}-{size[0]}")
        assert opened.evaluate("document.documentElement.scrollWidth") <= size[0], path


def test_without_scripts_the_page_says_the_same_and_filters_work(page, served):
    opened = page(java_script_enabled=False)
    opened.goto(served(fleet(12)))

    assert "1 needs a person and 1 is failing of 12" in opened.inner_text("h1")
    opened.get_by_role("searchbox", name="Name").fill("deploy")
    opened.get_by_role("button", name="Show").click()
    assert "q=deploy" in opened.url
    names = opened.locator("table.fleet tbody th[scope=row] > a").all_inner_texts()
    assert names
    assert all("deploy" in name for name in names)
    opened.get_by_role("link", name=names[0], exact=True).last.click()
    assert names[0] in opened.inner_text("h1")


def test_where_scripts_run_a_change_shows_without_a_reload(page, served):
    board = fleet(12)
    opened = page()
    opened.goto(served(board))
    opened.evaluate("window.stillTheSamePage = true")
    board.document["credentials"][0] |= {"state": "idle", "ready": True, "needs_operator": None}
    expect(opened.locator("h1")).to_have_text("1 is failing of 12", timeout=30_000)

    assert opened.evaluate("window.stillTheSamePage")
    assert opened.title() == "1 is failing of 12 · rotator"


def test_what_somebody_types_is_not_taken_away_by_a_change(page, served):
    board = fleet(12)
    opened = page()
    opened.goto(served(board))
    opened.get_by_role("searchbox", name="Name").fill("half-typed")
    board.document["credentials"][1]["state"] = "idle"
    expect(opened.locator("h1")).to_have_text("1 needs a person of 12", timeout=30_000)

    assert opened.get_by_role("searchbox", name="Name").input_value() == "half-typed"


def test_a_keyboard_reaches_everything(page, served):
    opened = page()
    opened.goto(served(fleet(12)))
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.innerText") == "Skip to content"
    opened.keyboard.press("Enter")
    assert opened.url.endswith("#main")
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.closest('main') !== null")
    assert opened.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


# -------------------------------------------------------------------------------------------------------- a real daemon
@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Makes a folder whose page knows these users, and lets some of them act."""
    with Sandbox() as sandbox:
        made = Place(tmp_path, sandbox).write()

        def with_page(**page: Any) -> Place:
            (tmp_path / "secret").write_text("a-long-random-text")
            (tmp_path / "secret").chmod(0o600)
            file = tmp_path / "rotator.yaml"
            file.write_text(json.dumps(json.loads(file.read_text()) | {"page": {"listen": "127.0.0.1:0", **page}}))
            made.daemon()
            eventually(lambda: made.status()["state"] == "idle" and made.status()["ready"])
            return made

        yield with_page
        made.close()


def acted(opened: Page, made: Place) -> dict[str, Any]:
    """Rotate by the form of the page that is open; return the fact of it, as history has it."""
    before = made.value()
    form = opened.locator("form[action$='/rotate']")
    form.get_by_label("Why").fill("left on a bus")
    form.get_by_role("button", name="Rotate").click()
    assert "A rotation is requested." in opened.inner_text("main")
    eventually(lambda: made.value() != before)
    opened.reload()
    assert made.value() not in opened.content()
    assert before not in opened.content()
    facts = made.run("history", "workers-deploy", "-o", "json").json["facts"]
    return next(one for one in facts if one["kind"] == "request")


def test_somebody_with_a_token_rotates_in_the_browser_and_history_names_them(place, page):
    users = {"bearer": [{"name": "alice", "token": {"file": "secret"}}]}
    made = place(users=users, acts={"alice": ["rotate", "pause", "resume"]})
    address = re.search(r'"page":"([^"]+)"', made.log(made.processes[0]))[1]

    opened = page(http_credentials={"username": "alice", "password": "a-long-random-text"})
    opened.goto(f"http://{address}/credentials/workers-deploy")
    request = acted(opened, made)
    shot(opened, "after-an-act")

    assert (request["actor"], request["detail"]["reason"]) == ("alice", "left on a bus")
    assert "by alice: left on a bus" in opened.inner_text("#timeline")


def test_somebody_logs_in_at_a_provider_and_rotates_and_history_names_them(place, page):
    alice = {"sub": "alice", "email": "alice@example.com", "email_verified": True}
    with oidc.provider(alice) as issuer:
        address = f"http://127.0.0.1:{oidc.free_port()}"
        provider = {"issuer": issuer, "client_id": "rotator", "client_secret": {"file": "secret"}}
        listen = address.removeprefix("http://")
        made = place(listen=listen, base_url=address, users={"oidc": provider}, acts={"*@example.com": ["rotate"]})

        opened = page(strict=False)
        opened.goto(f"{address}/credentials/workers-deploy")
        assert opened.url.startswith(issuer)
        opened.get_by_role("button", name="alice").click()
        opened.wait_for_url(f"{address}/credentials/workers-deploy")
        request = acted(opened, made)
        shot(opened, "after-a-login")

    assert (request["actor"], request["detail"]["reason"]) == ("alice@example.com", "left on a bus")
    assert "by alice@example.com: left on a bus" in opened.inner_text("#timeline")
