"""Every other service, by Apprise: it knows how a hundred of them want to be told.

It goes its own ways (proxies and certificates of the environment, its own time limits) and says only whether it worked.
"""

from __future__ import annotations

import logging
from typing import Final
from urllib.parse import urlsplit

from rotator.core.secret import Secret
from rotator.notify.decide import Message
from rotator.notify.errors import ChannelDown
from rotator.notify.wire import text, title

_TALK: Final = ("apprise", "urllib3", "requests")
"""Loggers that write addresses, which are secrets."""


def send(url: Secret, message: Message, instance: str) -> None:
    """Tell a service.

    Args:
        url: the address of the service as Apprise writes it, with everything that it needs.
        message: what to tell.
        instance: the journal's id.

    Raises:
        ChannelDown: it was not taken, or nobody knows.
    """
    import apprise  # loads every service that it knows

    for name in _TALK:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    asset = apprise.AppriseAsset(
        app_id="rotator",
        app_desc="rotator",
        app_url="",
        async_mode=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,  # it would keep files of its own
    )
    address = url.reveal()
    service = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if not isinstance(service, apprise.NotifyBase):
        raise ChannelDown(
            "what `url` points to is no address of Apprise, or lacks something",
            "see its page of that service for how the address is written, and put it there in one line",
        )
    kind = apprise.NotifyType
    what = kind.SUCCESS if message.over else kind.FAILURE if message.topic.lasts else kind.INFO
    try:
        done = service.notify(
            body=text(message, instance), title=title(message), notify_type=what, body_format=apprise.NotifyFormat.TEXT
        )
    except Exception as error:  # noqa: BLE001 - a hundred services, each with errors of its own; none may quote an address
        done, why = False, type(error).__name__
    else:
        why = "it says no more"
    if not done:
        scheme = urlsplit(address).scheme
        raise ChannelDown(
            f"telling a service by {scheme}:// failed: {why}", f"try it: `apprise -vv -b test {scheme}://…`"
        )
