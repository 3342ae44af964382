"""The audit export by `once`, `audit key` and `audit verify --export`: what an auditor does with the file alone."""

import json

import pytest

from tests.canaries import leaks

SINKS = [
    {"name": "ours", "type": "file", "path": "ours.jsonl"},
    {"name": "theirs", "type": "file", "path": "theirs.jsonl", "format": "ocsf"},
]


@pytest.fixture
def exported(place, rotator):
    """`rotator`, with a credential that was published, and everything exported in both forms."""
    place.write(audit=SINKS)
    assert rotator("once").code == 0
    (place.folder / "audit.pem").write_text(rotator("audit", "key").out)
    return rotator


@pytest.fixture
def elsewhere(exported, place, tmp_path_factory, monkeypatch):
    """The program on another machine: the exports and the public key are all that there is."""
    folder = tmp_path_factory.mktemp("auditor")
    for name in ("ours.jsonl", "theirs.jsonl", "audit.pem"):
        (folder / name).write_bytes((place.folder / name).read_bytes())
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    return folder, exported


@pytest.mark.parametrize("file", ["ours.jsonl", "theirs.jsonl"])
def test_an_export_is_proven_without_a_journal_and_without_a_configuration(elsewhere, file):
    _, rotator = elsewhere
    shown = rotator("audit", "verify", "--export", file, "--public-key", "audit.pem", "-o", "json")
    assert (shown.code, shown.json["ok"], shown.json["whole"], shown.json["key_given"]) == (0, True, True, True)
    assert shown.json["facts"] > 5
    assert (shown.json["duplicates"], shown.json["unsigned"], shown.json["problems"]) == (0, 0, [])
    shown = rotator("audit", "verify", "--export", file, "--public-key", "audit.pem")
    assert "nothing is missing" in shown.out
    assert "signed until" in shown.out


def test_every_fact_of_the_journal_is_in_it(exported, place):
    facts = exported("history", "-o", "json").json["facts"]
    lines = [json.loads(line) for line in (place.folder / "ours.jsonl").read_text().splitlines()]
    told = [line for line in lines if line["type"] == "fact"]
    keys = ("time", "credential", "kind", "actor", "rotation", "epoch", "detail")
    assert [{key: line[key] for key in keys} for line in told] == [{key: fact[key] for key in keys} for fact in facts]


def test_no_value_and_no_digest_of_one_is_in_it(exported, place):
    values = [place.value(), *(path.read_text() for path in place.folder.iterdir() if path.name.endswith("management"))]
    assert all(values)
    assert leaks(values, [place.folder / "ours.jsonl", place.folder / "theirs.jsonl"]) == []


def test_a_changed_export_is_a_no_and_says_where(elsewhere):
    folder, rotator = elsewhere
    lines = (folder / "ours.jsonl").read_text().splitlines(keepends=True)
    (folder / "ours.jsonl").write_text("".join(lines[:3] + lines[4:]))
    shown = rotator("audit", "verify", "--export", "ours.jsonl", "-o", "json")
    assert (shown.code, shown.json["ok"]) == (1, False)
    assert {
        "file": "ours.jsonl",
        "line": 4,
        "code": "removed",
        "message": "the line before it is missing",
    } in shown.json["problems"]
    shown = rotator("audit", "verify", "--export", "ours.jsonl")
    assert "ours.jsonl:4: the line before it is missing" in shown.out
    assert "not to be trusted" in shown.out
    assert "find out who wrote to it" in shown.err


def test_without_a_key_the_answer_says_whose_it_claims_to_be(elsewhere):
    _, rotator = elsewhere
    key = rotator("audit", "verify", "--export", "ours.jsonl", "-o", "json").json["key"]
    shown = rotator("audit", "verify", "--export", "ours.jsonl")
    assert shown.code == 0
    assert f"compare the key {key} with that of `rotator audit key`" in shown.err


def test_the_key_of_another_instance_is_a_no(elsewhere):
    from rotator.audit.keys import Signer, pem

    folder, rotator = elsewhere
    (folder / "other.pem").write_text(pem(Signer(b"o" * 32).public))
    shown = rotator("audit", "verify", "--export", "ours.jsonl", "--public-key", "other.pem")
    assert shown.code == 1
    assert "signed by another key" in shown.out


def test_rotated_files_are_one_export(exported, place):
    (place.folder / "ours.jsonl").rename(place.folder / "ours.jsonl.1")
    assert exported("pause", "workers-deploy", "--reason", "lunch").code == 0
    assert exported("once").code == 0
    shown = exported("audit", "verify", "--export", "ours.jsonl.1", "--export", "ours.jsonl", "-o", "json")
    assert (shown.code, shown.json["whole"]) == (0, True)
    alone = exported("audit", "verify", "--export", "ours.jsonl")
    assert alone.code == 0
    assert "it begins in the middle" in alone.out
    assert '"kind":"paused"' in (place.folder / "ours.jsonl").read_text()


def test_a_part_of_an_export_is_proven_as_a_part(elsewhere):
    folder, rotator = elsewhere
    lines = (folder / "ours.jsonl").read_text().splitlines(keepends=True)
    (folder / "part.jsonl").write_text("".join(lines[2:]))
    assert rotator("audit", "verify", "--export", "part.jsonl").code == 1
    assert rotator("audit", "verify", "--export", "part.jsonl", "--part").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--export", "nowhere.jsonl"), "reading nowhere.jsonl: No such file or directory"),
        (("--export", "ours.jsonl", "--public-key", "nowhere.pem"), "reading nowhere.pem: No such file or directory"),
        (("--export", "ours.jsonl", "--public-key", "ours.jsonl"), "ours.jsonl: this is no public key"),
        (("--export", "."), "reading .: Is a directory"),
        (("--public-key", "audit.pem"), "--public-key and --part are about an export"),
        (("--part",), "--public-key and --part are about an export"),
    ],
)
def test_what_cannot_be_read_is_named(elsewhere, words, said):
    _, rotator = elsewhere
    shown = rotator("audit", "verify", *words)
    assert shown.code == 2
    assert said in shown.err


def test_the_public_key_is_the_same_at_every_time_and_openssl_reads_it(exported, place):
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    shown = exported("audit", "key", "-o", "json").json
    assert (place.folder / "audit.pem").read_text() == shown["pem"]
    assert shown["algorithm"] == "Ed25519"
    load_pem_public_key(shown["pem"].encode())


def test_a_sink_that_is_down_changes_nothing_about_a_rotation_and_gets_everything_later(place, rotator):
    place.write(audit=[{"name": "ours", "type": "file", "path": "logs/ours.jsonl"}])
    done = rotator("once")
    assert done.code == 0
    assert place.value()
    assert "audit_export_failed" in done.err
    (place.folder / "logs").mkdir()
    assert rotator("once").code == 0
    shown = rotator("audit", "verify", "--export", "logs/ours.jsonl", "-o", "json")
    assert (shown.code, shown.json["whole"]) == (0, True)
    assert shown.json["facts"] == rotator("audit", "verify", "-o", "json").json["facts"]


def test_a_credential_that_was_renamed_keeps_its_facts_under_the_name_of_then(place, rotator):
    place.write(place.credential("first"), audit=SINKS)
    assert rotator("once").code == 0
    place.write(place.credential("second", renamed_from="first"), audit=SINKS)
    assert rotator("once").code == 0
    names = [json.loads(line).get("credential") for line in (place.folder / "ours.jsonl").read_text().splitlines()]
    assert next(name for name in names if name) == "first"
    shown = rotator("audit", "verify", "--export", "ours.jsonl", "-o", "json")
    assert (shown.code, shown.json["duplicates"]) == (0, 0)
