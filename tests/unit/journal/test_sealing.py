"""Sealing: what is bound to what, which key opens what, and key files that are never overwritten."""

from __future__ import annotations

import stat
from dataclasses import fields, replace
from pathlib import Path

import pytest

from rotator.core.errors import ConfigError, JournalUnsafe
from rotator.core.secret import Secret
from rotator.journal.key_file import generate_key, read_key
from rotator.journal.sealing import (
    KeyRing,
    Seal,
    Sealed,
    new_secret,
    pack,
    unlock,
    unpack,
)

VALUE = Secret("canary-0123456789")
KEY_A = "rotator-key-v1 aaaaaaaa AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
KEY_B = "rotator-key-v1 bbbbbbbb //79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="


def ring(*lines: str) -> KeyRing:
    return KeyRing(Secret("\n".join(lines)))


def seal(*lines: str) -> Seal:
    return Seal("0badcafe", ring(*lines), b"s" * 32)


def sealed(by: Seal) -> Sealed:
    return by.seal("stream-1", "r1", 1, "token-1", VALUE)


def test_a_sealed_value_opens_to_what_it_was():
    assert seal(KEY_A).open(sealed(seal(KEY_A))) == VALUE


def test_the_same_value_never_looks_the_same_twice():
    one, two = sealed(seal(KEY_A)), sealed(seal(KEY_A))
    assert one.ciphertext != two.ciphertext
    assert one.wrapped_key != two.wrapped_key
    assert one.fingerprint == two.fingerprint


@pytest.mark.parametrize("field", ["instance", "sealed_id", "credential", "rid", "attempt", "format"])
def test_a_record_that_was_moved_to_another_place_does_not_open(field: str):
    record = sealed(seal(KEY_A))
    moved = replace(record, **{field: 7 if field in ("attempt", "format") else "other"})
    with pytest.raises(JournalUnsafe):
        seal(KEY_A).open(moved)


@pytest.mark.parametrize("field", ["nonce", "ciphertext", "wrapped_key"])
def test_a_record_with_one_flipped_bit_does_not_open(field: str):
    record = sealed(seal(KEY_A))
    content = bytearray(getattr(record, field))
    content[-1] ^= 1
    with pytest.raises(JournalUnsafe) as refused:
        seal(KEY_A).open(replace(record, **{field: bytes(content)}))
    assert "canary" not in str(refused.value)


def test_what_is_bound_leaves_out_what_changes_on_the_way_from_spool_to_journal():
    """A fingerprint or a token id in another column, another key id after a rekey: the value still opens."""
    record = replace(sealed(seal(KEY_A)), fingerprint="x", token_id="y")
    assert seal(KEY_A).open(record) == VALUE


def test_the_first_key_seals_and_every_key_opens():
    old = sealed(seal(KEY_A))
    both = seal(KEY_B, KEY_A)
    assert both.open(old) == VALUE
    assert sealed(both).key_id == "bbbbbbbb"


def test_rewrapping_changes_the_key_and_not_the_ciphertext():
    old = sealed(seal(KEY_A))
    new = seal(KEY_B, KEY_A).keys.rewrap(old)
    assert (new.ciphertext, new.digest) == (old.ciphertext, old.digest)
    assert seal(KEY_B).open(new) == VALUE


def test_a_wrong_key_says_which_key_is_wanted():
    with pytest.raises(JournalUnsafe, match="sealed under key aaaaaaaa, and the key file holds bbbbbbbb") as refused:
        seal(KEY_B).open(sealed(seal(KEY_A)))
    assert "encryption_key" in refused.value.remedy


def test_another_key_under_the_same_id_is_told_apart():
    with pytest.raises(JournalUnsafe, match="key aaaaaaaa does not open"):
        seal(KEY_B.replace("bbbbbbbb", "aaaaaaaa")).open(sealed(seal(KEY_A)))


def test_a_destroyed_value_is_a_key_error():
    with pytest.raises(KeyError):
        seal(KEY_A).open(replace(sealed(seal(KEY_A)), wrapped_key=b""))


def test_fingerprints_and_chains_hang_on_the_instance_secret():
    here, there = seal(KEY_A), Seal("0badcafe", ring(KEY_A), b"t" * 32)
    assert here.fingerprint(VALUE) != there.fingerprint(VALUE)
    assert here.chain_key != there.chain_key
    assert here.fingerprint(VALUE) != here.chain_key.hex()


def test_the_instance_secret_opens_with_its_own_key_and_instance_only():
    secret = new_secret("0badcafe", ring(KEY_A))
    assert unlock("0badcafe", ring(KEY_A), secret).fingerprint(VALUE)
    with pytest.raises(JournalUnsafe):
        unlock("0badcafe", ring(KEY_B), secret)


def test_a_packed_record_comes_back():
    record = sealed(seal(KEY_A))
    assert unpack(pack(record)) == record
    assert set(pack(record)) == {field.name for field in fields(Sealed)}


@pytest.mark.parametrize("broken", [{}, {"sealed_id": "x"}, {"nonce": "not base64!"}])
def test_anything_else_is_no_packed_record(broken: dict[str, str | int]):
    with pytest.raises(ValueError, match="sealed record"):
        unpack(broken)


def test_a_generated_key_is_private_and_works(tmp_path: Path):
    file = tmp_path / "journal.key"
    key_id = generate_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KeyRing(read_key(file)).active == key_id


def test_a_key_is_never_overwritten(tmp_path: Path):
    file = tmp_path / "journal.key"
    generate_key(file)
    before = file.read_bytes()
    with pytest.raises(ConfigError, match="never overwritten") as refused:
        generate_key(file)
    assert file.read_bytes() == before
    assert refused.value.remedy


def test_two_generated_keys_differ(tmp_path: Path):
    generate_key(tmp_path / "a")
    generate_key(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_a_key_cannot_be_written_where_there_is_no_folder(tmp_path: Path):
    with pytest.raises(ConfigError, match="writing a new key"):
        generate_key(tmp_path / "nowhere" / "journal.key")


def test_a_key_file_that_others_may_write_is_refused(tmp_path: Path):
    file = tmp_path / "journal.key"
    generate_key(file)
    file.chmod(0o620)
    with pytest.raises(ConfigError, match="others may write") as refused:
        read_key(file)
    assert refused.value.remedy == f"chmod go-w {file}"


def test_a_key_file_that_others_may_read_is_accepted(tmp_path: Path):
    """Kubernetes mounts secrets that way."""
    file = tmp_path / "journal.key"
    generate_key(file)
    file.chmod(0o644)
    assert read_key(file)


def test_a_missing_key_file_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(ConfigError) as refused:
        read_key(tmp_path / "nothing")
    assert "keygen" in refused.value.remedy


def test_an_empty_key_file_is_refused(tmp_path: Path):
    file = tmp_path / "journal.key"
    file.write_text(" \n")
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="empty"):
        read_key(file)


@pytest.mark.parametrize(
    "line",
    [
        "rotator-key-v2 aaaaaaaa AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "rotator-key-v1 aaaaaaaa AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "rotator-key-v1 AAAAAAAA AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "hunter2",
    ],
)
def test_a_line_that_is_no_key_is_named_by_its_number_and_not_shown(line: str):
    with pytest.raises(ConfigError, match="line 2") as refused:
        ring(KEY_A, line)
    assert line.split()[-1] not in str(refused.value)


def test_comments_and_blank_lines_are_no_keys():
    assert ring("# made 2026-11-22", "", KEY_A).active == "aaaaaaaa"
    with pytest.raises(ConfigError, match="empty"):
        ring("# nothing here")
