"""One secret of a KV version 2 mount as a target: merge, check-and-set, then the custom metadata of this credential.

Other keys at the path are kept as they stand. The version that `read` answers names version number and creation time,
so that a secret that was removed and made anew is not taken for the old one. It knows nothing of rotations.

API: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from rotator.core.credential import NEVER
from rotator.core.errors import OutcomeUnknown, Refused, Unavailable
from rotator.core.instants import rfc3339, unix
from rotator.core.ports.target import Evidence, Publication, Reading, Remark
from rotator.core.secret import Secret
from rotator.host.crashpoints import crash_at
from rotator.targets.json_text import JsonObject
from rotator.targets.merging import merge, require_managed
from rotator.targets.vault.connection import VaultConnection
from rotator.targets.vault.options import VaultTargetOptions
from rotator.targets.vault.transport import Forbidden, Request, VaultAnswer, refuse

_NEEDED: Final = frozenset({"create", "read", "update"})


def no_warning(code: str, message: str) -> None:
    """Take a warning and drop it."""


@dataclass(frozen=True, slots=True)
class _Stand:
    """What stands at the path: number and creation time of the newest version (0 and empty: none), and its data.

    A newest version that was deleted or destroyed has a number, which check-and-set still wants, and no data.
    """

    number: int
    created: str
    data: JsonObject
    ends: str = ""
    """When Vault will delete the version, empty for never."""

    @property
    def version(self) -> str:
        return f"{self.number}@{self.created}" if self.number else ""


class VaultTarget:
    """Fulfils `rotator.core.ports.target.Target` for one path of one KV version 2 mount."""

    def __init__(
        self,
        connection: VaultConnection,
        options: VaultTargetOptions,
        keys: Mapping[str, str],
        *,
        crash: Callable[[str], None] = crash_at,
        warn: Callable[[str, str], None] = no_warning,
    ) -> None:
        """Nothing is sent.

        Args:
            connection: shared by the targets of this connection; not closed by `close`.
            options: validated.
            keys: managed key -> output name or `literal:TEXT`.
            crash: passes a named crash point.
            warn: takes (code, message) of what an operator should know though the value is published.
        """
        self._connection = connection
        self._keys = dict(keys)
        self._crash = crash
        self._warn = warn
        self._what = f"vault:{options.place}"
        self._place = options.place
        self._options = options
        self._mount = _quoted(options.mount)
        self._data = f"{self._mount}/data/{_quoted(options.path)}"
        self._metadata = f"{self._mount}/metadata/{_quoted(options.path)}"
        self._paths = (f"{options.mount}/data/{options.path}", f"{options.mount}/metadata/{options.path}")
        self._is_v2 = False

    @property
    def evidence(self) -> Evidence:
        """The values can be read back."""
        return Evidence.VALUE

    @property
    def keys(self) -> Mapping[str, str]:
        """Managed key -> name of the source's output, or `literal:TEXT`."""
        return self._keys

    def check(self) -> Sequence[Remark]:
        """Prove that a write would be allowed now: a KV version 2 mount, the capabilities, a readable place.

        Raises:
            Refused: a certain no; the remedy says what to grant or to mount.
            Unavailable: Vault gave no usable answer.
        """
        doing = f"checking {self._what}"
        self._require_version_2()
        missing = self._missing(doing)
        if missing and self._connection.afresh():
            # What was denied may be the login's own fault: used up, or older than its policies.
            missing = self._missing(doing)
        if missing and self._connection.uses != 1:  # a login's last request is told that nothing is allowed
            path, capabilities = next(iter(missing.items()))
            raise Refused(
                f"{doing}: the login may not {', '.join(sorted(capabilities))} {path}",
                f'add to its policy: path "{path}" {{ capabilities = ["create", "read", "update"] }}',
                code="permission",
            )
        try:
            stand = self._stand(doing)
            return (*self._ends(stand, doing), *self._limited())
        except Forbidden as error:
            raise Refused(error.message, error.remedy, code="permission") from None

    def _missing(self, doing: str) -> dict[str, frozenset[str]]:
        """Path -> capabilities that the login lacks there, by Vault's own word; empty where Vault does not say."""
        body = json.dumps({"paths": list(self._paths)})
        try:
            answer = self._connection.ask(Request(doing=doing, method="POST", path="sys/capabilities-self", body=body))
        except Forbidden:
            return {}  # a login without the `default` policy may not ask; reading is all that it can prove
        found = answer.json()
        held = {path: set(found.get(path) or found.get("data", {}).get(path) or ()) for path in self._paths}
        return {path: lacks for path, has in held.items() if "root" not in has and (lacks := _NEEDED - has)}

    def _ends(self, stand: _Stand, doing: str) -> Sequence[Remark]:
        """Whether Vault will delete what is published here, by a setting of the path or of its mount."""
        try:
            path = self._connection.ask(Request(doing=doing, path=self._metadata)).data()
        except Forbidden:
            path = {}  # then only what is written tells
        after = str(path.get("delete_version_after") or "0s")
        if after == "0s" and not stand.ends:
            return ()
        when = f"after {after}" if after != "0s" else f"at {stand.ends}"
        return (
            Remark(
                code="versions_end",
                message=f"{self._what}: Vault deletes each version {when} (delete_version_after), and its value",
                remedy=f"`vault kv metadata put -delete-version-after=0s {self._place}`; where the mount says so: "
                f"`vault write {self._mount}/config delete_version_after=0s`",
            ),
        )

    def _limited(self) -> Sequence[Remark]:
        uses = self._connection.uses
        if not uses:
            return ()
        return (
            Remark(
                code="login_uses",
                message=f"a login of this connection is good for {uses} {'request' if uses == 1 else 'requests'}, "
                "so one rotation takes many of them" + (", and what it may do cannot be asked" if uses == 1 else ""),
                remedy="set `token_num_uses=0` at its role (a token from a file: `-use-limit=0`)",
            ),
        )

    def read(self) -> Reading:
        """Read the managed keys over a new connection; a path without versions is an empty reading.

        Raises:
            Unavailable: there is no usable answer.
        """
        stand = self._stand(f"reading {self._what}")
        return Reading(version=stand.version, values=self._managed(stand), ends=unix(stand.ends) or NEVER)

    def write(self, publication: Publication) -> None:
        """Merge the managed keys into what stands there, by check-and-set, then mark the path's custom metadata.

        A crash leaves the old set, the new set, or the new set without its marks; the same publication again sets them.

        Raises:
            Conflict: a managed key holds something else than expected, or others change the path without pause.
            Fenced: from `still_mine`; nothing was written.
            Refused: a certain no.
            Unavailable: nothing was sent.
            OutcomeUnknown: it may have been applied, or the value is published but not marked yet.
        """
        require_managed(publication, self._keys)
        doing = f"writing {self._what}"
        self._require_version_2()

        def put(stand: _Stand) -> bool:
            publication.still_mine()
            self._crash("before_vault_put")
            done = self._put(stand, publication, doing)
            self._crash("after_vault_put")
            return done

        merge(doing, publication, look=lambda: self._stand(doing), managed=self._managed, put=put)
        self._mark(publication)

    def _managed(self, stand: _Stand) -> dict[str, Secret]:
        found = {key: stand.data.string(key) for key in self._keys}
        return {key: Secret(value) for key, value in found.items() if value}

    def _stand(self, doing: str) -> _Stand:
        answer = self._connection.ask(Request(doing=doing, path=self._data))
        if answer.status == 404 and not answer.data():
            if answer.errors():  # "no handler for route": not an absent secret but an absent mount
                raise Unavailable(
                    f"{doing}: {answer.errors()}", "mount a KV version 2 engine there, or correct `mount`"
                )
            return _Stand(0, "", JsonObject("{}"))
        try:
            outer = JsonObject(answer.text)
            inner = JsonObject(outer.raw("data") or "")
            metadata = inner.value("metadata")
            number, created = int(metadata["version"]), str(metadata["created_time"])
            gone = (data := inner.raw("data")) in {None, "null"}
            ends = "" if gone else str(metadata.get("deletion_time") or "")
            return _Stand(number, created, JsonObject("{}" if gone else str(data)), ends)
        except (ValueError, TypeError, KeyError):
            raise Unavailable(
                f"{doing}: the answer (HTTP {answer.status}) is not that of a KV version 2 secret",
                "look at what answers at `address`, and at `mount`",
            ) from None

    def _put(self, stand: _Stand, publication: Publication, doing: str) -> bool:
        """Write one version on top of `stand`; False when somebody else was faster and nothing was written."""
        merged = stand.data.with_strings({key: value.reveal() for key, value in publication.values.items()})
        request = Request(
            doing=doing,
            method="POST",
            path=self._data,
            body=f'{{"options": {{"cas": {stand.number}}}, "data": {merged}}}',
            effect=True,
            hidden=tuple(publication.values.values()),
        )
        answer = self._connection.ask(request)
        # https://developer.hashicorp.com/vault/docs/secrets/kv/kv-v2/cookbook/cas: a lost race is a 400 with this text.
        if answer.status == 400 and "check-and-set parameter did not match" in answer.errors():
            return False
        if not answer.ok:
            raise refuse(answer, request, _remedy(answer))
        written = answer.data()
        if not isinstance(written.get("version"), int):
            raise OutcomeUnknown(f"{doing}: the answer does not name a version", "the target is read again")
        if written.get("deletion_time"):
            self._warn("versions_end", f"{self._what}: Vault will delete this version at {written['deletion_time']}")
        return True

    def _mark(self, publication: Publication) -> None:
        """Set this credential's custom metadata beside that of others, where it differs.

        Consumers and a restored journal read it; the value does not depend on it. So what Vault refuses here is a
        warning, and what may work later is an unknown outcome: then the same publication is written again.
        """
        doing = f"marking {self._what}"
        marks = _marks(publication)
        try:
            found = self._connection.ask(Request(doing=doing, path=self._metadata)).data().get("custom_metadata") or {}
            if all(found.get(key) == value for key, value in marks.items()):
                return
            body = json.dumps({"custom_metadata": {**found, **marks}})
            request = Request(doing=doing, method="POST", path=self._metadata, body=body, effect=True)
            self._crash("before_vault_metadata")
            answer = self._connection.ask(request)
            self._crash("after_vault_metadata")
            if not answer.ok:
                raise refuse(answer, request)
        except (Refused, Forbidden) as error:
            self._warn("target_not_marked", error.message)
        except Unavailable as error:
            raise OutcomeUnknown(error.message, error.remedy) from None

    def _require_version_2(self) -> None:
        """A version 1 mount accepts the same request and stores it as an ordinary secret called `data/…`: refuse it."""
        if self._is_v2:
            return
        doing = f"checking {self._what}"
        try:
            answer = self._connection.ask(Request(doing=doing, path=f"sys/internal/ui/mounts/{self._mount}"))
        except Forbidden:
            raise Refused(
                f"{doing}: there is no such mount, or the login has no permission below it",
                f"mount a KV version 2 engine at {self._mount}, or grant what docs/targets/vault.md lists",
                code="permission",
            ) from None
        mount = answer.data()
        options = mount.get("options") or {}
        at = str(mount.get("path") or "").strip("/")
        if at and at != self._options.mount:
            raise Refused(
                f"{doing}: the mount is `{at}`, and `{self._options.mount}` lies inside of it",
                f"write {self._options.inside(at)}",
                code="mount",
            )
        if mount.get("type") != "kv" or options.get("version") != "2":
            raise Refused(
                f"{doing}: the mount is not a KV version 2 engine",
                f"`vault kv enable-versioning {self._mount}`, or name another `mount`",
                code="not_kv_2",
            )
        self._is_v2 = True


def _quoted(path: str) -> str:
    return quote(path, safe="/")


def _remedy(answer: VaultAnswer) -> str:
    return "correct `mount` and `path`" if answer.status in {404, 405} else "look at Vault's words and at its audit log"


def _marks(publication: Publication) -> dict[str, str]:
    """The custom metadata of one publication; a credential's name (at most 63 letters) leaves room in a key's 128."""
    name, end = publication.credential, publication.expires_at
    return {
        f"rotator_{name}_generation": str(publication.generation),
        f"rotator_{name}_token_id": publication.token_id,
        f"rotator_{name}_expires_on": rfc3339(end) or "never",
    }
