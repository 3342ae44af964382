"""A target from outside of the package: one module and one line of registry, and the whole contract for it."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from rotator import registry
from rotator.config.load import load
from rotator.core.errors import ConfigError
from rotator.testing.target_contract import SharedTargetContract, fresh_values, plain, publication
from tests.contract.targets.board import BOARDS, ENTRY, Board, BoardOptions, BoardTarget

KEYS = {"CLOUDFLARE_API_TOKEN": "token.value", "CLOUDFLARE_ACCOUNT_ID": "account.id"}


class BoardPlace:
    """One board."""

    def __init__(self) -> None:
        self.keys: Mapping[str, str] = KEYS
        self.name = str(uuid.uuid4())
        self.board = BOARDS[self.name] = Board()

    def open(self, crash: Callable[[str], None], keys: Mapping[str, str] | None = None) -> BoardTarget:
        return BoardTarget(BoardOptions(board=self.name), self.keys if keys is None else keys, crash)

    def look(self) -> Mapping[str, str]:
        return self.board.content

    def overwrite(self, values: Mapping[str, str]) -> None:
        with self.board.lock:
            self.board.replace(values)

    def deny(self) -> None:
        self.board.writable = False

    def cut(self) -> None:
        self.board.reachable = False


@pytest.fixture
def place() -> Iterator[BoardPlace]:
    made = BoardPlace()
    yield made
    del BOARDS[made.name]


class TestATargetFromOutsideKeepsTheContract(SharedTargetContract):
    @pytest.fixture
    def place(self) -> Iterator[BoardPlace]:
        made = BoardPlace()
        yield made
        del BOARDS[made.name]


# ------------------------------------------------------------------------------------------------------ the registry
@pytest.fixture
def config(place: BoardPlace, tmp_path: Path) -> Path:
    """A configuration that names the type; JSON is YAML."""
    target = {"type": "board", "board": place.name, "on_existing": "replace"}
    document = {
        "version": 1,
        "connections": {
            "prod": {"type": "cloudflare", "account_id": "0" * 32, "token": {"env": "CLOUDFLARE_MANAGEMENT"}}
        },
        "credentials": [
            {
                "name": "app",
                "connection": "prod",
                "owner": "account",
                "grants": [{"permissions": ["DNS Write"], "zones": ["example.com"]}],
                "targets": [target],
            }
        ],
    }
    path = tmp_path / "rotator.yaml"
    path.write_text(json.dumps(document))
    return path


def test_one_line_of_registry_makes_a_configuration_know_it(
    place: BoardPlace, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.TARGETS, "board", ENTRY)
    (credential,) = load(config, registry.kinds(), {}).credentials
    (stanza,) = credential.targets
    target = registry.TARGETS[stanza.common.type].open(
        None, stanza.options, stanza.keys, tmp_path, lambda code, text: None
    )
    new = fresh_values(place)
    target.check()
    target.write(publication(new, target.read()))
    assert (plain(target.read()), dict(place.look())) == (new, new)


def test_its_place_is_part_of_its_default_name(
    place: BoardPlace, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.TARGETS, "board", ENTRY)
    (credential,) = load(config, registry.kinds(), {}).credentials
    assert [target.name for target in credential.targets] == [f"board:{place.name}"]


def test_without_the_line_the_type_is_refused_and_those_that_there_are_named(config: Path) -> None:
    with pytest.raises(ConfigError, match="expected one of aws_secrets_manager, env_file, vault"):
        load(config, registry.kinds(), {})


def test_every_registered_target_keeps_the_contract_somewhere_here() -> None:
    """A new entry of the registry without a suite in this folder turns this red."""
    suites = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    names = {"aws_secrets_manager": "aws"}
    assert {names.get(kind, kind) for kind in registry.TARGETS} <= suites
