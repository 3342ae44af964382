"""What all tests share: a clean environment, the real servers as fixtures, hypothesis profiles, counts by layer."""

import os
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.servers import tools
from tests.servers import wrangler as wrangler_tool
from tests.servers.postgres import shared as shared_postgres
from tests.servers.require import ROOT, everything_is_required, require
from tests.servers.vault import Vault
from tests.servers.vault import build as vault_build

LAYERS = ("unit", "contract", "simulation", "crash", "integration", "acceptance")
OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed")

# Settings of the person who runs the tests must not reach them, least of all real credentials.
_PRIVATE = ("ROTATOR_", "VAULT_", "BAO_", "AWS_", "CLOUDFLARE_", "CF_", "KUBERNETES_")
_KEPT = (
    *("ROTATOR_TEST_REQUIRE", "ROTATOR_TEST_MAY_LACK", "ROTATOR_TEST_JOURNAL"),
    *("ROTATOR_SOAK", "ROTATOR_SOAK_SEED", "ROTATOR_FLIPS"),
)


def pytest_configure(config: pytest.Config) -> None:
    for name in list(os.environ):
        if name.startswith(_PRIVATE) and name not in _KEPT:
            del os.environ[name]
    # A shell that starts the tests in the background lets them ignore Ctrl-C, and what they start with them.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        os.environ.pop("FAILURES", None)  # a suite that a test starts keeps its own list
    # Else every process that a test starts compiles the whole program anew, which takes longer than what it does.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost,::1"
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # botocore would wait for an address that is not there
    # No deadlines: a slow machine is not a defect. CI replays the same examples, so a red run can be repeated.
    hypothesis.settings.register_profile("local", deadline=None)
    hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
    hypothesis.settings.load_profile("ci" if everything_is_required() else "local")


def pytest_unconfigure() -> None:
    shared_postgres.end()


@pytest.fixture
def root() -> None:
    """Needs the rights of root: to change owners, or to mount."""
    if os.geteuid() != 0:
        require(*ROOT)


@pytest.fixture(scope="session")
def vault_binary() -> vault_build.Binary:
    """The Vault to run: from PATH, or the core that `make test-servers` built."""
    return vault_build.find() or require("a Vault server", vault_build.HOW)


@pytest.fixture(scope="session")
def vault_server(vault_binary: vault_build.Binary, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A real Vault shared by the tests of one process; leave it unsealed, write below a path of your own."""
    server = Vault(vault_binary, tmp_path_factory.mktemp("vault"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_vault(vault_binary: vault_build.Binary, tmp_path: Path) -> Iterator[Callable[[], Vault]]:
    """Makes Vaults of the test's own, started: to stop, restart or seal without harm to others."""
    made: list[Vault] = []

    def start() -> Vault:
        server = Vault(vault_binary, tmp_path / f"vault-{len(made)}")
        made.append(server)
        server.start()
        return server

    try:
        yield start
    finally:
        for server in made:
            server.stop()


@pytest.fixture(scope="session")
def wrangler() -> Path:
    """The path of the real wrangler; run it with `tests.servers.wrangler.environment()`."""
    return wrangler_tool.find() or require("wrangler", wrangler_tool.HOW)


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The path of promtool."""
    return tools.promtool() or require("promtool", tools.PROMTOOL_HOW)


@pytest.fixture(scope="session")
def hadolint() -> Path:
    """The path of hadolint."""
    return tools.hadolint() or require("hadolint", tools.HADOLINT_HOW)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the tests by layer, so that a layer that silently shrank or was skipped is seen."""
    layers: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in OUTCOMES:
        for report in terminalreporter.stats.get(outcome, ()):
            if nodeid := getattr(report, "nodeid", ""):
                layers[_layer(nodeid)][outcome] += 1
    if not layers:
        return
    _leave_failures(terminalreporter)
    terminalreporter.section("tests by layer")
    for layer in sorted(layers, key=lambda name: (LAYERS.index(name) if name in LAYERS else len(LAYERS), name)):
        counts = "  ".join(f"{layers[layer][outcome]:5d} {outcome}" for outcome in OUTCOMES if layers[layer][outcome])
        terminalreporter.write_line(f"{layer:<12} {counts}")


def _leave_failures(terminalreporter: pytest.TerminalReporter) -> None:
    """Append what failed to the list that `make test` prints at its very end, after all of its runs."""
    if place := os.environ.get("FAILURES"):
        with Path(place).open("a") as file:
            for report in [*terminalreporter.stats.get("failed", ()), *terminalreporter.stats.get("error", ())]:
                crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
                why = crash.message.splitlines()[0][:160] if crash and crash.message else "see above"
                file.write(f"{report.nodeid}: {why}\n")


def _layer(nodeid: str) -> str:
    parts = nodeid.split("::")[0].split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "tests" else "other"
