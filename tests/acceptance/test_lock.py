"""A lock that holds: it installs as it stands although the index offers newer versions of everything in it."""

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import requires
from pathlib import Path
from threading import Thread

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("runtime", "dev")
NEWER = "9999.0"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def index(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A package index of our own: its folder and its address."""
    folder = tmp_path / "index"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def publish(folder: Path, name: str, version: str, *needs: str) -> None:
    """Put a small wheel of that name and version into the index."""
    stem = name.replace("-", "_")
    module = f"{stem}.py"
    info = f"{stem}-{version}.dist-info"
    extras = {found[0] for need in needs if (found := re.findall(r"extra == '(\w+)'", need))}
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Provides-Extra: {extra}" for extra in extras] + [f"Requires-Dist: {need}" for need in needs]
    files = {
        module: f"VERSION = {version!r}\n",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={digest(text)},{len(text.encode())}\n" for path, text in files.items())
    place = folder / name
    place.mkdir(exist_ok=True)
    with zipfile.ZipFile(place / f"{stem}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            wheel.writestr(path, text)


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def run(*words: str, cwd: Path, index: str) -> str:
    """Run a command that knows this index only, and return what it printed; it must succeed."""
    own = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "PIP_INDEX_URL": index, "PIP_CONFIG_FILE": "/dev/null"}
    own |= {"UV_DEFAULT_INDEX": index, "UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1"}
    done = subprocess.run(words, cwd=cwd, env=own, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def recipe(target: str) -> str:
    """The lines of one target of the Makefile."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found, target
    return found[1]


@pytest.fixture
def checkout(tmp_path: Path, index: tuple[Path, str]) -> Path:
    """A small project with our Makefile; its lock was made when every package had one version only.

    As with us, the extra is asked for by a dependency of the second lock, and by nobody else.
    """
    folder, address = index
    publish(folder, "base", "1.0", "parser>=1; extra == 'toml'")
    publish(folder, "parser", "1.0")
    publish(folder, "plugin", "1.0", "base[toml]>=1")
    publish(folder, "tool", "1.0")
    project = tmp_path / "project"
    (project / "requirements").mkdir(parents=True)
    (project / "requirements/runtime.in").write_text("tool\n")
    (project / "requirements/dev.in").write_text("-r runtime.in\nplugin\n")
    compile_ = re.search(r"uv (pip compile .*?) \\\n\s*(.*?) \$\$set\.in", recipe("lock"), re.DOTALL)
    assert compile_
    flags = f"{compile_[1]} {compile_[2]}".split()
    for lock in LOCKS:
        words = (*flags, f"{lock}.in", "-o", f"{lock}.txt")
        run(str(Path(sys.executable).with_name("uv")), *words, cwd=project / "requirements", index=address)
    shutil.copy(ROOT / "Makefile", project)
    (project / "pyproject.toml").write_text("")
    return project


def test_a_lock_installs_although_the_index_holds_newer_versions_of_everything(
    checkout: Path, index: tuple[Path, str]
) -> None:
    folder, address = index
    for name in ("base", "parser", "plugin", "tool"):
        publish(folder, name, NEWER, *(["parser>=1; extra == 'toml'"] if name == "base" else []))
    python = checkout / ".venv/bin/python"
    install = "\n".join(line for name in ("RUNTIME", "DEV") for line in installs(name))
    run(sys.executable, "-m", "venv", ".venv", cwd=checkout, index=address)
    run("sh", "-ec", install.replace("$(PIP)", f"{python} -m pip"), cwd=checkout, index=address)
    code = "import base, parser, plugin; print(base.VERSION, plugin.VERSION)"
    assert run(str(python), "-c", code, cwd=checkout, index=address).split() == ["1.0", "1.0"]


def installs(stamp: str) -> list[str]:
    """The commands by which the Makefile installs a lock, as a shell reads them."""
    found = re.search(rf"^\$\({stamp}\):.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found, stamp
    return [line.strip().lstrip("@") for line in found[1].splitlines() if "-r requirements/" in line]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_complete_extras_included(lock: str) -> None:
    """Whatever a locked distribution needs here, with the extras asked of it, is locked in a version that fits."""
    pins = locked(lock)
    missing = []
    for name, (version, extras) in pins.items():
        for need in map(Requirement, requires(name) or []):
            wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
            if not wanted:
                continue
            pin = pins.get(canonicalize_name(need.name))
            if pin is None or not need.specifier.contains(pin[0], prereleases=True) or not need.extras <= pin[1]:
                missing.append(f"{name} {version} needs {need}")
    assert missing == []


def locked(lock: str) -> dict[str, tuple[str, set[str]]]:
    """What a lock pins for this interpreter: name -> version and extras."""
    pins = {}
    for line in (ROOT / f"requirements/{lock}.txt").read_text().splitlines():
        if "==" not in line or line.startswith((" ", "#")):
            continue
        pin = Requirement(line.rstrip("\\ "))
        if pin.marker is None or pin.marker.evaluate():
            pins[canonicalize_name(pin.name)] = (str(pin.specifier).removeprefix("=="), pin.extras)
    return pins


def test_every_pin_of_a_lock_carries_a_hash() -> None:
    for lock in LOCKS:
        text = (ROOT / f"requirements/{lock}.txt").read_text().replace("\\\n", "")
        bare = [line for line in text.splitlines() if "==" in line and "--hash=sha256:" not in line]
        assert bare == [], lock
