"""What an operator does to one credential, from the command line or on the page: whether it fits, and the fact of it.

Whoever acts is named by the caller. Nothing here asks, waits or does the work: an act is journaled and driven later.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

from rotator.app.app import App
from rotator.core.choices import CHOICES, NO_CODE, How
from rotator.core.credential import Credential, Policy, Strategy, least_outage
from rotator.core.errors import ConfigError, JournalUnsafe, RotatorError
from rotator.core.events import Event
from rotator.core.facts import Draft, Revoked, What
from rotator.core.ids import CredentialId, RequestId, TokenId
from rotator.core.protocol.view import View
from rotator.core.status import CredentialStatus

SAID: Final = ("reason", "how", "strategy", "request_id")
"""What the log repeats of an operator's act."""


def note(app: App, name: str, connection: str, what: What, actor: str) -> View:
    """Journal an act.

    Args:
        app: an opened writer.
        name: the credential.
        connection: its connection, for provider time.
        what: the fact; values of the credential are taken out of its reason.
        actor: who acts.
    """
    if getattr(what, "reason", ""):
        stream = app.queries.stream(name)
        what = replace(what, reason=without_values(app, stream, what.reason))  # type: ignore[type-var, attr-defined]  # a fact
    draft = Draft(what=what, at=app.queries.now(connection), actor=actor)
    view = app.note(name, draft)
    told = {key: found for key in SAID if (found := getattr(what, key, None))}
    app.say(Event.OPERATOR_ACTED.value, credential=name, act=what.kind.value, actor=actor, **told)
    return view


def without_values(app: App, stream: CredentialId, reason: str) -> str:
    """Return a reason without any value of the credential that the journal can open, or piece of one.

    Whoever revokes a token at night has its value on the clipboard.
    """
    from rotator.observability.redact import Redactor

    redactor = Redactor()
    for fingerprint in app.writable.view(stream).values:
        with suppress(KeyError, JournalUnsafe):  # its key was destroyed, or is another one
            redactor.add(app.writable.reveal(stream, fingerprint))
    return redactor.scrub(reason)


def budget_fits(credential: Credential, strategy: Strategy | None, budget: float) -> None:
    """Raise `ConfigError` unless a roll has its outage budget (seconds, 0 for the configured one), and only a roll."""
    policy = credential.policy
    if (strategy or policy.strategy) is not Strategy.ROLL:
        if budget:
            raise ConfigError(
                f"{credential.name} is recreated, which has no outage to budget", "leave --outage-budget out"
            )
        return
    least, given = least_outage(policy.settle), budget or policy.outage_budget
    if given < least:
        what = f"an outage budget of {given:g}s is too short" if given else "a roll needs an outage budget"
        raise ConfigError(f"rotating {credential.name}: {what}", f"--outage-budget {least:g}s or more")


def decision(status: CredentialStatus, how: How) -> tuple[str | None, str]:
    """Return the code of what a choice decides, None where nothing needs an operator, and what the choice would do.

    Raises:
        RotatorError: there is nothing to decide, or the choice does not apply.
    """
    needs, nothing = status.needs_operator, f"resolving {status.name}: nothing needs an operator there"
    see = f"see `rotator status {status.name}`"
    if how is How.UNDO:
        accepted = [target.name for target in status.targets if target.accepted]
        if not accepted:
            raise RotatorError(f"resolving {status.name}: nothing was accepted there", see)
        return None, f"looks again at what stands at {', '.join(accepted)}, and asks again while that is not ours"
    if needs is None and (status.rotation is None or how is How.ACCEPT):
        raise RotatorError(nothing, see)
    does = (CHOICES.get(needs.code, NO_CODE) if needs else NO_CODE).of(how)
    if does is None:
        raise RotatorError(
            f"resolving {status.name}: nothing stands at a target that could be accepted",
            f"`rotator status {status.name}` says what --retry and --abandon would do",
        )
    return (str(needs.code) if needs else None), does


def revoked(
    tokens: tuple[TokenId, ...],
    credential: Credential | None,
    view: View,
    request_id: RequestId,
    *,
    bare: bool,
    reason: str,
) -> Revoked:
    """Return the fact of a revoke: from it on nothing of these tokens is published again.

    Args:
        tokens: what `core.protocol.revoke.to_revoke` names.
        credential: as configured, None when it left the configuration.
        view: the fold of its facts.
        request_id: of the act.
        bare: whether nothing is to succeed it.
        reason: for people.
    """
    return Revoked(
        tokens=tokens,
        request_id=request_id,
        without_successor=bare,
        reason=reason,
        policy=credential.policy if credential else _policy(view),
    )


def _policy(view: View) -> Policy:
    """Timings for a credential that left the configuration: those of its last rotation that are known."""
    known = [retirement.policy for retirement in view.retirements.values()]
    return view.rotation.policy if view.rotation else known[-1] if known else Policy()
