"""The page of Cloudflare's permissions."""

from __future__ import annotations

from docs.pages.markdown import code, table


def permissions() -> str:
    """Return the page of Cloudflare's permissions, from the catalogue."""
    from rotator.catalogue import Scope, account_token_refusal, all_groups, catalogue, probe_of, why_none

    known = [group for group in all_groups() if group.id]
    proven = sum(probe_of(group) is not None for group in known)
    parts = [
        "# Permissions\n",
        f"The {len(known)} permission groups that grants can name, collected on {catalogue().date}.",
        "`rotator permissions TEXT` searches them, `rotator permissions --compare CONNECTION` asks the live API.",
        "A grant takes each by either name, in any case, with the level in parentheses or behind a colon or an arrow,"
        " with the scope in front, and by short names like R2, KV and Pages.\n",
        f"`rotator token test` proves {proven} of them by a read; the last column says which, or why there is none.",
        "A Write is proven when the token's policy holds it and that read is answered; nothing is ever written.",
        "`no` in the third column: a token owned by an account cannot hold it.\n",
    ]
    for scope in Scope:
        rows = [
            (
                group.name,
                group.dashboard_name,
                "no" if account_token_refusal(group) else "yes",
                code(f"GET {path}") if (path := probe_of(group)) else why_none(group),
            )
            for group in known
            if group.scope is scope
        ]
        parts += [
            f"## On {dict(account='an account', zone='zones', user='a user', bucket='R2 buckets')[scope.value]}\n",
            table(("API", "dashboard", "account tokens", "read that proves it"), rows),
        ]
    return "\n".join(parts)
