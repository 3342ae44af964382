"""Where the file and the state are when nobody says."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic_core import PydanticCustomError

from rotator.config.find import find
from rotator.config.secret_ref import SecretRef
from rotator.config.state import place_of, state_folder
from rotator.core.errors import ConfigError

FOLDER = Path("/etc/rotator")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def environ(here: Path) -> dict[str, str]:
    return {"HOME": str(here / "home"), "XDG_CONFIG_HOME": str(here / "xdg")}


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_the_flag_wins_over_the_variable_and_that_over_files(here: Path) -> None:
    touch(here / "rotator.yaml")
    named = {**environ(here), "ROTATOR_CONFIG": "/named.yaml"}

    assert find("/flag.yaml", named) == Path("/flag.yaml")
    assert find(None, named) == Path("/named.yaml")
    assert find("", {**named, "ROTATOR_CONFIG": ""}) == Path("rotator.yaml")


def test_the_working_folder_comes_before_the_users_and_the_machines(here: Path) -> None:
    mine = touch(here / "xdg" / "rotator" / "rotator.yaml")
    assert find(None, environ(here)) == mine

    touch(here / "rotator.yaml")

    assert find(None, environ(here)) == Path("rotator.yaml")


@pytest.mark.parametrize("xdg", ["", "relative"])
def test_without_a_usable_variable_the_users_folder_is_dot_config(here: Path, xdg: str) -> None:
    mine = touch(here / "home" / ".config" / "rotator" / "rotator.yaml")

    assert find(None, {"HOME": str(here / "home"), "XDG_CONFIG_HOME": xdg}) == mine


def test_where_nothing_is_found_the_error_lists_where_was_looked(here: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find(None, environ(here))

    assert f"rotator.yaml, {here}/xdg/rotator/rotator.yaml, /etc/rotator/rotator.yaml" in caught.value.message


@pytest.mark.parametrize(
    "variables, uid, folder",
    [
        ({"STATE_DIRECTORY": "/var/lib/x:/var/lib/y"}, 1000, "/var/lib/x"),
        ({"STATE_DIRECTORY": "/var/lib/x"}, 0, "/var/lib/x"),
        ({"XDG_STATE_HOME": "/xdg"}, 0, "/var/lib/rotator"),
        ({"XDG_STATE_HOME": "/xdg", "HOME": "/home/a"}, 1000, "/xdg/rotator"),
        ({"XDG_STATE_HOME": "xdg", "HOME": "/home/a"}, 1000, "/home/a/.local/state/rotator"),
        ({"HOME": "/home/a"}, 1000, "/home/a/.local/state/rotator"),
    ],
)
def test_the_state_has_a_folder_by_the_custom_of_the_system(variables: dict[str, str], uid: int, folder: str) -> None:
    assert state_folder(variables, uid) == Path(folder)


@pytest.fixture
def unknown_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom no database knows, as in a container that runs as any uid."""

    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.delenv("HOME", raising=False)


@pytest.mark.parametrize("variables", [{}, {"HOME": ""}])
def test_without_a_home_the_configuration_is_looked_for_elsewhere(
    here: Path, unknown_user: None, variables: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match=r"looked for rotator\.yaml, /etc/rotator/rotator\.yaml"):
        find(None, variables)
    assert find(None, {**variables, "XDG_CONFIG_HOME": str(touch(here / "x/rotator/rotator.yaml").parents[1])})


def test_a_home_that_may_not_be_entered_is_passed_over(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.stat", refused)
    with pytest.raises(ConfigError, match="there is no configuration file"):
        find(None, {"HOME": "/root"})


def test_without_a_home_the_state_wants_a_place(unknown_user: None) -> None:
    assert state_folder({"STATE_DIRECTORY": "/var/lib/x"}, 1000) == Path("/var/lib/x")
    assert state_folder({"XDG_STATE_HOME": "/xdg"}, 1000) == Path("/xdg/rotator")
    assert state_folder({}, 0) == Path("/var/lib/rotator")
    with pytest.raises(PydanticCustomError, match=r"no home folder.*set STATE_DIRECTORY or HOME"):
        state_folder({}, 1000)


@pytest.mark.parametrize("path", ["~/x", "~nobody-has-this-name/x"])
def test_a_path_of_a_home_that_nobody_knows_is_a_usage_error(unknown_user: None, path: str) -> None:
    with pytest.raises(ConfigError, match="has no home folder"):
        find(path, {})


def test_a_state_that_is_not_configured_generates_its_key_beside_the_data() -> None:
    place = place_of(None, None, FOLDER, {"HOME": "/home/a"}, 0)

    assert (place.url, place.folder) == ("sqlite:////var/lib/rotator/state.db", Path("/var/lib/rotator"))
    assert (place.encryption_key.file, place.generated) == (Path("/var/lib/rotator/rotator.key"), True)


def test_a_configured_key_is_never_ours_to_generate() -> None:
    place = place_of(None, SecretRef(env="KEY"), FOLDER, {}, 0)

    assert (place.encryption_key.env, place.generated) == ("KEY", False)


@pytest.mark.parametrize(
    "url, database",
    [
        ("sqlite:////data/s.db", "/data/s.db"),
        ("sqlite:///s.db", "/etc/rotator/s.db"),
        ("sqlite:///../s.db", "/etc/s.db"),
        ("sqlite:///~/s.db", "/home/a/s.db"),
    ],
)
def test_a_state_url_names_a_file(url: str, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/a")

    place = place_of(url, None, FOLDER, {}, 1000)

    assert (place.database, place.url) == (Path(database), f"sqlite:///{database}")
    assert place.encryption_key.file == Path(database).parent / "rotator.key"


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///a?mode=ro", "sqlite:///file:x", "mysql://x", "s.db"]
)
def test_anything_else_is_no_state(url: str) -> None:
    with pytest.raises(PydanticCustomError):
        place_of(url, None, FOLDER, {}, 0)


# ----------------------------------------------------------------------------------------------------------- PostgreSQL
POSTGRES = "postgresql://rotator@db.example.com:5432/rotator?sslmode=verify-full"


def on_server(**more):
    given = {"url": POSTGRES, "key": SecretRef(file=Path("/k")), "password": SecretRef(env="P"), **more}
    return place_of(given["url"], given["key"], Path("/srv"), {"STATE_DIRECTORY": "/var/lib/x"}, 0, given["password"])


def test_a_database_on_a_server_has_no_file_and_this_machine_a_folder_for_its_spools() -> None:
    place = on_server()
    assert (place.database, place.folder, place.generated, place.there()) == (None, Path("/var/lib/x"), False, True)
    assert place.name == "postgresql://rotator@db.example.com:5432/rotator"


def test_the_short_scheme_is_taken_too() -> None:
    assert on_server(url=POSTGRES.replace("postgresql", "postgres")).database is None


@pytest.mark.parametrize("missing", ["key", "password"])
def test_a_database_on_a_server_needs_password_and_key(missing: str) -> None:
    with pytest.raises(PydanticCustomError, match="missing"):
        on_server(**{missing: None})
