"""Documents as `status -o json` prints them, to draw."""

NOW = "2026-11-22T10:00:00Z"


def target(name="env_file:/srv/app/.env", **more):
    return {"name": name, "type": "env_file", "required": True, "in_sync": True, "generation": 3, **more}


def credential(name="workers-deploy", **more):
    return {
        "name": name,
        "connection": "prod",
        "owner": "account",
        "strategy": "recreate",
        "state": "idle",
        "ready": True,
        "generation": 3,
        "token_id": "0123456789abcdef0123456789abcdef",
        "token_name": f"{name}~ece208f1.77ec1ecf0ddc.1.1x706a",
        "expires_on": "2027-02-20T10:00:00Z",
        "next_rotation": "2027-01-22T10:00:00Z",
        "rotation_deadline": "2027-02-20T09:56:00Z",
        "last_success": "2026-11-19T10:00:00Z",
        "next_attempt": None,
        "failing_since": None,
        "rotation": None,
        "retirements": [],
        "paused": None,
        "needs_operator": None,
        "reason": "fresh",
        "message": "fresh; rotates in 61 d",
        "targets": [target(), target("vault:secret/ci/cloudflare", type="vault")],
        **more,
    }


def connection(**more):
    return {
        "name": "prod",
        "type": "cloudflare",
        "reachable": True,
        "rate_remaining": 288,
        "token_expires_on": "2027-01-01T00:00:00Z",
        "standby_expires_on": None,
        "quota": {"used": 31, "limit": 500},
        "orphans": 0,
        "problem": None,
        **more,
    }


def status(*credentials, **more):
    return {
        "version": 1,
        "time": NOW,
        "daemons": [{"instance": "9a", "host": "web1", "pid": 17, "listener": None, "last_tick": NOW}],
        "connections": [connection()],
        "orphans": 0,
        "credentials": list(credentials),
        **more,
    }


def needs(code="target_overridden", **more):
    return {
        "code": code,
        "message": "somebody else changed the managed key at env_file:/srv/app/.env",
        "remedy": "somebody changed a managed key; "
        "`rotator resolve NAME --retry` restores ours, `--accept` keeps theirs",
        "since": "2026-11-22T08:00:00Z",
        **more,
    }
