"""What a channel is told, when, and what goes out together."""

from __future__ import annotations

from dataclasses import replace

from rotator.config.notify import Topic
from rotator.core.calendar import Window
from rotator.notify.decide import FULL, GATHER, HOUR, OVER, Message, Notice, Rules, Standing, decide
from rotator.notify.standing import decode, encode

NOW = 1_800_000_000.0
EVERYTHING = Rules(channel="team", topics=frozenset(Topic))


def trouble(name: str = "dns", topic: Topic = Topic.FAILING, since: float = NOW) -> Notice:
    return Notice(key=f"{topic}/{name}", topic=topic, credential=name, since=since, text="it fails")


def fresh(number: int = 1) -> Notice:
    return Notice(key=f"rotated/{number}", topic=Topic.ROTATED, credential=f"c{number}", since=NOW)


def told(standing: Standing) -> list[tuple[Topic, bool, list[str]]]:
    return [(one.topic, one.over, [n.credential for n in one.notices]) for one in standing.outbox]


def after(standing: Standing, *steps: tuple[float, list[Notice]], rules: Rules = EVERYTHING) -> Standing:
    for seconds, lasting in steps:
        standing = decide(standing, rules, lasting, (), NOW + seconds)
    return standing


def test_ten_credentials_in_one_trouble_are_one_message() -> None:
    many = [trouble(f"c{number}") for number in range(10)]
    found = after(Standing(), (0, many[:4]), (GATHER / 2, many), (GATHER, many))
    assert told(found) == [(Topic.FAILING, False, [f"c{number}" for number in range(10)])]


def test_a_trouble_is_told_once_however_often_it_is_noticed() -> None:
    found = after(Standing(), *((seconds, [trouble()]) for seconds in range(0, 7200, 15)))
    assert len(found.outbox) == 1


def test_what_does_not_last_as_long_as_the_channel_wants_is_never_told() -> None:
    rules = replace(EVERYTHING, lasts=600.0)
    blip = after(Standing(), (0, [trouble()]), (599, [trouble()]), (601, []), (900, []), rules=rules)
    assert blip.outbox == ()
    assert blip.waiting == ()
    assert len(after(Standing(), (0, [trouble()]), (600, [trouble()]), rules=rules).outbox) == 1


def test_the_end_of_a_trouble_is_told_where_its_beginning_was() -> None:
    found = after(Standing(), (0, [trouble()]), (GATHER, [trouble()]), (100, []), (100 + OVER, []))
    assert told(found) == [(Topic.FAILING, False, ["dns"]), (Topic.FAILING, True, ["dns"])]
    assert [one.left for one in found.outbox] == [1, 0]


def test_a_trouble_that_comes_back_at_once_was_never_over() -> None:
    steps = [(0.0, [trouble()]), (GATHER, [trouble()])]
    steps += [(100.0 + 20 * turn, [trouble()] if turn % 2 else list[Notice]()) for turn in range(20)]
    found = after(Standing(), *steps, (600, [trouble()]), (900, [trouble()]))
    assert told(found) == [(Topic.FAILING, False, ["dns"])]


def test_what_happened_is_told_even_if_nothing_lasts() -> None:
    standing = decide(Standing(), EVERYTHING, (), [fresh(1), fresh(2)], NOW)
    assert told(decide(standing, EVERYTHING, (), (), NOW + GATHER)) == [(Topic.ROTATED, False, ["c1", "c2"])]


def test_a_channel_is_not_told_what_it_did_not_ask_for() -> None:
    rules = Rules(channel="team", topics=frozenset({Topic.EXPIRING}))
    standing = decide(Standing(), rules, [trouble()], [fresh()], NOW)
    assert decide(standing, rules, [trouble()], (), NOW + HOUR) == Standing()


def test_in_quiet_hours_only_what_is_urgent_is_told_and_the_rest_after_them() -> None:
    rules = replace(EVERYTHING, quiet=(Window(),))
    both = [trouble("slow"), trouble("dead", Topic.EXPIRING)]
    hushed = after(Standing(), (0, both), (GATHER, both), rules=rules)
    assert told(hushed) == [(Topic.EXPIRING, False, ["dead"])]
    assert told(after(hushed, (GATHER + 1, both)))[1:] == [(Topic.FAILING, False, ["slow"])]


def test_more_messages_than_an_hour_allows_wait_and_go_out_together() -> None:
    rules = replace(EVERYTHING, per_hour=2)
    standing, sent = Standing(), list[Message]()
    for number in range(40):
        standing = decide(standing, rules, (), [fresh(number)], NOW + number * 60)
        sent += standing.outbox
        standing = replace(standing, outbox=())
    assert len(sent) == 2
    standing = decide(standing, rules, (), (), NOW + HOUR + 60)
    assert len(standing.outbox) == 1
    assert len(sent[0].notices) + len(sent[1].notices) + len(standing.outbox[0].notices) == 40


def test_a_channel_that_takes_nothing_keeps_a_bounded_number_of_messages() -> None:
    rules, standing = replace(EVERYTHING, per_hour=10**6), Standing()
    for number in range(2 * FULL):
        standing = decide(standing, rules, (), [fresh(number)], NOW + number * 60)
    assert len(standing.outbox) == FULL
    assert standing.full


def test_two_messages_never_have_one_id_and_the_same_decision_gives_the_same_id() -> None:
    one = after(Standing(), (0, [trouble()]), (GATHER, [trouble()]))
    again = after(Standing(), (0, [trouble()]), (GATHER, [trouble()]))
    over = after(one, (100, []), (100 + OVER, []))
    assert one.outbox[0].id == again.outbox[0].id
    assert len({message.id for message in over.outbox}) == 2


def test_what_stands_before_a_channel_survives_its_way_through_the_journal() -> None:
    standing = after(
        Standing(), (0, [trouble(), trouble("x")]), (GATHER, [trouble(), trouble("x")]), (100, [trouble()])
    )
    standing = decide(standing, EVERYTHING, [trouble()], [fresh()], NOW + 101)
    assert decode(encode(standing)) == standing
    assert decode("") == Standing()


def test_a_topic_of_a_newer_version_is_passed_over() -> None:
    standing = after(Standing(), (0, [trouble()]), (GATHER, [trouble()]))
    assert decode(encode(standing).replace('"failing"', '"fashion"')) == replace(standing, troubles={}, outbox=())
