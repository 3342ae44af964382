"""A process of its own with the journal open: does what the test says, one line at a time, and answers each.

Lines of Python are executed with `journal`, `stream` and the drafts in reach; the answer is the repr of the last
expression, or `!` and the name and text of the error.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

from rotator.journal.open import open_journal
from tests.contract.journal import drafts


def main(url: str, key: str, kind: str) -> None:
    scope: dict[str, Any] = {name: getattr(drafts, name) for name in dir(drafts) if not name.startswith("_")}
    scope["open"] = lambda: open_journal(url, Path(key), kind=kind)
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            print(run(line, scope), flush=True)
        except Exception as error:  # noqa: BLE001 - the test judges it
            print(f"!{type(error).__name__}: {error}", flush=True)


def run(line: str, scope: dict[str, Any]) -> str:
    *before, last = ast.parse(line.strip()).body
    exec(compile(ast.Module(before, []), "<line>", "exec"), scope)
    if isinstance(last, ast.Expr):
        return repr(eval(compile(ast.Expression(last.value), "<line>", "eval"), scope))
    exec(compile(ast.Module([last], []), "<line>", "exec"), scope)
    return "None"


if __name__ == "__main__":
    main(*sys.argv[1:])
