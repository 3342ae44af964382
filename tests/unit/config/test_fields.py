"""Single values: durations, modes, ids, texts, paths, addresses."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from rotator.config.fields import (
    DURATION_PATTERN,
    LONGEST,
    NEVER,
    ConfigPath,
    HexId,
    Lifetime,
    OctalMode,
    PositiveDuration,
    ServiceUrl,
    Text,
    WrittenFloat,
    WrittenInt,
    format_duration,
    is_loopback,
    parse_duration,
)


def written(number: int | float, text: str) -> WrittenInt | WrittenFloat:
    found = WrittenInt(number) if isinstance(number, int) else WrittenFloat(number)
    found.text = text
    return found


# ------------------------------------------------------------------------------------------------------------ durations
@pytest.mark.parametrize(
    "text, seconds",
    [
        ("90d", 7_776_000),
        ("36h", 129_600),
        ("45s", 45),
        ("1h30m", 5_400),
        ("2d12h30m5s", 217_805),
        ("0s", 0),
        ("0.5s", 0.5),
        ("1.5h", 5_400),
        (90, 90),
        (0.25, 0.25),
        ("36500d", LONGEST),
    ],
)
def test_a_duration_is_a_number_of_seconds(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "d",
        "90",
        "90 d",
        "d90",
        "1m1h",
        "1h1h",
        "-1s",
        "1h-5m",
        "+5s",
        "1e3s",
        "٣s",
        "9O d",
        ".5s",
        "5.s",
        "1w",
        "90d\n",
        "never",
        "inf",
        -1,
        True,
        False,
        None,
        [],
        {},
        math.nan,
        math.inf,
        -math.inf,
        "36501d",
        10**400,
    ],
    ids=repr,
)
def test_anything_else_is_no_duration(text: object) -> None:
    with pytest.raises(PydanticCustomError):
        parse_duration(text)


@given(st.integers(0, int(LONGEST)))
@example(0)
@example(int(LONGEST))
def test_a_formatted_duration_reads_as_the_same_seconds(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.floats(0, 1e6).map(lambda seconds: round(seconds, 3)))
def test_a_formatted_fraction_reads_as_the_same_seconds(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=1e-6)


@given(st.text("0123456789.dhms -", max_size=12))
def test_parser_and_schema_pattern_accept_the_same_texts(text: str) -> None:
    fits = re.search(DURATION_PATTERN, text) is not None and text != ""

    try:
        parse_duration(text)
        accepted = True
    except PydanticCustomError as error:
        accepted = "too long" in error.message()

    assert accepted == fits


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans())
def test_a_duration_is_read_or_refused_and_never_anything_else(value: object) -> None:
    try:
        seconds = parse_duration(value)
    except PydanticCustomError:
        return

    assert 0 <= seconds <= LONGEST


def test_zero_is_no_positive_duration() -> None:
    with pytest.raises(ValidationError, match="zero"):
        TypeAdapter(PositiveDuration).validate_python("0s")


def test_a_lifetime_may_be_never_and_goes_out_as_it_came_in() -> None:
    lifetime = TypeAdapter(Lifetime)

    assert lifetime.validate_python("never") == NEVER
    assert lifetime.dump_python(NEVER, mode="json") == "never"
    assert lifetime.dump_python(lifetime.validate_python("90d"), mode="json") == 7_776_000
    assert format_duration(NEVER) == "never"


# ---------------------------------------------------------------------------------------------------------------- texts
@pytest.mark.parametrize("value", ["0600", "600", "0o600", "0o0600", written(600, "0600"), written(384, "0o600")])
def test_a_file_mode_is_octal_quoted_or_not(value: object) -> None:
    assert TypeAdapter(OctalMode).validate_python(value) == 0o600


@pytest.mark.parametrize("value", ["rw", "0900", "06000", "4755", "", 384, None, written(9, "9")])
def test_anything_else_is_no_file_mode(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(OctalMode).validate_python(value)


def test_a_file_mode_goes_out_as_it_is_read_in() -> None:
    mode = TypeAdapter(OctalMode)

    assert mode.validate_python(mode.dump_python(0o640, mode="json")) == 0o640


@pytest.mark.parametrize(
    "value",
    [
        "0123456789abcdef0123456789abcdef",
        written(1, "0" * 31 + "1"),
        written(math.inf, "4e123456789012345678901234567890"),
    ],
)
def test_an_id_that_yaml_takes_for_a_number_keeps_its_digits(value: object) -> None:
    assert len(TypeAdapter(HexId).validate_python(value)) == 32


@pytest.mark.parametrize("value", ["0123", "0123456789ABCDEF0123456789ABCDEF", 12, None, "g" * 32])
def test_anything_else_is_no_id(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(HexId).validate_python(value)


@pytest.mark.parametrize("value", ["", "a\nb", "a\x00b", "a\u2028b", 12, None, "x" * 4097])
def test_a_text_is_one_printable_line(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Text).validate_python(value)


# ---------------------------------------------------------------------------------------------------------------- paths
@pytest.mark.parametrize(
    "text, path",
    [
        (".env", "/etc/rotator/.env"),
        ("../x/.env", "/etc/rotator/../x/.env"),
        ("/srv/.env", "/srv/.env"),
        ("~/app/.env", "/home/app/app/.env"),
    ],
)
def test_a_path_is_relative_to_the_configuration_and_knows_home(
    text: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/app")

    found = TypeAdapter(ConfigPath).validate_python(text, context={"folder": Path("/etc/rotator")})

    assert found == Path(path)


def test_a_path_without_a_folder_stays_as_it_is() -> None:
    assert TypeAdapter(ConfigPath).validate_python("x/.env") == Path("x/.env")


@pytest.mark.parametrize("value", ["", "a\x00b", "~nobody-of-this-name/x", 3, None])
def test_anything_else_is_no_path(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ConfigPath).validate_python(value)


# ------------------------------------------------------------------------------------------------------------ addresses
@pytest.mark.parametrize(
    "url", ["https://vault", "https://vault:8200/base", "http://localhost:1", "http://127.9.9.9", "http://[::1]:8200"]
)
def test_a_service_is_reached_by_https_or_on_loopback(url: str) -> None:
    assert TypeAdapter(ServiceUrl).validate_python(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "vault:8200",
        "ftp://vault",
        "https://",
        "http://vault",
        "http://127.0.0.1.example.com",
        "https://me@vault",
        "https://vault?x=1",
        "https://vault#x",
        "https://va ult",
        "https://vault:99999",
        "https://[::1",
        "http://10.0.0.1",
    ],
)
def test_anything_else_is_no_address_of_a_service(url: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ServiceUrl).validate_python(url)


@pytest.mark.parametrize("url", ["", "nonsense", "https://[::1", "https://localhost.example.com", "https://0.0.0.0"])
def test_what_is_no_loopback_address_is_not_taken_for_one(url: str) -> None:
    assert not is_loopback(url)
