"""Who we are at Vault: it logs in, renews, logs in again, and says when the login ends.

Methods: a token file, AppRole (its secret id plain or response-wrapped), JWT, Kubernetes. Files are read at every
login, so that what mounts or an agent replace is picked up. It knows nothing of secrets engines.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from rotator.config.secret_ref import SecretRef
from rotator.core.credential import NEVER
from rotator.core.errors import ConfigError, OutcomeUnknown, Refused, Unavailable
from rotator.core.secret import Secret
from rotator.targets.vault.options import AppRole, VaultAuth
from rotator.targets.vault.transport import Request, Server, VaultAnswer, exchange, refuse

RENEW_AFTER: Final = 2 / 3
"""Share of its life after which a login is renewed; the rest is room for a Vault that is away for a while."""

NEAR_THE_END: Final = 1 / 3
"""A renewal that grants less than this share of the first grant means: the maximum is near, log in anew next time."""

RETRY_DENIED_AFTER: Final = 60.0
"""Seconds. A living login that is denied something is replaced at most this often (its role may have new policies)."""


class Clock(Protocol):
    """What is asked of the machine's clock; `rotator.host.clock.SystemClock` fulfils it."""

    def utc(self) -> float:
        """Wall time in Unix seconds."""

    def boot(self) -> float:
        """Seconds since boot."""

    def wait(self, seconds: float) -> bool:
        """Wait at most that long; True when interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One login token and its life; times are boot time in seconds, infinite for a token that does not end."""

    token: Secret
    taken_at: float
    first_grant: float
    grant: float
    renewable: bool
    own: bool
    """Whether we created it by logging in, and may revoke it."""
    uses: int = 0
    """How many requests it is good for (`token_num_uses` of a role); 0 for any number."""

    @property
    def ends_at(self) -> float:
        """When it ends if nobody renews it."""
        return self.taken_at + self.grant

    @property
    def renew_at(self) -> float:
        """When it should be renewed."""
        return self.taken_at + self.grant * RENEW_AFTER


class Keeper:
    """Keeps one login of one connection usable. Safe to share between threads."""

    def __init__(self, server: Server, clock: Clock) -> None:
        """Nothing is sent before the first `token()`."""
        self._server = server
        self._options = server.options
        self._clock = clock
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._unwrapped: tuple[Secret, Secret] | None = None
        self._used = 0
        self.expires_at: float | None = None

    def token(self) -> Secret:
        """A token that should work now, renewed or taken anew where that is due.

        Raises:
            Refused: Vault, or a file that we need, says no.
            Unavailable: Vault gave no usable answer.
        """
        with self._lock:
            login, now = self._login, self._clock.boot()
            if login is None or now >= login.ends_at or (login.own and 0 < login.uses <= self._used):
                login = self._log_in()
            elif now >= login.renew_at:
                login = self._renewed(login)
            self._used += 1
            return login.token

    @property
    def uses(self) -> int:
        """How many requests the present login is good for, 0 for any number, or where there is none."""
        return self._login.uses if self._login is not None else 0

    def wrapped_until(self) -> datetime | None:
        """Until when the wrapped secret id of this login can be opened, without opening it; None where none is wrapped.

        Raises:
            Refused: it cannot be read, was opened already, has expired, or wraps something else.
            Unavailable: Vault gave no usable answer.
        """
        approle = self._options.auth.approle
        if approle is None or not approle.wrapped or approle.secret_id is None:
            return None
        found = self._look_up(_read(approle.secret_id), approle).data()
        try:
            made = datetime.fromisoformat(str(found["creation_time"]))
            return made.astimezone(UTC) + timedelta(seconds=float(found["creation_ttl"]))
        except (KeyError, TypeError, ValueError):
            raise Unavailable(
                f"asking Vault at {self._options.address} for sys/wrapping/lookup: the answer names no time",
                "look at what answers at `address`",
            ) from None

    def denied(self, token: Secret) -> bool:
        """Somebody got 403 with `token`: take another login where that may help; True when there is one to try with."""
        with self._lock:
            login = self._login
            if login is None or login.token != token:
                return True  # another thread has replaced it meanwhile
            young = self._clock.boot() - login.taken_at < RETRY_DENIED_AFTER and not login.uses
            if young and self._ask(token, "GET", "auth/token/lookup-self").ok:
                return False
            return self._log_in().token != token

    def close(self) -> None:
        """Give back a login that we took ourselves; with a job every five minutes they would pile up in Vault."""
        with self._lock:
            login, self._login = self._login, None
            if login is not None and login.own and self._clock.boot() < login.ends_at:
                try:
                    self._ask(login.token, "POST", "auth/token/revoke-self")
                except (Unavailable, OutcomeUnknown):
                    return  # it ends automatically

    def _ask(self, token: Secret | None, method: str, path: str, body: str | None = None) -> VaultAnswer:
        doing = f"asking Vault at {self._options.address} for {path}"
        return self._server.send(token, Request(doing=doing, method=method, path=path, body=body))

    def _renewed(self, login: Login) -> Login:
        """Renew; where that is impossible or grants little, log in anew. Vault being away is no reason to fail yet."""
        try:
            if login.renewable and login.grant >= login.first_grant * NEAR_THE_END:
                answer = self._ask(login.token, "POST", "auth/token/renew-self", "{}")
                if answer.ok and (auth := answer.json().get("auth")):
                    return self._keep(auth, login.token, own=login.own, first=login.first_grant)
            return self._log_in()
        except (Unavailable, Refused):
            if self._clock.boot() < login.ends_at:
                return login
            raise

    def _log_in(self) -> Login:
        auth = self._options.auth
        if auth.token is not None:
            return self._take_token(_read(auth.token))
        proof: Secret | None
        if auth.approle is not None:
            proof = self._secret_id(auth.approle)
        else:
            machine = auth.jwt or auth.kubernetes
            proof = _read(machine.token) if machine is not None else None
        doing = f"logging in to Vault at {self._options.address} with {auth.method}"
        request = Request(doing=doing, hidden=() if proof is None else (proof,))
        with self._server.client(None) as client:
            answer = exchange(lambda: _log_in_with(client, auth, None if proof is None else proof.reveal()), request)
        granted = answer.json().get("auth") if answer.ok else None
        if not isinstance(granted, dict) or not granted.get("client_token"):
            raise refuse(answer, request, f"look at `auth.{auth.method}` and at the role in Vault")
        return self._keep(granted, Secret(granted["client_token"]), own=True)

    def _secret_id(self, approle: AppRole) -> Secret | None:
        if approle.secret_id is None:
            return None
        found = _read(approle.secret_id)
        if not approle.wrapped:
            return found
        if self._unwrapped is None or self._unwrapped[0] != found:
            self._unwrapped = (found, self._unwrap(found, approle))
        return self._unwrapped[1]

    def _unwrap(self, wrapping: Secret, approle: AppRole) -> Secret:
        """Open a response-wrapped secret id, once; its text is remembered for later logins of this process."""
        self._look_up(wrapping, approle)
        answer = self._ask(wrapping, "POST", "sys/wrapping/unwrap", "{}")
        secret_id = answer.data().get("secret_id")
        if not answer.ok or not isinstance(secret_id, str) or not secret_id:
            raise self._not_wrapped("the wrapping token was used already, or has expired")
        return Secret(secret_id)

    def _look_up(self, wrapping: Secret, approle: AppRole) -> VaultAnswer:
        """Ask what a wrapping token wraps, which does not use it up.

        A wrapping token that somebody else has opened, or that wraps something else than a secret id of this mount, is
        the sign of an attack: https://developer.hashicorp.com/vault/docs/concepts/response-wrapping
        """
        # Not authenticated with the wrapping token: that would be its one use.
        looked = self._ask(None, "POST", "sys/wrapping/lookup", json.dumps({"token": wrapping.reveal()}))
        origin = str(looked.data().get("creation_path", ""))
        if not looked.ok:
            raise self._not_wrapped("the wrapping token was used already, or has expired")
        if not (origin.startswith(f"auth/{approle.mount}/role/") and origin.endswith("/secret-id")):
            raise self._not_wrapped(f"it does not wrap a secret id of auth/{approle.mount}")
        return looked

    def _not_wrapped(self, why: str) -> Refused:
        return Refused(
            f"unwrapping the AppRole secret id at {self._options.address}: {why}",
            "deliver a fresh one (`vault write -wrap-ttl=10m -f auth/APPROLE/role/ROLE/secret-id`); if no start of "
            "this daemon has used the old one, somebody else has: revoke it",
            code="login",
        )

    def _take_token(self, token: Secret) -> Login:
        """Use a token as it stands; its life is what Vault says of it, endless where Vault does not tell."""
        answer = self._ask(token, "GET", "auth/token/lookup-self")
        if answer.ok:
            found = answer.data()
            return self._keep(
                {
                    "lease_duration": found.get("ttl", 0),
                    "renewable": found.get("renewable", False),
                    "num_uses": found.get("num_uses", 0),
                },
                token,
                own=False,
                first=float(found.get("creation_ttl") or 0) or None,
            )
        return self._keep({}, token, own=False)

    def _keep(self, granted: dict[str, Any], token: Secret, *, own: bool, first: float | None = None) -> Login:
        seconds = float(granted.get("lease_duration") or 0)
        life = seconds if seconds > 0 else NEVER
        self._login = Login(
            token=token,
            taken_at=self._clock.boot(),
            first_grant=first or life,
            grant=life,
            # A renewal would be one of the uses; a login that is used up is taken anew anyway.
            renewable=bool(granted.get("renewable")) and not granted.get("num_uses"),
            own=own,
            uses=int(granted.get("num_uses") or 0),
        )
        self._used = 0
        self.expires_at = NEVER if life == NEVER else self._clock.utc() + life
        return self._login


def _log_in_with(client: Any, auth: VaultAuth, proof: str | None) -> Any:
    """Send the one login request of the configured method; the token in its answer is not kept in the client."""
    if auth.approle is not None:
        role_id, mount = auth.approle.role_id, auth.approle.mount
        return client.auth.approle.login(role_id, proof, use_token=False, mount_point=mount)
    if auth.jwt is not None:
        return client.auth.jwt.jwt_login(auth.jwt.role, proof, use_token=False, path=auth.jwt.mount)
    if auth.kubernetes is None:
        raise ConfigError("`auth` names no login method")
    role, mount = auth.kubernetes.role, auth.kubernetes.mount
    return client.auth.kubernetes.login(role, proof, use_token=False, mount_point=mount)


def _read(ref: SecretRef) -> Secret:
    try:
        return ref.read()
    except ConfigError as error:
        raise Refused(error.message, error.remedy, code="login") from None
