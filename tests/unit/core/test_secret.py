"""A secret leaves memory through `reveal()` alone."""

import copy
import json
import logging
import pickle
from dataclasses import asdict, dataclass

import pytest

from rotator.core.secret import PLACEHOLDER, Secret

VALUE = "canary-5b0e"


@dataclass
class Holder:
    value: Secret


@pytest.mark.parametrize(
    "leak",
    [
        str,
        lambda s: f"{s}",
        lambda s: f"{s:>20}",
        "{}".format,
        lambda s: "%s" % s,  # noqa: UP031  # an old way to format is a way to leak
        json.dumps,
        lambda s: json.dumps(s, default=str),
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        lambda s: asdict(Holder(s)),
        hash,
        lambda s: {s: 1},
        lambda s: s + "",
        len,
        bytes,
        list,
        vars,
    ],
)
def test_it_refuses_to_be_anything_else(leak):
    with pytest.raises(TypeError) as caught:
        leak(Secret(VALUE))

    assert VALUE not in str(caught.value)


def test_it_reveals_its_value():
    assert Secret(VALUE).reveal() == VALUE


def test_a_traceback_or_a_failing_assertion_shows_a_placeholder():
    assert repr(Secret(VALUE)) == PLACEHOLDER
    assert repr(Holder(Secret(VALUE))) == f"Holder(value={PLACEHOLDER})"
    assert f"{Secret(VALUE)!r}" == PLACEHOLDER
    assert VALUE not in repr([Secret(VALUE)])


def test_a_log_line_never_holds_it(caplog, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logging.getLogger("t").warning("value %r", Secret(VALUE))

    assert VALUE not in caplog.text


def test_two_secrets_with_one_value_are_equal():
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret("other")


def test_it_is_equal_to_no_text():
    assert Secret(VALUE) != VALUE


def test_values_beyond_ascii_are_compared_too():
    assert Secret("schlüssel") == Secret("schlüssel")


def test_an_empty_secret_is_none():
    with pytest.raises(ValueError, match="must not be empty"):
        Secret("")


def test_it_takes_no_further_attribute():
    with pytest.raises(AttributeError):
        Secret(VALUE).note = VALUE  # type: ignore[attr-defined]
