"""Every named crash point, in one table, and the hook that kills this process at one of them.

`ROTATOR_TESTING=1 ROTATOR_CRASH_AT=<point>[:<n>]` makes the process send itself SIGKILL at the n-th passage (from 1) of
that point. Points come in pairs around every durable write and every external effect, and stand inside writes that take
several system calls. Without both variables the hook is an empty function.

A row of the table is `NAME = "name", "paths"`; `paths` are the undisturbed rotations (onto an existing place,
retirement included) that pass the point at least once. A point that only troubled runs pass has no path.
"""

import difflib
import os
import signal
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from rotator.core.errors import ConfigError

PATHS: Final = frozenset({"recreate", "roll", "retire", "sweep", "vault", "aws", "env_file", "migrate"})

_ROTATION = "recreate roll"
_ALL_STREAMS = "recreate roll retire"


class Point(StrEnum):
    """A place where a test may let the process die. The value is the name; `paths` says what passes it."""

    paths: tuple[str, ...]

    def __new__(cls, name: str, paths: str = "") -> "Point":
        """Build a row of the table; `paths` is a space-separated list of words of `PATHS`."""
        point = str.__new__(cls, name)
        point._value_ = name
        point.paths = tuple(paths.split())
        return point

    # The right to work, and the plan.
    BEFORE_LEASE = "before_lease", _ALL_STREAMS + " sweep"
    AFTER_LEASE = "after_lease", _ALL_STREAMS + " sweep"
    BEFORE_BASELINE_COMMIT = "before_baseline_commit"  # at the first sight of a target only, before any rotation
    AFTER_BASELINE_COMMIT = "after_baseline_commit"
    BEFORE_PLAN_COMMIT = "before_plan_commit", _ROTATION
    AFTER_PLAN_COMMIT = "after_plan_commit", _ROTATION
    BEFORE_EXTEND_SEND = "before_extend_send", "roll"
    AFTER_EXTEND_SEND = "after_extend_send", "roll"
    BEFORE_EXTENDED_COMMIT = "before_extended_commit", "roll"
    AFTER_EXTENDED_COMMIT = "after_extended_commit", "roll"
    BEFORE_UPDATE_SEND = "before_update_send"  # outside of a rotation
    AFTER_UPDATE_SEND = "after_update_send"
    # The mint: room first, intent first, capture first.
    BEFORE_CANARY_COMMIT = "before_canary_commit", _ROTATION
    AFTER_CANARY_COMMIT = "after_canary_commit", _ROTATION
    BEFORE_SPOOL_PREALLOCATE = "before_spool_preallocate", _ROTATION
    AFTER_SPOOL_PREALLOCATE = "after_spool_preallocate", _ROTATION
    BEFORE_INTENT_COMMIT = "before_intent_commit", _ROTATION
    AFTER_INTENT_COMMIT = "after_intent_commit", _ROTATION
    BEFORE_CREATE_SEND = "before_create_send", "recreate"
    AFTER_CREATE_SEND = "after_create_send", "recreate"
    BEFORE_ROLL_SEND = "before_roll_send", "roll"
    AFTER_ROLL_SEND = "after_roll_send", "roll"
    BEFORE_SPOOL_WRITE = "before_spool_write", _ROTATION
    AFTER_SPOOL_WRITE = "after_spool_write", _ROTATION
    BEFORE_CAPTURE_COMMIT = "before_capture_commit", _ROTATION
    AFTER_CAPTURE_COMMIT = "after_capture_commit", _ROTATION
    BEFORE_SPOOL_IMPORT = "before_spool_import"
    AFTER_SPOOL_IMPORT = "after_spool_import"
    BEFORE_ABANDONED_COMMIT = "before_abandoned_commit"
    AFTER_ABANDONED_COMMIT = "after_abandoned_commit"
    # Proof and publication.
    BEFORE_VERIFIED_COMMIT = "before_verified_commit", _ROTATION
    AFTER_VERIFIED_COMMIT = "after_verified_commit", _ROTATION
    BEFORE_PUBLISHING_COMMIT = "before_publishing_commit", _ROTATION
    AFTER_PUBLISHING_COMMIT = "after_publishing_commit", _ROTATION
    BEFORE_PUBLISH_INTENT_COMMIT = "before_publish_intent_commit", _ROTATION
    AFTER_PUBLISH_INTENT_COMMIT = "after_publish_intent_commit", _ROTATION
    BEFORE_TARGET_WRITE = "before_target_write", _ROTATION
    AFTER_TARGET_WRITE = "after_target_write", _ROTATION
    BEFORE_WRITTEN_COMMIT = "before_written_commit", _ROTATION
    AFTER_WRITTEN_COMMIT = "after_written_commit", _ROTATION
    BEFORE_READ_BACK_COMMIT = "before_read_back_commit", _ROTATION
    AFTER_READ_BACK_COMMIT = "after_read_back_commit", _ROTATION
    BEFORE_CONFIRMED_COMMIT = "before_confirmed_commit", _ROTATION
    AFTER_CONFIRMED_COMMIT = "after_confirmed_commit", _ROTATION
    # Out of service: a retirement, or an orphan.
    BEFORE_RETIREMENT_COMMIT = "before_retirement_commit", "sweep"
    AFTER_RETIREMENT_COMMIT = "after_retirement_commit", "sweep"
    BEFORE_SUPERSEDED_COMMIT = "before_superseded_commit", "retire"
    AFTER_SUPERSEDED_COMMIT = "after_superseded_commit", "retire"
    BEFORE_CONDEMNED_COMMIT = "before_condemned_commit", "sweep"
    AFTER_CONDEMNED_COMMIT = "after_condemned_commit", "sweep"
    BEFORE_DISABLE_SEND = "before_disable_send", "retire sweep"
    AFTER_DISABLE_SEND = "after_disable_send", "retire sweep"
    BEFORE_DISABLED_COMMIT = "before_disabled_commit", "retire sweep"
    AFTER_DISABLED_COMMIT = "after_disabled_commit", "retire sweep"
    BEFORE_DELETE_SEND = "before_delete_send", "retire sweep"
    AFTER_DELETE_SEND = "after_delete_send", "retire sweep"
    BEFORE_DELETED_COMMIT = "before_deleted_commit", "retire sweep"
    AFTER_DELETED_COMMIT = "after_deleted_commit", "retire sweep"
    BEFORE_KEY_DESTROY = "before_key_destroy", "retire sweep"
    AFTER_KEY_DESTROY = "after_key_destroy", "retire sweep"
    BEFORE_DONE_COMMIT = "before_done_commit", "roll retire sweep"
    AFTER_DONE_COMMIT = "after_done_commit", "roll retire sweep"
    # Any other fact, an operator's included.
    BEFORE_FACT_COMMIT = "before_fact_commit"
    AFTER_FACT_COMMIT = "after_fact_commit"
    # Inside the targets.
    BEFORE_VAULT_PUT = "before_vault_put", "vault"
    AFTER_VAULT_PUT = "after_vault_put", "vault"
    BEFORE_VAULT_METADATA = "before_vault_metadata", "vault"
    AFTER_VAULT_METADATA = "after_vault_metadata", "vault"
    BEFORE_AWS_PUT = "before_aws_put", "aws"
    AFTER_AWS_PUT = "after_aws_put", "aws"
    BEFORE_AWS_MOVE_STAGE = "before_aws_move_stage", "aws"
    AFTER_AWS_MOVE_STAGE = "after_aws_move_stage", "aws"
    BEFORE_AWS_REMOVE_PENDING = "before_aws_remove_pending", "aws"
    AFTER_AWS_REMOVE_PENDING = "after_aws_remove_pending", "aws"
    BEFORE_FILE_LOCK = "before_file_lock", "env_file"
    AFTER_FILE_LOCK = "after_file_lock", "env_file"
    BEFORE_FILE_TEMP_WRITE = "before_file_temp_write", "env_file"
    AFTER_FILE_TEMP_WRITE = "after_file_temp_write", "env_file"
    BEFORE_FILE_TEMP_FSYNC = "before_file_temp_fsync", "env_file"
    AFTER_FILE_TEMP_FSYNC = "after_file_temp_fsync", "env_file"
    BEFORE_FILE_EXCHANGE = "before_file_exchange", "env_file"
    AFTER_FILE_EXCHANGE = "after_file_exchange", "env_file"
    BEFORE_FILE_DISPLACED_CHECK = "before_file_displaced_check", "env_file"
    AFTER_FILE_DISPLACED_CHECK = "after_file_displaced_check", "env_file"
    BEFORE_FILE_EXCHANGE_BACK = "before_file_exchange_back"
    AFTER_FILE_EXCHANGE_BACK = "after_file_exchange_back"
    BEFORE_FILE_DIR_FSYNC = "before_file_dir_fsync", "env_file"
    AFTER_FILE_DIR_FSYNC = "after_file_dir_fsync", "env_file"
    BEFORE_FILE_UNLINK = "before_file_unlink", "env_file"
    AFTER_FILE_UNLINK = "after_file_unlink", "env_file"
    BEFORE_FILE_IN_PLACE = "before_file_in_place"
    AFTER_FILE_IN_PLACE = "after_file_in_place"
    # Another key under the values.
    BEFORE_REKEY_STEP = "before_rekey_step"
    AFTER_REKEY_STEP = "after_rekey_step"
    # An older journal takes the place of the present one.
    BEFORE_RESTORE_STEP = "before_restore_step"
    AFTER_RESTORE_STEP = "after_restore_step"
    # A journal moves into another database.
    BEFORE_COPY_STEP = "before_copy_step"
    AFTER_COPY_STEP = "after_copy_step"
    # What follows a publication.
    BEFORE_HOOK = "before_hook"
    AFTER_HOOK = "after_hook"
    # The management pair.
    BEFORE_KEEP_EXTEND_SEND = "before_keep_extend_send"
    AFTER_KEEP_EXTEND_SEND = "after_keep_extend_send"
    BEFORE_KEEP_ROLL_SEND = "before_keep_roll_send"
    AFTER_KEEP_ROLL_SEND = "after_keep_roll_send"
    BEFORE_KEEP_WRITE = "before_keep_write"
    AFTER_KEEP_WRITE = "after_keep_write"
    # The audit export.
    BEFORE_EXPORT_WRITE = "before_export_write"
    AFTER_EXPORT_WRITE = "after_export_write"
    BEFORE_EXPORT_MOVE = "before_export_move"
    AFTER_EXPORT_MOVE = "after_export_move"
    # Schema.
    BEFORE_MIGRATE_STEP = "before_migrate_step", "migrate"
    AFTER_MIGRATE_STEP = "after_migrate_step", "migrate"


def crash_at(name: str) -> None:
    """Pass the point called `name`, for callers that must not import the host; ValueError for an unknown name."""
    crash(Point(name))


def hook(environ: Mapping[str, str]) -> Callable[[Point], None]:
    """The hook that `environ` asks for: an empty function, or one that ends the process.

    Raises:
        ConfigError: ROTATOR_CRASH_AT names no point, or its count is no whole number from 1. A test that kills nothing
            would pass for the wrong reason, so a misspelt one must be loud.
    """
    wanted = environ.get("ROTATOR_CRASH_AT", "")
    if environ.get("ROTATOR_TESTING") != "1" or not wanted:
        return _pass_by
    name, colon, count = wanted.partition(":")
    if name not in {str(point) for point in Point}:
        near = difflib.get_close_matches(name, [str(point) for point in Point], n=1)
        raise ConfigError(
            f"ROTATOR_CRASH_AT={wanted!r}: there is no crash point {name!r}",
            (f"did you mean {near[0]}? " if near else "")
            + "`env -u ROTATOR_CRASH_AT rotator testing crash-points` lists them",
        )
    if colon and not (count.isascii() and count.isdecimal() and int(count) > 0):
        raise ConfigError(
            f"ROTATOR_CRASH_AT={wanted!r}: {count!r} is not a number of passages",
            f"write {name} or, for the second passage, {name}:2",
        )
    return _Countdown(Point(name), int(count or "1"))


class _Countdown:
    def __init__(self, point: Point, passages: int) -> None:
        self._point = point
        self._left = passages
        self._lock = threading.Lock()

    def __call__(self, point: Point) -> None:
        if point is not self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
                while True:  # the signal may need an instant; nothing of ours may run in it
                    signal.pause()


def _pass_by(point: Point) -> None:
    """Do nothing: production's hook."""


crash: Callable[[Point], None] = hook(os.environ)
"""Pass a crash point."""
