"""The verbs of the audit trail: `audit verify` of the journal and of an export, and `audit key`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli import exits
from rotator.cli.layout import text
from rotator.cli.log import running_configuration
from rotator.cli.output import say, terminal_width, write_json, write_lines
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import Absent, ConfigError

if TYPE_CHECKING:
    from rotator.audit.verify import Line, Verdict


def audit_verify(
    settings: Settings,
    export: Annotated[
        list[Path] | None,
        typer.Option("--export", metavar="FILE", help="An export instead of the journal; repeatable, oldest first."),
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option("--public-key", metavar="FILE", help="Whose export it has to be: `audit key`.")
    ] = None,
    part: Annotated[bool, typer.Option("--part", help="The export may begin anywhere: it is cut out of more.")] = False,
) -> int:
    """Check that nobody changed the past: in the journal, or in an export.

    Without --export: the hash chain of every credential, and the database
    file. Every fact is bound to the one before it under the encryption key:
    whoever can write to the database but has no key cannot change the past
    unseen. A tail that was cut off cleanly shows at the targets instead: their
    generation is ahead then.

    With --export: the lines of an audit export, from themselves alone. No
    journal, no configuration and no secret is needed. Lines that were changed,
    removed, moved or inserted are found, up to the last checkpoint that is
    there; lines that were sent twice are counted and fine. Give --public-key,
    or look whether the key that is shown is the right one: an export alone
    cannot say whose it is.

      rotator audit verify
      rotator audit verify --export /var/log/rotator/audit.jsonl --public-key audit.pem
      rotator audit verify --export audit.jsonl.1 --export audit.jsonl -o json
      zcat audit.jsonl.*.gz | rotator audit verify --export -

    Exit 1 when a chain is broken or the file is damaged.
    """
    if export:
        return _of_export(settings, export, public_key, part=part)
    if public_key is not None or part:
        raise ConfigError("--public-key and --part are about an export", "give --export FILE, too")
    return _of_journal(settings)


def _of_journal(settings: Settings) -> int:
    from rotator.journal.open import open_journal

    state = running_configuration(settings).state
    with_key = open_journal(state, state.encryption_key.read_lines(), mode="reader")
    try:
        verdict, damage = with_key.audit.verify(), with_key.audit.integrity()
        names = {stream.id: stream.name for stream in with_key.streams.all()}
    finally:
        with_key.close()
    document = {
        "ok": not verdict.breaks and not damage,
        "facts": verdict.facts,
        "streams": verdict.streams,
        "breaks": [
            {"credential": names.get(b.stream, b.stream), "position": b.position, "why": b.why} for b in verdict.breaks
        ],
        "integrity": damage,
    }
    if settings.json:
        write_json(document)
    else:
        from rotator.cli import render

        write_lines(render.verdict(document, terminal_width()))
    if not document["ok"]:
        say("do: keep a copy of the database as it is, restore the last backup, and find out who wrote to it")
    return exits.DONE if document["ok"] else exits.NO


def _of_export(settings: Settings, files: Sequence[Path], public_key: Path | None, *, part: bool) -> int:
    from rotator.audit.keys import public_of, signed_by
    from rotator.audit.verify import verify

    key = public_of(_text(public_key), str(public_key)) if public_key is not None else ""
    verdict = verify(_lines(files), signed_by, key, part=part)
    document = export_document(verdict, given=bool(key))
    if settings.json:
        write_json(document)
    else:
        from rotator.cli import exported

        write_lines(exported.verdict(document, terminal_width()))
    if not verdict.intact:
        say("do: keep the export as it is, compare it with `rotator history`, and find out who wrote to it")
    elif not key:
        say(f"do: compare the key {verdict.key} with that of `rotator audit key`, or give --public-key")
    return exits.DONE if verdict.intact else exits.NO


def export_document(verdict: Verdict, *, given: bool) -> dict[str, Any]:
    """Return what is known of an export as it stands in JSON; `given`: whether the key was."""
    from rotator.audit.verify import MEANINGS, SHOWN

    return {
        "ok": verdict.intact,
        "lines": verdict.lines,
        "facts": verdict.facts,
        "streams": verdict.streams,
        "duplicates": verdict.duplicates,
        "half_lines": verdict.half_lines,
        "rewritten": verdict.rewritten,
        "checkpoints": verdict.checkpoints,
        "whole": verdict.whole,
        "from": verdict.first or None,
        "signed_until": verdict.signed_until or None,
        "unsigned": verdict.unsigned,
        "instance": verdict.instance or None,
        "key": verdict.key or None,
        "key_given": given,
        "problem_count": len(verdict.problems),
        "problems": [
            {"file": one.file, "line": one.line, "code": one.code.value, "message": MEANINGS[one.code]}
            for one in verdict.problems[:SHOWN]
        ],
    }


def audit_key(settings: Settings) -> int:
    """Print the public key of the audit export.

    Checkpoints of every export are signed with the private half, which is
    bound to the journal and its encryption key and never leaves them. Give
    the public one to whoever verifies exports, by a way that whoever could
    change the export does not control.

      rotator audit key > audit.pem
      rotator audit key -o json
    """
    from rotator.audit.keys import Signer, pem
    from rotator.journal.open import open_journal

    state = running_configuration(settings).state
    journal = open_journal(state, state.encryption_key.read_lines(), mode="reader")
    try:
        instance, public = journal.instance, Signer(journal.audit.export_seed()).public
    finally:
        journal.close()
    if settings.json:
        write_json({"instance": instance, "algorithm": "Ed25519", "key": public, "pem": pem(public)})
    else:
        write_lines([text(line) for line in pem(public).splitlines()])
    return exits.DONE


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise _unreadable(path, error) from None


def _lines(files: Sequence[Path]) -> Iterator[Line]:
    """Yield the lines of all files; `-` is standard input.

    Raises:
        ConfigError: one cannot be read.
    """
    from rotator.audit.verify import Line

    for path in files:
        try:
            if str(path) == "-":
                for number, line in enumerate(sys.stdin.buffer, 1):
                    yield _line(Line, "-", number, line)
                continue
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    yield _line(Line, str(path), number, line)
        except OSError as error:
            raise _unreadable(path, error) from None


def _line(make: type[Line], file: str, number: int, line: bytes) -> Line:
    return make(file, number, line.decode("utf-8", "surrogateescape").removesuffix("\n"), line.endswith(b"\n"))


def _unreadable(path: Path, error: OSError) -> ConfigError:
    kind = Absent if isinstance(error, FileNotFoundError) else ConfigError
    return kind(f"reading {path}: {error.strerror}", "give the path of a file that this user may read")


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    audit = typer.Typer(help="The audit trail.", no_args_is_help=True, rich_markup_mode=None)
    verb(audit, "verify")(audit_verify)
    verb(audit, "key")(audit_key)
    app.add_typer(audit, name="audit", short_help="The audit trail: `audit verify`, `audit key`.")
