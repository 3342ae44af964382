"""What a call of a port does to the model, and what the laws say about it. Arguments are plain data: late ones keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rotator.core.credential import NEVER
from rotator.core.errors import Conflict, Fenced, JournalUnsafe, Refused, Unavailable
from rotator.core.facts import Draft
from rotator.core.ids import Fingerprint, TokenId
from rotator.core.ports.journal import Lease
from rotator.core.ports.source import Minted, TokenState
from rotator.core.ports.target import Reading
from rotator.core.protocol.view import View
from rotator.core.secret import Secret
from rotator.testing.cover import judge
from rotator.testing.cover.model import NAME, Model, Proc
from rotator.testing.laws import Law
from rotator.testing.simulation.provider import Place, Tok
from rotator.testing.simulation.store import brought

# --- the provider


def mint(model: Model, name: str, expires_at: float, kind: str = "") -> Minted:
    """A token of that name; with a twin, or with grants that nobody asked for."""
    judge.sends(model, "mint", "")
    if kind == "twin":
        model.make(NAME, name, expires_at)
    tok = model.make(NAME, name, expires_at)
    tok.equal = kind != "wrong_grants"
    tok.accepted_at = model.now + 1 if kind == "lag" else NEVER if kind == "never" else 0.0
    judge.minted(model)
    if "publish_first" in model.mutants:
        for place in model.places:
            store_place(model, place, tok.value, writer=True)
    return _minted(tok)


def _minted(tok: Tok) -> Minted:
    return Minted(token_id=tok.id, value=Secret(tok.value), name=tok.name, issued_at=tok.born, expires_at=tok.expires)


def roll(model: Model, token: TokenId, sent: float) -> Minted:
    """A new value; the old one dies at once."""
    tok = model.tok(token)
    if tok.status != "active":
        raise Refused("roll: the token is not active")
    judge.sends(model, "roll", token)
    judge.rolled(model, tok, sent)
    tok.value = f"v{len(model.by_value)}"
    model.by_value[tok.value] = tok.id
    tok.modified = model.now
    judge.minted(model)
    return _minted(tok)


def extend(model: Model, token: TokenId, expires_at: float) -> None:
    """Move an end."""
    tok = model.tok(token)
    if tok.status != "active":
        raise Refused("extend: the token is not active")
    tok.expires = expires_at


def disable(model: Model, token: TokenId) -> None:
    """Disable."""
    if not model.can.disable:
        raise Refused("disable: this source cannot", code="unsupported")
    tok = model.tok(token)
    if tok.status == "deleted":
        return
    judge.destroyed(model, tok, "disable")
    if tok.status == "active":
        tok.disabled_at, tok.status, tok.killed = model.now, "disabled", tok.killed or "us"


def delete(model: Model, token: TokenId) -> None:
    """Delete."""
    tok = model.tok(token)
    if tok.status == "deleted":
        return
    judge.destroyed(model, tok, "delete")
    tok.status, tok.killed = "deleted", tok.killed or "us"


def get(model: Model, token: TokenId) -> TokenState | None:
    """The state of one token."""
    tok = model.toks.get(token)
    if tok is None or tok.status == "deleted":
        return None
    used = max(model.used(tok), tok.verified)
    status = "expired" if tok.status == "active" and tok.expires <= model.now else tok.status
    return TokenState(
        id=tok.id,
        name=tok.name,
        status=status,
        issued_at=tok.born,
        modified_at=tok.modified,
        expires_at=tok.expires,
        last_used_at=None if used == -NEVER else used,
        equal=tok.equal,
        final=status not in ("active", "disabled"),
    )


def listed(model: Model) -> tuple[TokenState, ...]:
    """The states of all tokens."""
    return tuple(state for token in model.toks if (state := get(model, token)) is not None)


def verify(model: Model, value: str) -> str | None:
    """Whose value it is, if it lives."""
    tok = model.of_value(value)
    if tok is None or not model.live(value) or tok.accepted_at > model.now:
        return None
    model.tok(tok.id).verified = model.now
    return tok.id


# --- places


def _place(model: Model, name: str) -> Place:
    place = model.places[name]
    if place.down > model.now:
        raise Unavailable(f"{name}: no answer")
    return place


def check(model: Model, name: str) -> None:
    """The write preflight."""
    if _place(model, name).frozen > model.now:
        raise Unavailable(f"{name}: read-only")


def read(model: Model, name: str) -> Reading:
    """What stands there."""
    place = _place(model, name)
    found = place.data.get(NAME)
    if place.kind == "blind":
        return Reading(version=version(place), marker=version(place)) if found else Reading(version="")
    return Reading(version=version(place), values={NAME: Secret(found)} if found else {})


def version(place: Place) -> str:
    """The version as the target port tells it."""
    return f"#{place.name}{place.version}"


def store_place(model: Model, name: str, value: str, *, writer: bool) -> None:
    """Change a place, by us (`writer`) or by people."""
    place = model.place(name)
    old = place.data.get(NAME, "")
    place.version += 1
    place.data = {NAME: value} if value else {}
    if old != value:
        judge.changed(model, place, old, value, writer=writer)


def put(model: Model, name: str, value: str, expected: str, kind: str = "") -> None:
    """A compare-and-set store: on top of that version only; a write-only one compares nothing."""
    place = _place(model, name)
    check(model, name)
    if place.kind != "blind" and "blind_write" not in model.mutants and version(place) != expected:
        raise Conflict(f"{name}: the version moved")
    if kind == "lie":
        return
    store_place(model, name, value, writer=True)


def exchange(model: Model, name: str, value: str, was: str) -> str:
    """A file: exchanged with what was prepared; answers what stood there, which should be what was read (`was`)."""
    check(model, name)
    place = model.places[name]
    old, by = place.data.get(NAME, ""), place.by.get(NAME, "")
    store_place(model, name, value, writer=True)
    if old != was:
        model.displaced[name] = (old, by)
    return old


def exchange_back(model: Model, name: str, value: str) -> None:
    """What was displaced is put back."""
    _, by = model.displaced.pop(name, ("", "op"))
    store_place(model, name, value, writer=False)
    model.place(name).by[NAME] = by


# --- the journal


def claim(model: Model, me: tuple[str, int]) -> Lease | None:
    """The lease, unless a living process holds it."""
    epoch = model.store.claim(NAME, me, model.now, model.alive())
    return None if epoch is None else Lease(NAME, epoch, me[0])


def fence(model: Model, me: tuple[str, int], lease: Lease) -> None:
    """Renew the lease, or raise."""
    model.store.fence(NAME, me, lease.epoch)
    model.store.leases[NAME].until = model.now + 30


def canary(model: Model) -> None:
    """Prove room, for a value too."""
    model.store.room(model.now)
    if model.cramped_until > model.now:
        raise JournalUnsafe("writing the journal: no room for a value")


def append(model: Model, me: tuple[str, int], lease: Lease, draft: Draft, value: str | None) -> View:
    """A fact, fenced."""
    model.store.room(model.now)
    before = model.view
    try:
        after = model.store.append(NAME, draft, value, me, lease.epoch)
    except LookupError as error:  # the fold stumbles where a fact stands that may not stand there
        model.bad(Law.ONE_STEP, f"{draft.kind}: {error!r}")
        raise Fenced("the journal is broken") from error
    judge.fact(model, draft, before)
    return after


def spool(model: Model, me: tuple[str, int], draft: Draft, value: str) -> None:
    """A capture in the process's own file."""
    canary(model)
    if "no_spool" not in model.mutants:
        model.store.spools.setdefault(me, []).append((NAME, draft, value))
    model.spooled |= {brought(draft)}


def capture(model: Model, me: tuple[str, int], draft: Draft, value: str) -> View:
    """A capture, at any epoch."""
    canary(model)
    held = model.store.leases[NAME]
    if "capture_fenced" in model.mutants and held.holder != me:
        raise Fenced("captures are fenced in this mutant")
    before = model.view
    after = model.store.put(NAME, draft, value, held.epoch)
    mine = model.store.spools.get(me, [])
    model.store.spools[me] = [kept for kept in mine if brought(kept[1]) != brought(draft)]
    judge.fact(model, draft, before)
    return after


def raise_epoch(model: Model, me: tuple[str, int], lease: Lease, above: int) -> Lease:
    """Epochs go on above one that was seen."""
    fence(model, me, lease)
    held = model.store.leases[NAME]
    held.epoch = max(held.epoch, above + 1)
    return Lease(NAME, held.epoch, lease.holder)


def lock(model: Model, me: tuple[str, int], place: str) -> None:
    """The lock of a place."""
    if "no_place_lock" in model.mutants:
        return
    owner = model.locks.get(place)
    if owner and owner != me and owner in model.alive():
        raise Unavailable(f"{place} is being written")
    model.locks[place] = me


def unlock(model: Model, me: tuple[str, int], place: str) -> None:
    """Given back."""
    if model.locks.get(place) == me:
        del model.locks[place]


def reveal(model: Model, fingerprint: Fingerprint) -> str:
    """A sealed value."""
    held = model.store.leases.get(NAME)
    if "epoch_in_aad" in model.mutants and held and model.store.sealed_at.get(fingerprint, held.epoch) != held.epoch:
        raise JournalUnsafe("opening a value: it does not decrypt")
    return model.store.values[fingerprint]


def fresh(model: Model, prefix: str) -> str:
    """Chance: a name that never was."""
    return model.fresh(prefix)


def sleep(model: Model) -> None:
    """Time has passed."""


def known(model: Model) -> tuple[str, ...]:
    """Names of all attempts."""
    return tuple(model.view.attempts)


EFFECTS: Final[Mapping[str, Callable[..., Any]]] = {
    effect.__name__: effect
    for effect in (
        mint, roll, extend, disable, delete, get, listed, verify, check, read, put, exchange, exchange_back,
        claim, fence, canary, append, spool, capture, raise_epoch, lock, unlock, reveal, fresh, known, sleep,
    )
} | {"reread": read}  # fmt: skip


def kill(model: Model, index: int) -> None:
    """SIGKILL; the process starts again with an empty memory."""
    proc = model.procs[index]
    model.procs[index] = Proc(name=proc.name, incarnation=proc.incarnation + 1)
    model.locks = {place: owner for place, owner in model.locks.items() if owner != proc.me}
