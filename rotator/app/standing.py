"""What `check` says of the managed keys of a target: what stands there and is not ours, and permissions that served.

It judges as the engine does at the first sight, by what a text looks like and by the journal; it asks the provider
nothing and journals nothing. What only the provider can tell is said to be open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rotator.core.errors import RotatorError
from rotator.core.findings import Finding, Level, Subject
from rotator.core.ids import NO_TOKEN, NO_VALUE, CredentialId, TokenId
from rotator.core.instants import rfc3339
from rotator.core.ports.journal import Journal
from rotator.core.ports.source import Looks
from rotator.core.ports.target import Evidence, Reading, Target
from rotator.core.protocol.view import View
from rotator.core.secret import Secret
from rotator.engine.holding import beside, nobodys, provable, value_key
from rotator.engine.whose import another_of
from rotator.engine.work import Bound

LEAVE: Final = "name another key or place, empty it, or set `on_existing: replace`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One target of a credential and what is known of it.

    Attributes:
        bound: the credential with its adapters.
        name: the target's name.
        replace: whether the configuration lets us overwrite what stands there at first sight.
        view: the fold of the credential's facts.
        journal: opened with its key; None before the first start, and where it cannot be opened.
        serves: whether the configuration lets that credential publish to a place.
    """

    bound: Bound
    name: str
    replace: bool
    view: View
    journal: Journal | None
    serves: Callable[[str, CredentialId], bool]

    @property
    def target(self) -> Target:
        """Its adapter."""
        return self.bound.targets[self.name]


def standing(subject: Subject, place: Looked) -> Iterator[Finding]:
    """Return what is to be said of one target; one that cannot be read says nothing here."""
    name, view = place.name, place.view
    yield from _decided(subject, place)
    if name in view.baselines and name not in view.occupied:
        if place.replace:
            yield Finding(
                level=Level.WARN,
                subject=subject,
                code="on_existing",
                message="`on_existing: replace` has served; after a lost journal it would overwrite what stands there",
                remedy="take `on_existing: replace` out",
            )
        return
    try:
        said = _occupied(place, place.target.read())
    except RotatorError:
        return  # said already
    if said is not None:
        message, remedy = said
        yield Finding(level=Level.WARN, subject=subject, code="occupied", message=message, remedy=remedy)


def _decided(subject: Subject, place: Looked) -> Iterator[Finding]:
    """Return what the journal says of content that is not ours: somebody accepted it, or a person has to decide."""
    name, view, credential = place.name, place.view, place.bound.credential
    if leave := view.accepted.get(name):
        suffers = "; the target is required, so the credential is not ready" if name in credential.required else ""
        yield Finding(
            level=Level.WARN,
            subject=subject,
            code="accepted",
            message=(
                f"a value that is not ours stands there and is left alone, accepted by {leave.by}"
                f" at {rfc3339(leave.at)}{suffers}"
            ),
            remedy=f"`rotator resolve {credential.name} --undo` ends that; then decide again",
        )
    elif name in view.baselines and name not in view.occupied:
        if name in view.overridden:
            what = view.what.get(name, "something that is not ours stands there")
        elif name in view.strange and view.strange[name] != view.kept.get(name):
            what = f"{', '.join(sorted(view.strange[name]))} holds something that is not ours"
        else:
            return
        yield Finding(
            level=Level.WARN,
            subject=subject,
            code="overridden",
            message=f"somebody else changed a managed key after us: {what}",
            remedy=(
                f"`rotator resolve {credential.name} --retry` restores ours, `--accept` keeps theirs;"
                f" `rotator status {credential.name}` says what each would do"
            ),
        )


def _occupied(place: Looked, reading: Reading) -> tuple[str, str] | None:
    """Return what keeps the first start from publishing here, in words, and what to do; None where nothing does."""
    if place.target.evidence is Evidence.MARKER:
        if not reading.marker or place.replace or place.name in place.view.marks:
            return None
        return "something stands there already, and it cannot be read; nothing is written over it unasked", LEAVE
    source, credential = place.bound.source, place.bound.credential
    key = value_key(source, place.target)
    found = reading.values.get(key)
    token: TokenId | None = NO_TOKEN
    if found is not None:
        piece = place.journal.fingerprint(found) if place.journal else NO_VALUE
        token = place.view.values.get(piece) or place.view.values.get(place.view.pieces.get(piece, NO_VALUE), NO_TOKEN)
        if not token and place.journal:
            other = another_of(place.journal, credential, credential.id, place.name, piece, place.serves)
            if other is not None:
                if other.free or other.leaving:
                    return None
                said = f"{key} holds a value of another credential of ours; it stays, and its token with it"
                return said, "name another key or place, or end the other credential first"
    if place.replace:
        return None
    if found is not None and not token:
        shape = source.looks_like(found, key, adopted=bool(credential.adopt))
        if shape.looks is Looks.OWN and provable(source, place.target):
            said = f"{key} holds {shape.what}; nobody can tell yet whose it is: it is asked at the first start"
            fine = "nothing, if it is of the token that `adopt` names; else " if credential.adopt else ""
            return f"{said}, and nothing is written over it unasked", fine + LEAVE
        if shape.looks is not Looks.PLACEHOLDER:
            return f"{key} holds {shape.what}; nothing is written over it unasked", LEAVE
    strange = _strange(place, reading, token or NO_TOKEN)
    if not strange:
        return None
    return f"{', '.join(strange)} holds something that is not ours; nothing is written over it unasked", LEAVE


def _strange(place: Looked, reading: Reading, token: TokenId) -> list[str]:
    """Return the side keys that hold neither ours, nor what we wrote at any time, nor a placeholder."""
    source, view = place.bound.source, place.view
    wanted: Mapping[str, Secret] = {}
    if token and provable(source, place.target):
        value = reading.values[value_key(source, place.target)]
        outputs = source.outputs(token, value, view.expires_at(token))
        wanted = {key: outputs[name] for key, name in place.target.keys.items() if name in outputs}
    found = []
    for key, content in beside(source, place.target, reading, wanted).items():
        piece = place.journal.fingerprint(content) if place.journal else ""
        wrote = piece in view.pieces or (place.name, piece) in view.allowed
        if not wrote and not nobodys(source, place.target, key, content):
            found.append(key)
    return found
