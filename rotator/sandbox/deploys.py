"""What `wrangler deploy` calls for a new Worker: the caller's permissions are judged, and nothing is kept.

So every deployment is the first one. Shapes are those of Cloudflare's API documentation for Workers scripts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

from rotator.sandbox import auth
from rotator.sandbox.call import Answer, Call
from rotator.sandbox.catalogue import ACCOUNT, groups
from rotator.sandbox.errors import Refusal

WRITE: Final = ("Workers Scripts Write",)
READ: Final = ("Workers Scripts Read", *WRITE)
NOT_ON_WORKERS_DEV: Final = {"enabled": False, "previews_enabled": False}


def service(call: Call) -> Answer:
    """Tell whether a Worker of this name exists: none does."""
    _admit(call, READ)
    raise Refusal("service_not_found")


def none_of_it(call: Call) -> Answer:
    """Tell about a Worker: there is none."""
    _admit(call, READ)
    raise Refusal("script_not_found")


def upload(call: Call) -> Answer:
    """Take a script."""
    _admit(call, WRITE)
    digest = hashlib.sha256(call.body).hexdigest()
    more: dict[str, Any] = {"entry_point": "index.js", "handlers": ["fetch"], "has_assets": False, "startup_time_ms": 1}
    return Answer({"id": call.params["script_name"], "etag": digest, "deployment_id": digest[:32], **more})


def account_subdomain(call: Call) -> Answer:
    """Tell the account's name on workers.dev, which a deployment without routes asks for."""
    _admit(call, READ)
    return Answer({"subdomain": f"sandbox-{call.params['account_id'][:8]}"})


def subdomain(call: Call) -> Answer:
    """Tell that a Worker is not on workers.dev."""
    _admit(call, READ)
    return Answer(dict(NOT_ON_WORKERS_DEV))


def set_subdomain(call: Call) -> Answer:
    """Take that a Worker shall, or shall not, be on workers.dev; it never is."""
    _admit(call, WRITE)
    return Answer(dict(NOT_ON_WORKERS_DEV))


def routes(call: Call) -> Answer:
    """Take the routes of a Worker."""
    _admit(call, WRITE)
    return Answer([])


def _admit(call: Call, names: tuple[str, ...]) -> None:
    wanted = [group.id for group in groups().values() if group.scope == ACCOUNT and group.name in names]
    if not auth.may(call.world, call.admitted, wanted, auth.account_thing(call.params["account_id"])):
        raise Refusal("authentication_error")


OPERATIONS: Final[tuple[tuple[str, str, Callable[[Call], Answer]], ...]] = (
    ("GET", "/accounts/{account_id}/workers/subdomain", account_subdomain),
    ("GET", "/accounts/{account_id}/workers/services/{script_name}", service),
    ("GET", "/accounts/{account_id}/workers/scripts/{script_name}/deployments", none_of_it),
    ("GET", "/accounts/{account_id}/workers/scripts/{script_name}/settings", none_of_it),
    ("PUT", "/accounts/{account_id}/workers/scripts/{script_name}", upload),
    ("GET", "/accounts/{account_id}/workers/scripts/{script_name}/subdomain", subdomain),
    ("POST", "/accounts/{account_id}/workers/scripts/{script_name}/subdomain", set_subdomain),
    ("PUT", "/accounts/{account_id}/workers/scripts/{script_name}/routes", routes),
)
