"""The page of recipe W5, followed as a person would type it: a Workers project, real `wrangler dev`, npm, a timer."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.request

import pytest

from tests.recipe_page import ACCOUNT, recipe_page
from tests.rotator_place import eventually
from tests.servers import wrangler as tool
from tests.servers.require import require

APPS = ("apps/api", "apps/web")
WORKER = "export default { async fetch(_, env) { return Response.json({ token: env.CLOUDFLARE_API_TOKEN ?? null }) } };"


def a_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def page(tmp_path):
    """A project with two Workers, and the page followed in it to values in use."""
    with recipe_page("w5-dev-vars", tmp_path) as page:
        page.port = a_port()
        for app in APPS:
            folder = page.folder / app
            folder.mkdir(parents=True)
            dev = {"ip": "127.0.0.1", "port": page.port, "inspector_port": a_port()}
            settings = {"name": folder.name, "main": "index.js", "compatibility_date": "2025-01-01", "dev": dev}
            (folder / "wrangler.jsonc").write_text(json.dumps(settings))
            (folder / "index.js").write_text(WORKER)
        init, bootstrap, run = page.typed()
        page.follow(init)
        page.put_recipe({"203.0.113.0/24": "127.0.0.1/32"})
        page.follow(bootstrap, page.place.sandbox.credentials["global-api-key"] + "\n")
        page.said = page.follow(run)
        yield page


def printed(page, language):
    """The one block of the page in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", page.page, re.DOTALL)
    return found


def test_the_page_leads_from_a_project_to_values_in_use(page):
    held = {app: (page.folder / app / ".dev.vars").read_text() for app in APPS}
    values = {page.value(f"{app}/.dev.vars") for app in APPS}

    assert len(values) == 1
    assert values.pop().startswith("cfat_")
    assert all(f"CLOUDFLARE_ACCOUNT_ID={ACCOUNT}" in re.sub("['\"]", "", text) for text in held.values())
    assert page.value("apps/api/.dev.vars") not in (page.folder / "deploy" / ".env.production").read_text()
    assert "workers-project-prod" in page.said
    page.follow("test $(stat -c %a apps/api/.dev.vars) = 600")


def test_git_takes_none_of_the_files_that_hold_a_secret(page):
    taken = page.follow("git status --porcelain --untracked-files=all").split()[1::2]

    assert ".gitignore" in taken
    assert [path for path in taken if "vars" in path or ".env" in path or path.startswith(".rotator")] == []


def test_development_and_production_are_not_rotated_together(page):
    page.follow("rotator rotate --all --yes && rotator once")

    shown = json.loads(page.follow("rotator status -o json"))["credentials"]
    assert max(one["generation"] for one in shown) == 2
    assert [one["request"] is None for one in shown] == [one["generation"] == 2 for one in shown]
    facts = json.loads(page.follow("rotator history --kind planned --kind confirmed -o json"))["facts"]
    ends = [fact["kind"] for fact in facts[4:]]  # after the two first creations, which may be at once
    assert ends == ["planned", "confirmed"] * (len(ends) // 2)


@contextlib.contextmanager
def npm_run_dev(page, wrangler):
    """`npm run dev` in apps/api with the scripts that the page prints; yields what asks the Worker for its binding."""
    (page.folder / "apps/api/package.json").write_text(printed(page, "json"))
    (page.place.folder / "bin" / "wrangler").symlink_to(wrangler)
    environment = {**page.place.environment(), **tool.QUIET, "CLOUDFLARE_CF_FETCH_ENABLED": "false"}
    environment |= {"PATH": f"{page.place.folder / 'bin'}:{environment['PATH']}", "FORCE_COLOR": "0"}
    with (page.place.folder / "dev.log").open("a+") as log:
        process = subprocess.Popen(
            ["npm", "run", "dev"],
            cwd=page.folder / "apps/api",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # it starts wrangler, which starts workerd: all end together
        )

        def ask():
            assert process.poll() is None, (page.place.folder / "dev.log").read_text()[-3000:]
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{page.port}/") as answer:
                return json.load(answer)["token"]

        try:
            yield ask
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.wrangler
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_running_wrangler_dev_serves_the_value_before_and_after_a_rotation(page, wrangler):
    before = page.value("apps/api/.dev.vars")
    (page.folder / "apps/api/.dev.vars").unlink()  # npm's pre-script heals it before wrangler starts

    with npm_run_dev(page, wrangler) as served:
        eventually(lambda: served() == before, 120)
        page.follow("rotator rotate workers-project-dev --wait 2m")
        after = page.value("apps/api/.dev.vars")
        assert after != before
        eventually(lambda: served() == after, 60)

    assert not {before, after} & set(re.findall(r"\w+", (page.place.folder / "dev.log").read_text()))


def test_the_timer_of_the_page_is_one_and_runs_what_works(page, tmp_path):
    analyze = shutil.which("systemd-analyze") or require("systemd-analyze", "install systemd; it need not run")
    service, timer = re.split(r"\n\n", printed(page, "ini"))
    for name, text in (("service", service), ("timer", timer)):
        assert f"rotator-once.{name}" in text.splitlines()[0]
        unit = re.sub("%h/src/workers-project", str(page.folder), text)
        (tmp_path / f"rotator-once.{name}").write_text(unit.replace("%h/.local/bin/rotator", "/bin/true"))
    units = [str(tmp_path / f"rotator-once.{name}") for name in ("service", "timer")]
    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "rotator-once" in line] == []
    assert done.returncode == 0

    (command,) = re.findall(r"^ExecStart=%h/\.local/bin/(.*)$", service, re.MULTILINE)
    assert page.follow(command) is not None
