"""What of states and facts is worth telling. Pure; it decides on codes, states and kinds of facts, never on a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rotator.config.notify import Topic
from rotator.core.credential import State
from rotator.core.facts import Confirmed, Fact, Revoked
from rotator.core.reasons import Reason
from rotator.core.status import CredentialStatus
from rotator.notify.decide import Notice


def lasting(statuses: Iterable[CredentialStatus], now: float) -> list[Notice]:
    """Return every trouble that there is; `now` in unix seconds."""
    return [found for status in statuses for found in _of(status, now)]


def happened(name: str, fact: Fact, labels: Mapping[str, str]) -> Notice | None:
    """Return what a fact of the credential `name` is worth telling; None for nothing."""
    match fact.what:
        case Confirmed(adopt=adopted) if adopted:  # it was taken over: nothing fresh
            return None
        case Confirmed(generation=generation):
            topic, text = Topic.ROTATED, f"generation {generation} stands at every required target"
        case Revoked(exposed=True):
            topic, text = Topic.REVOKED, "the provider found a value of it in public and ended it"
        case Revoked():
            topic, text = Topic.REVOKED, f"{fact.actor} reported a value of it as leaked; it is ended"
        case _:
            return None
    return Notice(
        key=f"{topic}/{fact.stream}/{fact.fact_id}",
        topic=topic,
        credential=name,
        since=fact.at,
        code=fact.kind.value,
        text=text,
        labels=labels,
    )


def _of(status: CredentialStatus, now: float) -> Iterator[Notice]:
    def notice(topic: Topic, code: str, since: float | None, text: str, remedy: str = "") -> Notice:
        return Notice(
            key=f"{topic}/{status.name}/{code}",
            topic=topic,
            credential=status.name,
            since=now if since is None else since,
            code=code,
            text=text,
            remedy=remedy,
            labels=status.labels,
        )

    needs = status.needs_operator
    if needs is not None:
        yield notice(Topic.OPERATOR_NEEDED, needs.code.value, needs.since, needs.message, needs.remedy)
    if status.state is State.FAILING:
        reason = status.reason
        remedy = reason.remedy if reason else ""
        yield notice(Topic.FAILING, State.FAILING.value, status.failing_since, status.message, remedy)
    late = status.rotation_deadline
    if late is not None and late <= now and status.state is not State.UNMANAGED:
        yield notice(Topic.EXPIRING, "deadline", late, Topic.EXPIRING.text, "`rotator status` says what it waits for")
    if status.drift is not None:
        yield notice(Topic.DRIFT, "drift", status.drift.since, Topic.DRIFT.text, "`rotator plan` shows the difference")
    for one in status.retirements:
        if one.blocked is Reason.UNACKNOWLEDGED:
            where = one.subject or ""
            text = f"{Topic.ACK_DUE.text} at {where}" if where else Topic.ACK_DUE.text
            yield notice(Topic.ACK_DUE, f"{one.token_id}/{where}", None, text, Reason.UNACKNOWLEDGED.remedy)
