"""One named Vault connection: the authenticated requests of all its targets. It knows logins, not what is written."""

from __future__ import annotations

from typing import Final

from rotator.core.errors import Refused, Unavailable
from rotator.core.findings import Finding, Level, of_connection
from rotator.core.secret import Secret
from rotator.host.clock import SystemClock
from rotator.targets.vault.login import Clock, Keeper
from rotator.targets.vault.options import VaultConnectionOptions
from rotator.targets.vault.transport import Forbidden, NotCaughtUp, Request, Server, VaultAnswer, refuse

CATCH_UP: Final = (0.1, 0.3, 0.9)
"""Seconds between tries while a server has not caught up with its own storage: it does so within a second."""


class VaultConnection:
    """A login to one Vault server. Safe to share between threads; every request goes over a connection of its own."""

    def __init__(self, name: str, options: VaultConnectionOptions, *, clock: Clock | None = None) -> None:
        """Nothing is sent before the first request.

        Args:
            name: the connection's name in the configuration; for messages.
            options: validated.
            clock: the machine's clock by default.
        """
        self.name = name
        self.options = options
        self._clock = clock or SystemClock()
        self._server = Server(options)
        self._keeper = Keeper(self._server, self._clock)

    @property
    def token_expires_at(self) -> float | None:
        """End of the present login in Unix seconds, infinite for one without end, None before the first login."""
        return self._keeper.expires_at

    def renew_login(self) -> None:
        """Renew the login if that is due; for a connection that is seldom used.

        Raises:
            Unavailable: Vault gave no usable answer.
            Refused: Vault, or a file of the login, says no.
        """
        self._keeper.token()

    def preflight(self) -> tuple[Finding, ...]:
        """What `check` says of a login whose secret id can be opened once, without opening it; empty for any other.

        Then nothing can be said about the targets: what the login may do, only the login knows.
        """
        subject = of_connection(self.name)
        try:
            until = self._keeper.wrapped_until()
        except (Refused, Unavailable) as error:
            return (
                Finding(
                    level=Level.FAIL, subject=subject, code="secret_id", message=error.message, remedy=error.remedy
                ),
            )
        if until is None:
            return ()
        message = f"the wrapped secret id can be opened until {until:%Y-%m-%dT%H:%M:%SZ}; it was left closed"
        return (Finding(level=Level.OK, subject=subject, code="secret_id", message=message),)

    def ask(self, request: Request) -> VaultAnswer:
        """Send a request; the answer is a 2xx, or a 4xx other than 403 that is a certain no.

        Raises:
            Forbidden: a request without effect lacks a permission.
            Unavailable: a request without effect has no usable answer (a refused login included), or one with an
                effect was certainly not applied.
            Refused: only for a request with an effect, a certain no.
            OutcomeUnknown: only for a request with an effect; it may have been applied.
        """
        try:
            token = self._keeper.token()
            answer = self._patiently(token, request)
            # A 403 is a certain no, so sending once more is safe even for a write.
            if answer.status == 403 and self._keeper.denied(token):
                answer = self._patiently(self._keeper.token(), request)
        except Refused as error:
            if request.effect:
                raise
            raise Unavailable(error.message, error.remedy) from None
        if answer.status == 403:
            no = refuse(answer, request, "grant the policy of this login what docs/targets/vault.md lists")
            raise no if request.effect else Forbidden(no.message, no.remedy)
        return answer

    @property
    def uses(self) -> int:
        """How many requests the present login is good for, 0 for any number."""
        return self._keeper.uses

    def afresh(self) -> bool:
        """Take another login, where an answer that denies everything may be that of the old one; True if there is one.

        Raises:
            Unavailable: Vault gave no usable answer, or refused the login.
        """
        try:
            return self._keeper.denied(self._keeper.token())
        except Refused as error:
            raise Unavailable(error.message, error.remedy) from None

    def close(self) -> None:
        """Give back the login; the connection is not used again."""
        self._keeper.close()

    def _patiently(self, token: Secret, request: Request) -> VaultAnswer:
        for pause in CATCH_UP:
            try:
                return self._server.send(token, request)
            except NotCaughtUp:
                if self._clock.wait(pause):
                    raise
        return self._server.send(token, request)
