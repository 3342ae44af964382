"""One named AWS connection: who we are there, kept and looked for anew, and clients for single uses.

It knows nothing of targets. What an answer means is `client`'s and `causes`' business.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rotator.core.errors import Unavailable
from rotator.targets.aws_secrets_manager.causes import Login
from rotator.targets.aws_secrets_manager.client import Client, explained
from rotator.targets.aws_secrets_manager.options import AwsConnectionOptions

if TYPE_CHECKING:
    from rotator.targets.aws_secrets_manager.identity import Identity
    from rotator.targets.aws_secrets_manager.transport import Transport

ATTEMPTS: Final = 5
"""Tries in all, pinned with the mode: the SDK's defaults have changed before. Every request of ours may be repeated."""


class AwsConnection:
    """An identity in one region. Safe to share between threads; every client has connections of its own."""

    def __init__(self, name: str, options: AwsConnectionOptions, *, attempts: int = ATTEMPTS) -> None:
        """Nothing is read and nothing is sent.

        Args:
            name: the connection's name in the configuration; for messages.
            options: validated.
            attempts: tries of each request in all, at least 1.
        """
        self.name = name
        self.options = options
        self._attempts = attempts
        self._lock = threading.Lock()
        self._transport: Transport | None = None
        self._identity: Identity | None = None

    @contextmanager
    def open(self) -> Iterator[Client]:
        """A client over connections of its own, closed at the end.

        Raises:
            Unavailable: there is no region, no profile or no identity to work with.
        """
        with self._way().connections():
            used = self._who(None)
            client = Client(self._raw(used), self._login(used))
            client.renew = self._renewal(client, used)
            try:
                yield client
            finally:
                client.close()

    def close(self) -> None:
        """Forget who we are; the connection is not used again."""
        with self._lock:
            self._identity = None

    def _way(self) -> Transport:
        from rotator.targets.aws_secrets_manager.transport import Transport

        with self._lock:
            if self._transport is None:
                self._transport = Transport(self.options.network())
            return self._transport

    def _who(self, refused: Identity | None) -> Identity:
        """Our identity; where AWS does not accept `refused`, another one, looked for in the files as they are now."""
        from botocore.exceptions import BotoCoreError

        from rotator.targets.aws_secrets_manager.identity import Identity

        transport = self._way()
        with self._lock:  # a session is not safe to share between threads, its clients are
            if self._identity is None or self._identity is refused:
                try:
                    self._identity = Identity(self.options, transport)
                except (BotoCoreError, ValueError) as error:
                    words, remedy = explained(error, Login(profile=self.options.profile or "default"))
                    raise Unavailable(f"opening AWS connection `{self.name}`: {words}", remedy) from None
            return self._identity

    def _raw(self, identity: Identity) -> object:
        from botocore.exceptions import BotoCoreError

        try:
            with self._lock:
                return identity.client(self.options, self._attempts)
        except (BotoCoreError, ValueError) as error:
            words, remedy = explained(error, self._login(identity))
            raise Unavailable(f"opening AWS connection `{self.name}`: {words}", remedy) from None

    def _renewal(self, client: Client, used: Identity) -> Callable[[], bool]:
        """What a client calls when its keys are not accepted; True where it may ask once more, with others."""

        def renew() -> bool:
            found = self._who(used)
            if found.same_keys(used):
                return False
            client.take(self._raw(found), self._login(found))
            return True

        return renew

    @staticmethod
    def _login(identity: Identity) -> Login:
        return Login(profile=identity.profile, method=identity.method, role=identity.role)
