"""One message through its channel, in the way of its kind. Secrets are read for each message."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rotator.config.notify import AppriseStanza, ChannelStanza, EmailStanza, SlackStanza, WebhookStanza
from rotator.core.errors import RotatorError
from rotator.core.secret import Secret
from rotator.notify import mail, services, wire
from rotator.notify.errors import ChannelDown
from rotator.notify.post import post

if TYPE_CHECKING:
    from rotator.notify.decide import Message

_PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"


def deliver(stanza: ChannelStanza, instance: str, message: Message) -> None:
    """Send one message.

    Args:
        stanza: the channel.
        instance: the journal's id.
        message: what to tell.

    Raises:
        ChannelDown: it was not taken, or nobody knows.

    Crash: leaves it sent or not; its id tells a duplicate.
    """
    try:
        match stanza:
            case WebhookStanza():
                post(stanza.url.read(), _signed(stanza, instance, message), stanza.network(stanza.name))
            case SlackStanza():
                post(stanza.url.read(), wire.slack(message, instance), stanza.network(stanza.name))
            case EmailStanza():
                made = wire.mail(message, instance, stanza.sender, stanza.to)
                mail.send(stanza.url.read(), made, stanza.network(stanza.name))
            case AppriseStanza():
                services.send(stanza.url.read(), message, instance)
            case _:
                url = stanza.url.read() if stanza.url is not None else Secret(_PAGERDUTY)
                event = wire.pagerduty(message, instance, stanza.secret.read())
                post(url, event, stanza.network(stanza.name))
    except ChannelDown:
        raise
    except RotatorError as error:
        raise ChannelDown(error.message, error.remedy) from None


def _signed(stanza: WebhookStanza, instance: str, message: Message) -> wire.Request:
    try:
        return wire.webhook(message, instance, stanza.secret.read(), time.time())
    except ValueError:
        remedy = "put `whsec_` and base64 there, as the receiver has it"
        raise ChannelDown("what `secret` points to is no secret of Standard Webhooks", remedy) from None
