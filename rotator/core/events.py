"""The closed list of events that may appear in logs.

The value is the `event` of the log line; the text explains it in the docs.
"""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """An event of the log; `text` says what it means and `level` how loud it is."""

    text: str
    level: str

    def __new__(cls, value: str, level: str, text: str) -> Event:
        """Make a member out of its name on the wire, its level and its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.level = level
        member.text = text
        return member

    # the process
    DAEMON_READY = "daemon_ready", "info", "the daemon runs; its listener answers"
    DAEMON_STOPPING = "daemon_stopping", "info", "a signal was received; nothing new is minted"
    DAEMON_STOPPED = "daemon_stopped", "info", "everything in flight is captured; the process ends"
    CONFIG_LOADED = "config_loaded", "info", "a configuration became effective"
    CONFIG_REJECTED = "config_rejected", "error", "a changed configuration is wrong; the last good one stays effective"
    CONFIG_WARNING = "config_warning", "warning", "the configuration works but deserves attention"
    JOURNAL_UNSAFE = "journal_unsafe", "error", "the journal cannot be trusted now: no mint, no revoke"
    CLOCK_SUSPECT = "clock_suspect", "warning", "a clock jumped; no rotation starts until it is confirmed"
    TICK_FAILED = "tick_failed", "error", "a tick of the scheduler failed; the next one tries again"
    INTERNAL_ERROR = "internal_error", "error", "an error that should not exist; the credential is tried again later"
    LIBRARY_MESSAGE = "library_message", "warning", "a library that this program uses had something to say"
    # a rotation
    FACT = "fact", "debug", "a fact became durable"
    ROTATION_PLANNED = "rotation_planned", "info", "a rotation was opened"
    ROTATION_CAPTURED = "rotation_captured", "info", "a minted value is durable"
    ROTATION_ABANDONED = "rotation_abandoned", "warning", "an attempt was given up; a fresh one follows"
    ROTATION_VERIFIED = "rotation_verified", "info", "the new token is what was asked for and works"
    ROTATION_CONFIRMED = (
        "rotation_confirmed",
        "info",
        "every required target holds the new value, read back and verified",
    )
    ROTATION_DISPLACED = "rotation_displaced", "warning", "a rotation was closed before it was confirmed"
    OUTCOME_UNKNOWN = "outcome_unknown", "warning", "a call with an effect was sent and its answer is not known"
    VERIFICATION_BARRED = (
        "verification_barred",
        "error",
        "the provider does not let this host use a new token, so it cannot be verified and is not published",
    )
    MINT_REFUSED = "mint_refused", "warning", "the provider said no to a mint"
    TARGET_WRITTEN = "target_written", "info", "a value was published at a target"
    HOOKS_DONE = "hooks_done", "info", "what follows a publication at a target was done"
    HOOK_FAILED = "hook_failed", "warning", "something that follows a publication failed; it is tried again"
    TARGET_FAILED = "target_failed", "warning", "a target could not be written or read back; it is tried again"
    TARGET_BASELINE = "target_baseline", "info", "a target was seen for the first time"
    TARGET_OVERRIDDEN = (
        "target_overridden",
        "error",
        "a managed key holds a value that is not ours; an operator is needed",
    )
    TARGET_DRIFTED = "target_drifted", "warning", "a target holds something else than the current value"
    TOKEN_DRIFTED = "token_drifted", "warning", "the token is not what was asked for any more"
    TOKEN_MENDED = "token_mended", "info", "the token is what was asked for again"
    TOKEN_UPDATED = "token_updated", "info", "the token was changed in place; its value stays"
    TARGET_RELEASED = "target_released", "info", "a target left the configuration"
    VALUE_ADOPTED = "value_adopted", "info", "a value that stands at a target became the current one"
    VALUE_DEAD = "value_dead", "error", "the published value is dead"
    JOURNAL_BEHIND = "journal_behind", "error", "something outside is ahead of the journal: it was lost or restored"
    OUTAGE_OVER_BUDGET = "outage_over_budget", "error", "a roll took longer than its outage budget"
    # a retirement
    RETIREMENT_OPENED = "retirement_opened", "info", "an old token is to be taken out of service"
    TOKEN_SUPERSEDED = "token_superseded", "info", "an old token is replaced and drained"
    TOKEN_CONDEMNED = "token_condemned", "info", "a token that was never published is given up"
    TOKEN_EXPOSED = (
        "token_exposed",
        "error",
        "the provider ended a published token because its value was found in public; it is replaced at once",
    )
    TOKEN_DISABLED = "token_disabled", "info", "an old token is disabled"
    TOKEN_DELETED = "token_deleted", "info", "an old token is deleted"
    ORPHAN_FOUND = "orphan_found", "warning", "a token of ours that no rotation or retirement owns"
    RETIREMENT_FAILED = "retirement_failed", "warning", "a disable or delete was not done; it is tried again"
    # everything else
    AUDIT_EXPORT_FAILED = "audit_export_failed", "warning", "a sink of the audit export takes no lines; facts wait"
    AUDIT_EXPORT_RESUMED = "audit_export_resumed", "info", "a sink of the audit export takes lines again"
    PROVIDER_UNAVAILABLE = "provider_unavailable", "warning", "the provider gave no usable answer"
    LOGIN_REFUSED = (
        "login_refused",
        "error",
        "the provider does not accept a token with which a connection logs in",
    )
    LOGIN_RENEWED = (
        "login_renewed",
        "info",
        "a management token was given a later end or a new value by its partner, or its value was put into its place",
    )
    LOGIN_UNRENEWED = "login_unrenewed", "warning", "renewing a management token failed; it is tried again"
    RATE_LIMITED = "rate_limited", "warning", "requests on a connection wait for the rate limit"
    INCIDENT = "incident", "error", "so many tokens of a connection died at once that the answers are not believed"
    OPERATOR_NEEDED = "operator_needed", "error", "only a person can decide"
    OPERATOR_ACTED = "operator_acted", "info", "an operator requested, paused, resumed or resolved"
