"""What an export proves from itself alone: whoever changes, removes, moves or inserts a line is found."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from rotator.audit import ocsf, plain
from rotator.audit.keys import Signer
from rotator.audit.lines import linked
from rotator.audit.plain import Checkpoint, Reason
from rotator.audit.ports import Found
from rotator.audit.verify import Code
from tests.unit.audit.bench import SIGNER, Bench, Killed


@pytest.fixture(params=[plain, ocsf], ids=["json", "ocsf"])
def form(request):
    return request.param


@pytest.fixture
def bench(form) -> Bench:
    """Three streams, some checkpoints, and a settled end."""
    made = Bench(form=form)
    for _ in range(3):
        for stream in ("a", "b", "c"):
            made.book.add(stream, 2)
        made.settle()
    return made


def codes(verdict) -> set[Code]:
    return {problem.code for problem in verdict.problems}


def test_an_untouched_export_is_intact_and_says_what_it_holds(bench: Bench):
    found = bench.verdict()
    assert found.problems == ()
    assert (found.facts, found.streams, found.checkpoints, found.lines) == (18, 3, 4, 22)
    assert (found.duplicates, found.unsigned, found.half_lines, found.rewritten) == (0, 0, 0, 0)
    assert (found.whole, found.key, found.instance) == (True, SIGNER.public, "abcd1234")
    assert found.signed_until == "1970-01-01T00:19:43Z"


def test_every_line_that_is_removed_is_missed_up_to_the_last_checkpoint(bench: Bench):
    lines = bench.sink.lines
    for gone in range(len(lines) - 1):
        assert not bench.verdict(lines[:gone] + lines[gone + 1 :]).intact, gone


def test_every_run_of_lines_that_is_removed_is_missed(bench: Bench):
    lines = bench.sink.lines
    for begin in range(len(lines) - 1):
        for end in range(begin + 1, len(lines)):
            assert not bench.verdict(lines[:begin] + lines[end:]).intact, (begin, end)


def test_any_two_lines_that_are_swapped_are_noticed(bench: Bench):
    for first in range(len(bench.sink.lines)):
        for second in range(first + 1, len(bench.sink.lines)):
            lines = list(bench.sink.lines)
            lines[first], lines[second] = lines[second], lines[first]
            assert not bench.verdict(lines).intact, (first, second)


def test_every_character_counts(bench: Bench):
    for number in (0, 1, 9, len(bench.sink.lines) - 1):
        line = bench.sink.lines[number]
        for place in range(0, len(line), 7):
            lines = list(bench.sink.lines)
            lines[number] = line[:place] + ("x" if line[place] != "x" else "y") + line[place + 1 :]
            assert not bench.verdict(lines).intact, (number, place)


def test_a_change_with_a_new_hash_leaves_a_line_before_it_missing(bench: Bench):
    lines = list(bench.sink.lines)
    lines[3] = _hashed(lines[3].replace("anna", "eve"))
    assert Code.REMOVED in codes(bench.verdict(lines))


def test_who_writes_every_hash_anew_cannot_sign_the_checkpoints(bench: Bench):
    lines = list(bench.sink.lines)
    lines[3] = lines[3].replace("anna", "eve")
    for number in range(3, len(lines)):
        before = _hash_of(lines[number])
        lines[number] = _hashed(lines[number])
        lines = lines[: number + 1] + [line.replace(before, _hash_of(lines[number])) for line in lines[number + 1 :]]
    assert codes(bench.verdict(lines)) >= {Code.SIGNATURE}


def test_who_signs_anew_has_another_key(form, bench: Bench):
    other = Signer(b"o" * 32)
    forged = Checkpoint(at=1.0, sink="siem", reason=Reason.REGULAR, settled=True, instance="abcd1234", key=other.public)
    line, _ = linked(form.checkpoint(forged), _hash_of(bench.sink.lines[-1]), other.sign)
    assert codes(bench.verdict([*bench.sink.lines, line])) == {Code.KEY}
    assert bench.verdict(key=other.public).problems
    assert bench.verdict(key=SIGNER.public).intact


def test_a_line_inserted_beside_the_chain_is_spoken_for_by_nobody(form, bench: Bench):
    """It names a line that is there and has the right hash, as a line has that a kill left; no line tells the same."""
    lines = bench.sink.lines
    for at in range(1, len(lines) - 1):
        told = json.loads(next(line for line in lines if "fact_id" in line))
        chain = told.get("unmapped", told)
        for key in ("previous", "hash"):
            del chain[key]
        chain["fact_id"], chain["stream"] = "f" * 32, "never-there"
        line, _ = linked(told, _hash_of(lines[at - 1]))
        assert codes(bench.verdict([*lines[:at], line, *lines[at:]])) == {Code.INSERTED}, at


def test_a_fact_told_again_in_other_words_is_no_duplicate(form, bench: Bench):
    told = json.loads(bench.sink.lines[1])
    chain = told.get("unmapped", told)
    for key in ("previous", "hash"):
        del chain[key]
    chain["detail"] = {"reason": "tea"}
    line, _ = linked(told, _hash_of(bench.sink.lines[0]))
    assert codes(bench.verdict([*bench.sink.lines[:2], line, *bench.sink.lines[2:]])) == {Code.INSERTED}


@pytest.mark.parametrize("noise", ["", "noise", '{"forged":true}', "{", "[]", "null", '{"previous":1,"hash":"'])
def test_what_is_no_line_is_named(bench: Bench, noise: str):
    for at in (0, 3, len(bench.sink.lines)):
        lines = [*bench.sink.lines[:at], noise, *bench.sink.lines[at:]]
        assert Code.UNREADABLE in codes(bench.verdict(lines)), at


def test_a_line_that_stands_there_twice_is_counted_and_fine(bench: Bench):
    doubled = [line for line in bench.sink.lines for _ in range(2)]
    found = bench.verdict(doubled)
    assert (found.problems, found.duplicates) == ((), len(bench.sink.lines))


def test_a_cut_tail_is_what_nobody_signed_and_the_last_checkpoint_says_until_when(bench: Bench):
    bench.book.add("a", 2)
    bench.exporter.step()
    assert bench.verdict().unsigned == 2
    cut = bench.verdict(bench.sink.lines[:-1])
    assert (cut.intact, cut.unsigned) == (True, 1)
    assert bench.verdict().signed_until == cut.signed_until == "1970-01-01T00:19:43Z"


def test_an_export_of_which_the_beginning_is_missing_is_a_part(bench: Bench):
    later = bench.sink.lines[5:]
    assert codes(bench.verdict(later)) == {Code.NO_BEGINNING}
    part = bench.verdict(later, part=True)
    assert (part.intact, part.whole) == (True, False)


def test_a_new_file_begins_with_a_checkpoint_and_goes_on_from_the_old_one(bench: Bench):
    old = list(bench.sink.lines)
    bench.sink.lines.clear()
    bench.sink.finds = Found.NOTHING
    bench.book.add("a", 2)
    bench.settle()
    new = bench.verdict()
    assert (new.intact, new.whole, new.facts) == (True, False, 2)
    both = bench.verdict([*old, *bench.sink.lines])
    assert (both.intact, both.whole, both.facts) == (True, True, 20)
    assert Code.REMOVED in codes(bench.verdict([*old[:-1], *bench.sink.lines]))
    assert not bench.verdict([*bench.sink.lines, *old]).intact


def test_an_empty_export_and_one_without_a_checkpoint_prove_nothing(bench: Bench):
    assert codes(bench.verdict([])) == {Code.EMPTY}
    unsigned = [line for line in bench.sink.lines if "signature" not in line][:2]
    assert Code.UNSIGNED in codes(bench.verdict(unsigned, part=True))


def test_a_journal_that_was_restored_tells_other_facts_at_the_same_places(bench: Bench):
    book = bench.book
    book.streams["a"] = [*book.streams["a"][:4]]
    book.come["a"] = 4
    book.streams["a"] += [_other(fact) for fact in _next(book, 2)]
    bench.process()
    bench.settle()
    found = bench.verdict()
    assert (found.intact, found.rewritten, found.facts) == (True, 2, 18)


@pytest.mark.parametrize(
    "point", ["before_export_write", "after_export_write", "before_export_move", "after_export_move"]
)
def test_a_kill_leaves_no_gap_and_duplicates_are_counted(form, point: str):
    bench = Bench(form=form)
    told = 0
    for _ in range(8):
        bench.book.add("a", 2)
        bench.book.add("b", 1)
        told += 3
        bench.dies_at = point
        with pytest.raises(Killed):
            bench.settle()
        assert not bench.sink.lines or bench.verdict(part=True).intact
        bench.now += 1.5
        bench.process()
        bench.settle()
        found = bench.verdict()
        assert (found.problems, found.facts, found.unsigned) == ((), told, 0)
    assert (bench.verdict().duplicates > 0) == (point in ("after_export_write", "before_export_move"))


def _next(book, count: int):
    from tests.unit.audit.bench import fact

    return [fact("a", len(book.streams["a"]) + 1 + number) for number in range(count)]


def _other(told):
    from tests.unit.audit.bench import renamed

    return renamed(told, fact_id=f"other-{told.position}")


def _hash_of(line: str) -> str:
    return re.findall(r'"hash":"([0-9a-f]{64})"', line)[-1]


def _hashed(line: str) -> str:
    old = _hash_of(line)
    content = line.replace(f',"hash":"{old}"', "")
    return line.replace(f',"hash":"{old}"', f',"hash":"{hashlib.sha256(content.encode()).hexdigest()}"')
