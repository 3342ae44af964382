"""The refusals of the API: one table of name -> HTTP status, code and message.

Codes and texts are those that Cloudflare documents or that its clients report. Where no source says which status or
code the real API uses, the row says `chosen`; a client must not rely on those. This file decides nothing about when
a refusal applies.
"""

from __future__ import annotations

from typing import Any, Final

REFUSALS: Final[dict[str, tuple[int, int, str]]] = {
    # who is calling
    "invalid_token": (401, 1000, "Invalid API Token"),
    "missing_token": (400, 1001, "missing authentication token"),
    "missing_credentials": (400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"),
    "malformed_headers": (400, 6003, "Invalid request headers"),
    "unknown_key": (403, 9103, "Unknown X-Auth-Key or X-Auth-Email"),
    "invalid_access_token": (401, 9109, "Invalid access token"),  # 401 chosen, 403 is reported too
    "wrong_location": (403, 9109, "Cannot use the access token from location: {ip}"),
    # what the caller may do
    "unauthorized": (403, 9109, "Unauthorized to access requested resource"),
    "authentication_error": (403, 10000, "Authentication error"),
    "memberships_need_user": (400, 9106, "Authentication failed (status: 400)"),  # the status is chosen
    # what was asked for
    "bad_body": (400, 6007, "Malformed JSON in request body"),
    "bad_field": (400, 400, "{why}"),
    "bad_name": (400, 400, "name must have a length between 1 and 120"),
    "bad_query": (400, 400, "{why}"),
    "sub_token": (400, 1001, "sub-token is not allowed to have permissions to manage other tokens"),
    "common_check": (
        400,
        1001,
        'Failed common permission check against resources. (Permission group: "{group}")',
    ),
    "unknown_resource": (400, 1001, "Failed common permission check against resources. (Resource: {resource})"),
    "flat_zones": (400, 1001, "must nest zone under specific account resource"),
    "unknown_group": (400, 1001, 'Permission group "{group}" (not found)'),
    "reused_policy": (400, 1001, "Reusing existing policies is not supported"),
    "managed": (400, 1001, "token cannot be deleted (managed by Cloudflare)"),  # the status is chosen
    "not_rollable": (400, 1001, "token is {status} and cannot be rolled"),  # chosen; no source covers it
    "revoked": (400, 1001, "token was revoked and cannot be changed"),  # chosen; no source covers it
    "quota": (400, 1001, "maximum number of tokens reached ({limit})"),  # chosen; no source names the code
    "token_not_found": (404, 1003, "token not found"),
    "service_not_found": (404, 10090, "workers.api.error.service_not_found"),
    "script_not_found": (404, 10007, "This Worker does not exist on your account."),
    # where it was asked
    "no_route": (404, 7000, "No route for that URI"),
    "bad_identifier": (404, 7003, "Could not route to {path}, perhaps your object identifier is invalid?"),
    "method_not_allowed": (405, 7001, "Method {method} not available for that URI."),
    # how often
    "throttled": (429, 971, "Please wait and consider throttling your request speed"),
}

CHAINS: Final[dict[str, dict[str, Any]]] = {
    "authorization": {"code": 6111, "message": "Invalid format for Authorization header"},
    "x-auth-key": {"code": 6103, "message": "Invalid format for X-Auth-Key header"},
}


class Refusal(Exception):
    """An answer of the API that says no.

    `name` is a row of `REFUSALS`; `words` fill its message; `chain` is a row of `CHAINS`.
    """

    def __init__(self, name: str, *, chain: str | None = None, **words: object) -> None:
        status, code, message = REFUSALS[name]
        super().__init__(name)
        self.status = status
        self.error: dict[str, Any] = {"code": code, "message": message.format(**words)}
        if chain is not None:
            self.error["error_chain"] = [CHAINS[chain]]
