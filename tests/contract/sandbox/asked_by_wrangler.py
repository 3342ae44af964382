"""Routes for which the Python SDK has no method; `wrangler deploy` is seen to ask each of them."""

ASKED_BY_WRANGLER = {
    ("GET", "/accounts/{account_id}/workers/services/{script_name}"),
    ("PUT", "/accounts/{account_id}/workers/scripts/{script_name}/routes"),
}
