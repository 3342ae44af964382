"""The `env_file` target: some keys of one dotenv file, read and written whole.

It joins `document` (what to change), `writer` (how a file changes) and `exposure` (whether it may hold a secret) to the
target port. It knows nothing of rotations; leases and intents are made above, and asked for through `still_mine`.
"""

import grp
import pwd
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from rotator.core.errors import Refused, Unavailable
from rotator.core.ports.target import Evidence, Publication, Reading, Remark
from rotator.core.secret import Secret
from rotator.host.crashpoints import crash_at
from rotator.targets.env_file import access, neighbours
from rotator.targets.env_file.document import Document, DocumentError
from rotator.targets.env_file.exposure import Exposure, InGit, exposure
from rotator.targets.env_file.likeness import Ownership
from rotator.targets.env_file.obstacles import Obstacle
from rotator.targets.env_file.options import LITERAL, EnvFileOptions
from rotator.targets.env_file.place import Snapshot, example_of_temporary_name
from rotator.targets.env_file.writer import How, Writer
from rotator.targets.env_file.yaml_like import named_like_yaml

_EXPOSED: Final = {
    InGit.TRACKED: ("is tracked by git", "`git rm --cached` it and add it to .gitignore"),
    InGit.NOT_IGNORED: ("lies in a git repository that does not ignore it", "add it to .gitignore"),
    InGit.UNKNOWN: ("lies in a git repository that cannot be read", "let the daemon's user read it"),
}


_MADE_UP: Final = "made-up-for-the-preflight"

_SHELL_NAMES: Final = frozenset({".envrc", ".profile", ".bashrc", ".bash_profile", ".zshrc", ".zshenv", ".zprofile"})
_SHELL_SUFFIXES: Final = frozenset({".sh", ".bash", ".zsh", ".ksh"})


def runs_in_a_shell(path: Path) -> bool:
    """Whether a file of this name is run by a shell, where a variable without `export` reaches no program."""
    return path.name in _SHELL_NAMES or path.suffix in _SHELL_SUFFIXES


def no_warning(code: str, message: str) -> None:
    """Take a warning and drop it."""


class EnvFileTarget:
    """Fulfils `rotator.core.ports.target.Target` for one file. Holds nothing open."""

    def __init__(
        self,
        options: EnvFileOptions,
        keys: Mapping[str, str],
        lock_folder: Path,
        *,
        crash: Callable[[str], None] = crash_at,
        warn: Callable[[str, str], None] = no_warning,
    ) -> None:
        """Nothing is opened.

        Args:
            options: validated.
            keys: managed key -> output name or `literal:TEXT`.
            lock_folder: folder for locks, shared by all processes of the instance; made when a write needs it.
            crash: passes a named crash point.
            warn: takes (code, message) of what an operator should know though the value is published.
        """
        self._options = options
        self._path = options.path
        self._keys = dict(keys)
        self._writer = Writer(lock_folder, crash)
        self._warn = warn

    @property
    def evidence(self) -> Evidence:
        """The values can be read back."""
        return Evidence.VALUE

    @property
    def keys(self) -> Mapping[str, str]:
        """Managed key -> output name or `literal:TEXT`."""
        return self._keys

    def check(self) -> Sequence[Remark]:
        """See the port: rights, kind of file, git, account names, and that every managed key can be edited."""
        ownership = _ownership(self._options)
        exposed = self._refuse_exposed()
        try:
            obstacle = access.probe(self._path, self._rehearse, create=self._options.create, ownership=ownership)
        except DocumentError as error:
            raise _unfit(self._path, error) from None
        found = access.read(self._path)
        remarks = [] if obstacle is None else [_in_place(self._path, obstacle)]
        remarks += _unproven(self._path, exposed)
        if found is not None and found.status.st_mode & 0o004 and self._options.mode is None:
            remarks.append(
                Remark(
                    code="readable_by_others",
                    message=f"{self._path} can be read by every user of this machine",
                    remedy=f'`chmod o-r {self._path}`, or write `mode: "0600"` for the target',
                )
            )
        remarks += neighbours.remarks(self._path, self._keys, None if found is None else self._document(found.content))
        return remarks

    def read(self) -> Reading:
        """See the port. The version is made of what stat(2) says, never of the content.

        Where a key is assigned several times, its last value counts, as in nearly every reader.
        """
        try:
            found = access.read(self._path)
        except Refused as error:
            raise Unavailable(error.message, error.remedy) from error
        if found is None:
            return Reading(version="")
        try:
            return Reading(version=_version(found), values=_values(self._document(found.content), self._keys))
        except Refused as error:
            raise Unavailable(error.message, error.remedy) from error

    def write(self, publication: Publication) -> None:
        """See the port; `writer` says what each way of writing promises and what a crash leaves behind."""
        exposed = self._refuse_exposed([example_of_temporary_name(self._path)])
        edit = _KeyEdit(publication.values, publication.expected.values, self._keys, self._path)
        try:
            how = self._writer.replace(
                self._path,
                edit,
                publication.still_mine,
                create=self._options.create,
                ownership=_ownership(self._options),
                apart=bool(exposed.bare),
            )
        except DocumentError as error:
            raise _unfit(self._path, error) from None
        if how is How.IN_PLACE:
            self._warn(
                "written_in_place",
                f"{self._path} was written in place (a mount of a single file, a hard link, or a folder that may not "
                "be written); a reader may have seen it half-way: mount the folder instead",
            )
        if how is How.RENAMED:
            self._warn(
                "renamed_over",
                f"the file system of {self._path} cannot exchange files; a save by somebody else in the same instant "
                "would have been lost",
            )

    def _rehearse(self, content: bytes) -> bytes:
        """Make the very change that a write would make, on a copy and with a made-up value."""
        values = {
            key: Secret(output.removeprefix(LITERAL) if output.startswith(LITERAL) else _MADE_UP)
            for key, output in self._keys.items()
        }
        return _KeyEdit(values, {}, self._keys, self._path).apply(content)

    def _document(self, content: bytes) -> Document:
        """Parse, and make sure that each managed key can be read."""
        try:
            document = Document(content)
            for key in self._keys:
                document.get(key)
        except DocumentError as error:
            raise _unfit(self._path, error) from None
        return document

    def _refuse_exposed(self, beside: Sequence[str] = ()) -> Exposure:
        if self._options.allow_tracked:
            return Exposure(InGit.NONE)
        found = exposure(self._path, beside)
        if found.verdict in _EXPOSED:
            what, remedy = _EXPOSED[found.verdict]
            asked = f" ({found.unproven})" if found.unproven else ""
            raise Refused(
                f"{self._path} {what}{asked}: the value could be committed and published",
                f"{remedy}, or set `allow_tracked: true`",
                code="exposed",
            )
        return found


class _KeyEdit:
    """Setting the managed keys, on top of what was read before the publish intent."""

    def __init__(
        self, values: Mapping[str, Secret], expected: Mapping[str, Secret], keys: Mapping[str, str], path: Path
    ) -> None:
        self._values = values
        self._shell = runs_in_a_shell(path)
        self._yaml = named_like_yaml(path)
        self._expected = {key: value for key, value in expected.items() if key in keys}
        self._keys = keys

    def agrees(self, content: bytes) -> bool:
        return _values(Document(content), self._keys) == self._expected

    def apply(self, content: bytes) -> bytes:
        document = Document(content, shell=self._shell, yaml=self._yaml)
        return document.set({key: value.reveal() for key, value in self._values.items()})


def _in_place(path: Path, obstacle: Obstacle) -> Remark:
    return Remark(
        code="written_in_place",
        message=f"{path} will be written where it stands, and a reader may see it half-way: {obstacle.what}",
        remedy=obstacle.remedy,
    )


def _unproven(path: Path, exposed: Exposure) -> Iterator[Remark]:
    if exposed.unproven:
        yield Remark(
            code="git_not_asked",
            message=f"{exposed.unproven}, so nobody proved that {path} is not tracked; its .gitignore ignores it",
            remedy=exposed.remedy,
        )


def _unfit(path: Path, error: DocumentError) -> Refused:
    return Refused(f"{path}: {error.message}", error.remedy, code=error.code)


def _version(found: Snapshot) -> str:
    return f"{found.status.st_dev:x}{found.identity}"


def _values(document: Document, keys: Mapping[str, str]) -> dict[str, Secret]:
    found = {key: document.get(key) for key in keys}
    return {key: _secret(texts[-1]) for key, texts in found.items() if texts and texts[-1]}


def _secret(text: str) -> Secret:
    """Bytes that are not UTF-8 show as escapes: text that can be compared, and that no token is equal to."""
    return Secret(text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))


def _ownership(options: EnvFileOptions) -> Ownership:
    uid = gid = None
    if options.user is not None:
        uid = (
            int(options.user) if options.user.isdecimal() else _lookup(lambda: pwd.getpwnam(options.user or "").pw_uid)
        )
        if uid is None:
            raise Refused(
                f"{options.path}: there is no user {options.user} here",
                "correct `user`, or write its number",
                code="user",
            )
    if options.group is not None:
        gid = (
            int(options.group)
            if options.group.isdecimal()
            else _lookup(lambda: grp.getgrnam(options.group or "").gr_gid)
        )
        if gid is None:
            raise Refused(
                f"{options.path}: there is no group {options.group} here",
                "correct `group`, or write its number",
                code="group",
            )
    return Ownership(options.mode, uid, gid)


def _lookup(ask: Callable[[], int]) -> int | None:
    try:
        return ask()
    except KeyError:
        return None
