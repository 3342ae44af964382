"""Secrets are found in finished text, in whatever form and however little of them."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.core.secret import Secret
from rotator.observability.redact import MASK, PIECE, Redactor

CANARY = "CANARY-3v/+q=Xz Kp%7\n'\"\\é-mNbVcXz"
PLAIN_CANARY = "cfXX_0123CANARYabcdefghijklmnopqrstuvwxyz45"


def knowing(*values: str, limit: int = 128) -> Redactor:
    redactor = Redactor(limit)
    for value in values:
        redactor.add(Secret(value))
    return redactor


def pieces(text: str, size: int = PIECE) -> set[str]:
    return {text[i : i + size] for i in range(len(text) - size + 1)}


FORMS = {
    "plain": lambda v: v,
    "reversed": lambda v: v[::-1],
    "JSON": lambda v: json.dumps(v),
    "JSON with its own letters": lambda v: json.dumps(v, ensure_ascii=False),
    "JSON within JSON": lambda v: json.dumps(json.dumps(v)),
    "Python": repr,
    "URL": lambda v: quote(v, safe=""),
    "URL in small letters": lambda v: quote(v, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
    "form": quote_plus,
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64 after one byte": lambda v: base64.b64encode(b"u" + v.encode()).decode(),
    "base64 of user and password": lambda v: base64.b64encode(b"user:" + v.encode() + b"!").decode(),
    "base64 for URLs": lambda v: base64.urlsafe_b64encode(v.encode()).decode(),
    "hexadecimal": lambda v: v.encode().hex(),
    "HEXADECIMAL": lambda v: v.encode().hex().upper(),
}


@pytest.mark.parametrize("value", [CANARY, PLAIN_CANARY], ids=["odd", "token"])
@pytest.mark.parametrize("form", FORMS)
def test_a_registered_value_is_removed_in_every_form(form: str, value: str) -> None:
    carried = FORMS[form](value)

    clean = knowing(value).scrub(f"<{carried}>")

    assert MASK in clean
    # What may be left of an encoding are the few characters at its ends that depend on the neighbours of the value.
    assert not pieces(carried) & pieces(clean)


@given(st.integers(0, len(PLAIN_CANARY) - PIECE), st.integers(PIECE, 40))
def test_a_part_of_a_value_is_removed_too(start: int, length: int) -> None:
    part = PLAIN_CANARY[start : start + length]

    assert part not in knowing(PLAIN_CANARY).scrub(f"cut: {part}")


@given(st.text(max_size=60), st.text(max_size=60), st.text(min_size=8, max_size=40))
def test_no_piece_of_a_value_survives_whatever_stands_around_it(before: str, after: str, value: str) -> None:
    clean = knowing(value).scrub(before + value + after)

    assert value not in clean.replace(MASK, "\0")


def test_the_text_around_a_value_stays() -> None:
    assert knowing(PLAIN_CANARY).scrub(f"PUT {PLAIN_CANARY} failed, {PLAIN_CANARY}") == f"PUT {MASK} failed, {MASK}"


def test_text_without_a_secret_is_returned_as_it_is() -> None:
    text = "rotation 0123456789abcdef0123456789abcdef confirmed for workers-deploy"

    assert knowing(CANARY, PLAIN_CANARY).scrub(text) is text


def test_a_short_password_is_removed_whole() -> None:
    assert knowing("hunter2").scrub("password hunter2!") == f"password {MASK}!"


def test_a_secret_of_three_characters_is_not_looked_for() -> None:
    assert knowing("the").scrub("the words of other lines") == "the words of other lines"


def test_the_oldest_values_are_forgotten_and_pinned_ones_never() -> None:
    redactor = Redactor(limit=2)
    redactor.add(Secret("pinned-login-secret"), pin=True)
    for number in range(3):
        redactor.add(Secret(f"{number}" * 20))

    shown = redactor.scrub(f"pinned-login-secret {'0' * 20} {'1' * 20} {'2' * 20}")

    assert shown == f"{MASK} {'0' * 20} {MASK} {MASK}"


def test_a_value_that_is_used_again_is_kept() -> None:
    redactor = knowing("a" * 20, "b" * 20, limit=2)
    redactor.add(Secret("a" * 20))
    redactor.add(Secret("c" * 20))

    assert redactor.scrub(f"{'a' * 20} {'b' * 20}") == f"{MASK} {'b' * 20}"


def test_pinning_a_known_value_keeps_it() -> None:
    redactor = knowing("a" * 20, limit=1)
    redactor.add(Secret("a" * 20), pin=True)
    redactor.add(Secret("a" * 20))
    redactor.add(Secret("b" * 20))

    assert redactor.scrub("a" * 20) == MASK


def test_no_value_is_kept_by_the_registry() -> None:
    redactor = knowing(PLAIN_CANARY)

    assert PLAIN_CANARY[:8] not in repr(vars(redactor))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abcdefghijklmnop1234", "abcdefghijklmnop1234"),
        ("authorization: basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA=="),
        ("token hvs.CAESIJ0abcdef refused", "hvs.CAESIJ0abcdef"),
        ("batch hvb.AAAAAQKabcdef", "hvb.AAAAAQKabcdef"),
        ("got cfut_AbCdEf0123456789", "cfut_AbCdEf0123456789"),
        ("got cfat_AbCdEf0123456789", "cfat_AbCdEf0123456789"),
        ("got cfk_AbCdEf0123456789", "cfk_AbCdEf0123456789"),
        ("{'X-Vault-Token': 'root-token'}", "root-token"),
        ("X-Auth-Key: 0123456789abcdef", "0123456789abcdef"),
        ("postgresql://rotator:geheim@db/state", "geheim"),
    ],
)
def test_the_shape_of_a_secret_is_enough(text: str, secret: str) -> None:
    clean = Redactor().scrub(text)

    assert secret not in clean
    assert MASK in clean
