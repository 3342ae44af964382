"""`notify` of the configuration: who is told what, by which way, and when not.

The address of a channel is a secret, because whoever knows it may write there; so it stands in no configuration file.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, Self

from pydantic import Field

from rotator.config.fields import Count, Duration, LabelName, MailAddress, Name, Stanza, Text
from rotator.config.hours import WindowStanza
from rotator.config.network import Reachable
from rotator.config.secret_ref import SecretRef


class Topic(StrEnum):
    """What a channel may be told.

    Attributes:
        text: what people read.
        lasts: whether it is a trouble that begins and ends; else it happened once.
        urgent: whether it is told in quiet hours, too.
    """

    text: str
    lasts: bool
    urgent: bool

    def __new__(cls, word: str, text: str, lasts: bool = False, urgent: bool = False) -> Self:
        """Make a member out of its word and what is said of it."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.text, member.lasts, member.urgent = text, lasts, urgent
        return member

    OPERATOR_NEEDED = "operator_needed", "needs a decision", True, True
    FAILING = "failing", "gets no fresh value", True
    EXPIRING = "expiring", "is past the latest time for its rotation", True, True
    DRIFT = "drift", "is not as configured", True
    ACK_DUE = "ack_due", "waits until somebody says that the new value is used", True
    REVOKED = "revoked", "was reported as leaked", False, True
    ROTATED = "rotated", "has a fresh value"

    @classmethod
    def of(cls, word: object) -> Self | None:
        """Return the member with that word; None for one that this version does not know."""
        return next((member for member in cls if member == word), None)


TopicName = Literal["operator_needed", "failing", "expiring", "drift", "ack_due", "revoked", "rotated"]

USUAL: Final[tuple[TopicName, ...]] = ("operator_needed", "failing", "expiring", "ack_due", "revoked")


class Channel(Stanza):
    """What every channel says."""

    name: Name = Field(description="By which its cursor in the journal is found again: under another name it is new.")
    on: Annotated[tuple[TopicName, ...], Field(min_length=1)] = Field(USUAL, description="What it is told.")
    lasts: Duration = Field(300.0, alias="for", description="A trouble is told once it has lasted that long.")
    credentials: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(
        ("*",), description="Names of the credentials it is told of; globs."
    )
    labels: dict[LabelName, Text] = Field({}, description="Only credentials that have all of these labels.")
    quiet: tuple[WindowStanza, ...] = Field((), description="Hours in which only what is urgent is told.")
    per_hour: Count = Field(20, description="Messages in an hour at most; what is more waits, and goes out together.")

    def covers(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether it is told of a credential."""
        named = any(fnmatchcase(name, one) for one in self.credentials)
        return named and all(labels.get(key) == value for key, value in self.labels.items())


class WebhookStanza(Channel, Reachable):
    """Messages are posted as JSON, signed as Standard Webhooks has it."""

    type: Literal["webhook"]
    url: SecretRef = Field(description="The address to post to: https, or http on loopback.")
    secret: SecretRef = Field(description="What signs: `whsec_` and base64, as Standard Webhooks has it.")


class SlackStanza(Channel, Reachable):
    """Messages are posted to an incoming webhook of Slack, or of a service that takes the same."""

    type: Literal["slack"]
    url: SecretRef = Field(description="The address of the incoming webhook; whoever knows it may post.")


class PagerDutyStanza(Channel, Reachable):
    """Messages become incidents of PagerDuty (Events API v2), one for each topic; recovery ends them."""

    type: Literal["pagerduty"]
    url: SecretRef | None = Field(None, description="Default: https://events.pagerduty.com/v2/enqueue.")
    secret: SecretRef = Field(description="The integration key of the service.")


class EmailStanza(Channel, Reachable):
    """Messages are mails to one address: a person, or a list; for several, make a channel for each."""

    type: Literal["email"]
    url: SecretRef = Field(
        description="The mail server: `smtps://user:password@host:465`, or `smtp://…:587` for STARTTLS, which must be "
        "there but on loopback."
    )
    sender: MailAddress = Field(alias="from", description="The address that mails come from.")
    to: MailAddress = Field(description="The address that they go to.")


class AppriseStanza(Channel):
    """Messages go to a service that Apprise knows; mail has a kind of its own.

    Proxies and certificates are those of the environment (`HTTPS_PROXY`, `REQUESTS_CA_BUNDLE`).
    """

    type: Literal["apprise"]
    url: SecretRef = Field(description="The address of the service as Apprise writes it, such as `discord://…`.")


ChannelStanza = WebhookStanza | SlackStanza | PagerDutyStanza | EmailStanza | AppriseStanza

KINDS: Final[dict[str, type[ChannelStanza]]] = {
    "webhook": WebhookStanza,
    "slack": SlackStanza,
    "pagerduty": PagerDutyStanza,
    "email": EmailStanza,
    "apprise": AppriseStanza,
}
