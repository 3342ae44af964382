"""Another key under a journal: who takes it when, what a kill leaves, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rotator.core.errors import ConfigError, JournalUnsafe, RotatorError
from rotator.core.secret import Secret
from rotator.journal.key_file import add_key, generate_key, read_key
from rotator.journal.open import open_journal
from rotator.journal.sealing import KeyRing
from rotator.journal.store import SqlJournal
from tests.contract.journal.benches import SqliteBench
from tests.contract.journal.drafts import captured

VALUE = Secret("canary-of-the-rekey")


@dataclass
class Keyed:
    """A bench whose key file is its own, so that it may change."""

    bench: SqliteBench
    file: Path
    old: str
    stream: str
    journals: list[SqlJournal] = field(default_factory=list)

    def open(self, key: Path | None = None, **options: object) -> SqlJournal:
        self.bench.key = key or self.file
        journal = self.bench.open(**options)
        self.journals.append(journal)
        return journal

    def only(self, line: int) -> Path:
        """A key file with one line of the present one."""
        path = self.file.with_name(f"line-{line}.key")
        path.unlink(missing_ok=True)
        path.write_text(self.file.read_text().splitlines()[line] + "\n")
        path.chmod(0o600)
        return path

    def opens(self, key: Path, *values: Secret) -> bool:
        """Whether the journal can be opened with that key file, and each value in it."""
        try:
            journal = open_journal(self.bench.url, key, mode="reader")
        except JournalUnsafe:
            return False
        try:
            return all(journal.reveal(self.stream, journal.fingerprint(value)) == value for value in values)
        except JournalUnsafe:
            return False
        finally:
            journal.close()


@pytest.fixture
def keyed(bench: SqliteBench, tmp_path: Path) -> Keyed:
    stream = bench.stream("a")
    file = tmp_path / "rotator.key"
    file.write_text(bench.key.read_text())
    file.chmod(0o600)
    return Keyed(bench, file, KeyRing(read_key(file)).active, stream)


def capture(journal: SqlJournal, stream: str, number: int, value: Secret) -> None:
    journal.capture(stream, captured(number, token_id=f"token-{number}"), value)


def test_every_living_value_opens_with_the_new_key_alone_afterwards(keyed: Keyed):
    journal = keyed.open()
    capture(journal, keyed.stream, 1, VALUE)
    capture(journal, keyed.stream, 2, Secret("destroyed"))
    journal.destroy(keyed.stream, "token-2")
    new, others = add_key(keyed.file)

    done = journal.rekey(0)

    assert others == (keyed.old,)
    assert (done.key_id, done.rewrapped, done.opened, done.unreadable, done.before) == (new, 1, 1, (), (keyed.old,))
    assert keyed.opens(keyed.only(0), VALUE)
    assert not keyed.opens(keyed.only(1))
    assert journal.audit.verify().breaks == ()


def test_doing_it_again_changes_nothing_and_opens_everything(keyed: Keyed):
    journal = keyed.open()
    capture(journal, keyed.stream, 1, VALUE)
    add_key(keyed.file)
    journal.rekey(0)
    done = journal.rekey(0)
    assert (done.rewrapped, done.opened, done.before) == (0, 1, ())


@pytest.mark.parametrize("step", range(1, 8))
def test_a_kill_anywhere_in_between_leaves_a_journal_that_both_keys_open_and_a_repeat_finishes(keyed: Keyed, step: int):
    values = [Secret(f"value-{number}") for number in range(450)]  # more than two batches
    journal = keyed.open()
    for number, value in enumerate(values, start=1):
        capture(journal, keyed.stream, number, value)
    journal.close()
    add_key(keyed.file)
    passed: list[str] = []

    def crash(name: str) -> None:
        passed.append(name) if "rekey" in name else None
        if len(passed) == step and "rekey" in name:
            raise KeyboardInterrupt

    dying = keyed.open(crash=crash)
    with pytest.raises(KeyboardInterrupt):
        dying.rekey(0)
    keyed.bench.kill(dying)

    assert keyed.opens(keyed.file, *values)
    assert keyed.open().rekey(0).opened == len(values)
    assert keyed.opens(keyed.only(0), *values)


def test_a_process_that_works_takes_the_new_key_at_its_next_heartbeat_and_seals_under_it(keyed: Keyed):
    working = keyed.open()
    new, _ = add_key(keyed.file)
    capture(working, keyed.stream, 1, Secret("before"))
    working.heartbeat()
    capture(working, keyed.stream, 2, Secret("after"))

    assert keyed.open().rekey(0).rewrapped == 1
    assert keyed.opens(keyed.only(0), Secret("before"), Secret("after"))
    assert working.reveal(keyed.stream, working.fingerprint(Secret("before"))).reveal() == "before"
    assert new in keyed.file.read_text()


def test_it_waits_for_a_process_that_still_seals_under_the_old_key_and_then_says_which(keyed: Keyed):
    working = keyed.open()
    capture(working, keyed.stream, 1, VALUE)
    add_key(keyed.file)
    another = keyed.open()
    with pytest.raises(RotatorError, match=f"still seals under key {keyed.old}") as refused:
        another.rekey(5)
    assert "key file" in refused.value.remedy
    assert keyed.opens(keyed.only(1), VALUE), "nothing was wrapped anew"
    working.heartbeat()
    assert another.rekey(5).rewrapped == 1


def test_a_process_of_a_version_that_does_not_tell_its_key_is_waited_for_as_well(keyed: Keyed):
    working = keyed.open()
    with working._db.write() as connection:
        connection.execute("DELETE FROM meta WHERE name LIKE 'key:%'")
    add_key(keyed.file)
    with pytest.raises(RotatorError, match="of another version"):
        keyed.open().rekey(0)


def test_a_dead_process_is_not_waited_for_and_what_it_spooled_is_under_the_new_key(keyed: Keyed):
    dead = keyed.open()
    dead.spool(keyed.stream, captured(1), VALUE)
    keyed.bench.kill(dead)
    add_key(keyed.file)
    keyed.open().rekey(0)
    assert keyed.opens(keyed.only(0), VALUE)


def test_what_a_process_has_spooled_is_under_the_key_that_it_took(keyed: Keyed):
    working = keyed.open()
    working.spool(keyed.stream, captured(1), VALUE)
    add_key(keyed.file)
    working.heartbeat()
    keyed.bench.kill(working)
    keyed.open().rekey(0)
    later = keyed.open(keyed.only(0))
    later.import_spools()
    assert later.reveal(keyed.stream, later.fingerprint(VALUE)) == VALUE


def test_a_capture_that_was_sealed_an_instant_before_the_new_key_came_is_committed_under_it(keyed: Keyed):
    working = keyed.open()
    working.spool(keyed.stream, captured(1), VALUE)  # sealed under the old key
    add_key(keyed.file)
    working._work.keys._keys.turn(working._work.keys._root())  # the key came; the spool was not looked at yet
    capture(working, keyed.stream, 1, VALUE)
    keyed.file.write_text(keyed.only(0).read_text())
    with working._db.read() as connection:
        assert connection.execute("SELECT key_id FROM sealed").fetchall() == [(KeyRing(read_key(keyed.file)).active,)]


def test_a_key_file_that_does_not_open_the_journal_is_not_sealed_under(keyed: Keyed):
    """Somebody copies another installation's key over ours: what is captured then must not rest under that."""
    working = keyed.open()
    ours = keyed.file.read_text()
    generate_key(keyed.file.with_name("other"))
    keyed.file.write_text(keyed.file.with_name("other").read_text())
    working.heartbeat()
    capture(working, keyed.stream, 1, VALUE)
    keyed.file.write_text(ours)
    assert keyed.opens(keyed.file, VALUE)


@pytest.mark.parametrize("content", ["", "nonsense\n", None])
def test_a_key_file_that_is_gone_or_broken_stops_no_process_that_works(keyed: Keyed, content: str | None):
    working = keyed.open()
    capture(working, keyed.stream, 1, VALUE)
    keyed.file.write_text(content) if content is not None else keyed.file.unlink()
    working.heartbeat()
    assert working.reveal(keyed.stream, working.fingerprint(VALUE)) == VALUE


def test_a_value_under_a_key_that_nobody_has_is_named_and_the_others_are_done(keyed: Keyed):
    journal = keyed.open()
    capture(journal, keyed.stream, 1, VALUE)
    capture(journal, keyed.stream, 2, Secret("strange"))
    with journal._db.write() as connection:
        connection.execute("UPDATE sealed SET key_id = 'ffffffff' WHERE token_id = 'token-2'")
    add_key(keyed.file)
    done = journal.rekey(0)
    assert done.rewrapped == 1
    assert [one.stream for one in done.unreadable] == [keyed.stream]
    assert keyed.opens(keyed.only(0), VALUE)


def test_the_old_wrapping_is_in_no_byte_of_the_files_any_more(keyed: Keyed):
    journal = keyed.open()
    capture(journal, keyed.stream, 1, VALUE)
    with journal._db.read() as connection:
        (wrapped,) = connection.execute("SELECT wrapped_key FROM sealed").fetchone()
    state = keyed.bench.path.parent
    assert any(wrapped in file.read_bytes() for file in state.glob("state.db*")), "else the search below proves nothing"
    add_key(keyed.file)
    journal.rekey(0)
    assert [file.name for file in state.iterdir() if file.is_file() and wrapped in file.read_bytes()] == []


# --------------------------------------------------------------------------------------------------------- the key file
def test_a_key_is_put_before_the_others_and_mode_and_comments_stay(tmp_path: Path):
    file = tmp_path / "rotator.key"
    old = generate_key(file)
    file.write_text("# kept since 2024\n" + file.read_text())
    file.chmod(0o400)
    new, others = add_key(file)
    assert others == (old,)
    assert KeyRing(read_key(file)).ids == (new, old)
    assert "# kept since 2024" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o400
    assert {path.name for path in tmp_path.iterdir()} <= {"rotator.key", ".rotator.key.lock"}


def test_a_key_is_added_to_nothing_that_is_no_key_file_or_only_a_link(tmp_path: Path):
    with pytest.raises(ConfigError, match="No such file"):
        add_key(tmp_path / "none")
    generate_key(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(ConfigError, match="it is a link") as refused:
        add_key(tmp_path / "link")
    assert "mounted" in refused.value.remedy


def test_two_keys_with_one_id_are_refused(tmp_path: Path):
    generate_key(tmp_path / "a")
    generate_key(tmp_path / "b")
    one, two = ((tmp_path / name).read_text().strip() for name in "ab")
    twin = two.replace(two.split(":")[1], one.split(":")[1])
    with pytest.raises(ConfigError, match="another key with the id"):
        KeyRing(Secret(f"{one}\n{twin}"))
