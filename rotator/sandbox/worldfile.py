"""The world file of `--world`: accounts, zones, users and first tokens in YAML, read strictly.

```yaml
accounts: [{id: a000...01, name: Main}]              # at least one; ids are made from the names when absent
users:    [{email: me@example.com, accounts: [Main]}]  # accounts by name or id; default: all
zones:    [{name: example.com, account: Main}]
tokens:                                              # besides the four management tokens
  - name: old-deploy
    owner: {account: Main}                           # or {user: me@example.com}
    policies: [{effect: allow, permission_groups: [{id: ...}], resources: {...}}]
    value: cfat_...                                  # made up when absent
    expires_on: 2026-12-24T00:00:00Z
    status: active                                   # or disabled
    managed: false                                   # true: Cloudflare's own, cannot be deleted
settings: {user_quota: 50}
```

pydantic and ruamel.yaml are imported inside the function that reads: a sandbox without a world file starts faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotator.sandbox import grants
from rotator.sandbox.clock import parse_rfc3339
from rotator.sandbox.errors import Refusal
from rotator.sandbox.initial import build, stable_id
from rotator.sandbox.tokens import make
from rotator.sandbox.unusable import UnusableError
from rotator.sandbox.world import Account, Owner, User, World, Zone, new_value


def read(path: Path) -> World:
    """The world that the file describes.

    Raises:
        ValueError: not YAML, or not of this shape; one line per mistake, each with the file and where in it.
        OSError: it cannot be read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    text = path.read_text(encoding="utf-8")
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        what = getattr(error, "problem", None) or "cannot be read"
        raise UnusableError(f"{path}{where}: not YAML: {what}", "correct it") from None
    try:
        return make_world(document)
    except ValueError as error:
        lines = "\n".join(f"{path}: {line}" for line in str(error).splitlines())
        raise UnusableError(lines, "correct the world file") from None


def make_world(document: object) -> World:
    """As `read`, from the loaded document.

    Raises:
        ValueError: not of this shape; one line per mistake.
    """
    from pydantic import ValidationError

    from rotator.sandbox.worldmodel import WorldModel

    try:
        model = WorldModel.model_validate(document if document is not None else {})
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}" for each in error.errors()]
        raise ValueError("\n".join(lines)) from None
    accounts = [Account(each.id or stable_id("account", each.name), each.name) for each in model.accounts]
    by_name = {key: account.id for account in accounts for key in (account.name, account.id)}
    zones = [
        Zone(each.id or stable_id("zone", each.name), each.name, _one(by_name, each.account, "account"))
        for each in model.zones
    ]
    users = [
        User(
            each.id or stable_id("user", each.email),
            each.email,
            [_one(by_name, name, "account") for name in each.accounts]
            if each.accounts is not None
            else [account.id for account in accounts],
            new_value("key"),
        )
        for each in model.users
    ]
    world = build(accounts, zones, users)
    for key, value in model.settings.items():
        from rotator.sandbox.control import WrongRequest, checked_setting

        try:
            setattr(world.settings, key, checked_setting(key, value))
        except WrongRequest as error:
            raise ValueError(f"settings: {error}") from None
    by_email = {key: user.id for user in users for key in (user.email, user.id)}
    for index, row in enumerate(model.tokens):
        if row.owner.account is not None:
            owner = Owner("account", _one(by_name, row.owner.account, "account"))
        else:
            owner = Owner("user", _one(by_email, row.owner.user or "", "user"))
        _add_token(world, owner, row.model_dump(), f"tokens.{index}")
    return world


def _one(known: Mapping[str, str], name: str, what: str) -> str:
    if name not in known:
        raise ValueError(f"there is no {what} {name!r}; expected one of {', '.join(known)}")
    return known[name]


def _add_token(world: World, owner: Owner, row: dict[str, Any], where: str) -> None:
    now = world.clock.now()
    try:
        policies = grants.accept_policies(world, None, owner, row["policies"])
        condition = grants.accept_condition(row["condition"])
    except Refusal as refusal:
        raise ValueError(f"{where}: {refusal.error['message']}") from None
    token = make(world, owner, row["name"], policies, now)
    token.id = row["id"] or token.id
    token.value = row["value"] or token.value
    token.condition = condition
    token.disabled = row["status"] == "disabled"
    token.managed = row["managed"]
    for key in ("not_before", "expires_on"):
        try:
            setattr(token, key, None if row[key] is None else parse_rfc3339(row[key]))
        except ValueError:
            raise ValueError(f"{where}.{key}: expected a time like 2026-12-24T00:00:00Z") from None
    world.add(token)
