"""One message as a request of each kind of channel: body and headers. Pure but for the secrets that it is given.

A message holds names, codes, times and sentences from the program's own lists; no value, no address of a channel.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Final

from rotator.core.instants import rfc3339
from rotator.core.secret import Secret
from rotator.notify.decide import Message, Notice

SHOWN: Final = 50
"""Credentials that one message names; of more it says how many."""

LONGEST: Final = 400
"""Characters of one sentence."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def title(message: Message) -> str:
    """Return the first line that people read."""
    names = {one.credential for one in message.notices}
    who = message.notices[0].credential if len(names) == 1 else f"{len(names)} credentials"
    return f"rotator: {who}: {'no longer: ' if message.over else ''}{message.topic.text}"


def document(message: Message, instance: str) -> dict[str, Any]:
    """Return the message as JSON has it; `instance` is the journal's id."""
    return {
        "type": f"rotator.{message.topic.value}{'.over' if message.over else ''}",
        "timestamp": rfc3339(message.at),
        "data": {
            "id": message.id,
            "instance": instance,
            "topic": message.topic.value,
            "over": message.over,
            "title": title(message),
            "count": len(message.notices),
            "credentials": [_shown(one) for one in message.notices[:SHOWN]],
        },
    }


def webhook(message: Message, instance: str, secret: Secret, now: float) -> Request:
    """Return the request of a webhook, signed at `now` (unix seconds) as Standard Webhooks has it.

    Raises:
        ValueError: the secret is none of Standard Webhooks.
    """
    body = json.dumps(document(message, instance), ensure_ascii=False, separators=(",", ":")).encode()
    at = str(int(now))
    signed = signature(message.id, at, body, secret)
    return Request(body, {"webhook-id": message.id, "webhook-timestamp": at, "webhook-signature": signed})


def signature(message_id: str, at: str, body: bytes, secret: Secret) -> str:
    """Return the signature of a body under Standard Webhooks; `at` in whole unix seconds.

    Raises:
        ValueError: the secret is none of Standard Webhooks.
    """
    signed = hmac.new(_key(secret), f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def text(message: Message, instance: str) -> str:
    """Return what people read below the title where a service shows plain text."""
    parts = []
    for one in message.notices[:SHOWN]:
        labels = ", ".join(f"{key}={value}" for key, value in sorted(one.labels.items()))
        since = "over" if message.over else f"since {rfc3339(one.since)}"
        lines = [f"{one.credential}{f' ({labels})' if labels else ''}, {since}"]
        if not message.over:
            lines += [f"  {_cut(one.text)}"] if one.text else []
            lines += [f"  do: {_cut(one.remedy)}"] if one.remedy else []
        parts.append("\n".join(lines))
    if len(message.notices) > SHOWN:
        parts.append(f"… and {len(message.notices) - SHOWN} more")
    return "\n\n".join([*parts, f"{instance} {message.id}"])


def mail(message: Message, instance: str, sender: str, to: str) -> EmailMessage:
    """Return the mail; all mails of one topic are one thread, and nobody's absence note answers them (RFC 3834)."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = sender, to, title(message)
    made["Date"] = datetime.fromtimestamp(message.at, UTC)
    made["Message-ID"] = f"<{message.id}@{instance}.rotator>"
    made["References"] = f"<{message.topic.value}@{instance}.rotator>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(f"{text(message, instance)}\n")
    return made


def slack(message: Message, instance: str) -> Request:
    """Return the request of an incoming webhook of Slack; nothing in it can become a mention or a link."""
    lines = [f"*{_plain(title(message))}*"]
    for one in message.notices[:SHOWN]:
        labels = ", ".join(f"{key}={value}" for key, value in sorted(one.labels.items()))
        said = "over" if message.over else ". ".join(part for part in (_cut(one.text), _cut(one.remedy)) if part)
        lines.append(_plain(f"• {one.credential}{f' ({labels})' if labels else ''}: {said}"))
    if len(message.notices) > SHOWN:
        lines.append(f"… and {len(message.notices) - SHOWN} more")
    lines.append(_plain(f"{instance} {message.id}"))
    return Request(json.dumps({"text": "\n".join(lines)}, ensure_ascii=False).encode())


def pagerduty(message: Message, instance: str, secret: Secret) -> Request:
    """Return the event for PagerDuty: one incident per topic, which ends when no trouble of it is left."""
    ends = message.over and not message.left
    event: dict[str, Any] = {
        "routing_key": secret.reveal(),
        "event_action": "resolve" if ends else "trigger",
        "dedup_key": f"rotator/{instance}/{message.topic.value}",
    }
    if not ends:
        event["payload"] = {
            "summary": title(message)[:1024],
            "source": f"rotator {instance}",
            "severity": "critical" if message.topic.urgent else "warning" if message.topic.lasts else "info",
            "timestamp": rfc3339(message.at),
            "custom_details": document(message, instance)["data"],
        }
    return Request(json.dumps(event, ensure_ascii=False).encode())


def _key(secret: Secret) -> bytes:
    try:
        return base64.b64decode(secret.reveal().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None


def _shown(one: Notice) -> dict[str, Any]:
    return {
        "name": one.credential,
        "labels": dict(one.labels),
        "since": rfc3339(one.since),
        "code": one.code,
        "message": _cut(one.text),
        "remedy": _cut(one.remedy) or None,
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
