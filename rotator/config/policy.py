"""Default timings, and a configuration's credentials as the protocol sees them.

What is not written follows the lifetime, so that a demo with a lifetime of seconds and a token of a year both make
sense:

    renew_before    a third of the lifetime
    brief           24 h, but at most a tenth of the lifetime; of `every` where the token never expires
    grace, soak     brief
    quiet           brief; for an adopted token, whose consumers nobody has listed, eight times that (8 d)

A `quiet` that is written holds for adopted tokens, too. Pure: no clock, no file.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from rotator.config.hours import NONE, Calendar
from rotator.config.models import Advanced, CredentialStanza
from rotator.core.credential import Credential, Policy, Strategy, TargetRef
from rotator.core.drift import OnChange, OnDrift
from rotator.core.durations import DAY, NEVER
from rotator.core.ids import NO_TOKEN, CredentialId, TokenId

ADOPTED: Final = 8
"""An adopted token is watched for a week and a day, so that a weekly job shows itself."""


def policy_of(credential: CredentialStanza, advanced: Advanced) -> Policy:
    """Return the timings of one credential, in seconds, with what is not written filled in as the module says."""
    written, lifetime = credential.common.rotation, credential.common.lifetime
    every = written.every or 0.0
    brief = min(DAY, (lifetime if lifetime != NEVER else every or 90 * DAY) / 10)
    return Policy(
        strategy=Strategy(written.strategy),
        lifetime=lifetime,
        renew_before=_or(written.renew_before, 0.0 if lifetime == NEVER else lifetime / 3),
        every=every,
        grace=_or(written.grace, brief),
        quiet=_or(written.quiet, brief),
        quiet_adopted=_or(written.quiet, ADOPTED * brief),
        soak=_or(written.soak, brief),
        outage_budget=written.outage_budget or 0.0,
        settle=advanced.settle,
        propagation=advanced.propagation,
        retry=advanced.retry,
    )


def to_credential(
    stanza: CredentialStanza,
    advanced: Advanced,
    credential_id: CredentialId,
    *,
    managed: bool = True,
    calendar: Calendar = NONE,
) -> Credential:
    """Return one stanza as the protocol's credential; `managed` is False for one that has left the configuration."""
    return Credential(
        id=credential_id,
        name=stanza.name,
        connection=stanza.common.connection,
        owner=stanza.owner,
        adopt=TokenId(stanza.common.adopt.id) if stanza.common.adopt is not None else NO_TOKEN,
        policy=policy_of(stanza, advanced),
        targets=tuple(
            TargetRef(
                name=target.name,
                type=target.common.type,
                place=target.lease,
                required=target.common.required,
                replace=target.common.on_existing == "replace",
                hooks=bool(target.common.after_publish),
                pasted=target.common.pasted,
            )
            for target in stanza.targets
        ),
        spec=stanza.spec(),
        digest=digest_of(stanza),
        managed=managed,
        on_drift=OnDrift(stanza.common.drift),
        on_change=OnChange(stanza.common.on_change),
        labels=stanza.common.labels,
        hours=calendar.hours(stanza.name, stanza.common.group, stanza.common.rotation.windows),
    )


def digest_of(stanza: CredentialStanza) -> str:
    """Return the SHA-256 hex digest of what the source is told (owner, grants, conditions), as canonical JSON.

    Names of credential and connection, timings and targets are no part of it: changing these changes no token. Nor are
    options at their defaults, so that a later version may add an option without changing every digest.
    """
    told = stanza.source.model_dump(mode="json", exclude_defaults=True, exclude_none=True, by_alias=True)
    return hashlib.sha256(canonical({"type": stanza.source_type, "source": told}).encode()).hexdigest()


def canonical(data: Any) -> str:
    """Return JSON that is equal for equal data: sorted keys, no spaces, no NaN."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _or(written: float | None, default: float) -> float:
    return default if written is None else written
