"""The page of the state machines."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from docs.pages.markdown import code, sentence, table


def protocol() -> str:
    """Return the page of the state machines: the rows, and which fact may follow which."""
    from rotator.core.protocol import recreate, retire, revoke, roll
    from rotator.core.protocol.decide import TABLES
    from rotator.core.protocol.steps import NEXT, RETIREMENT_NEXT
    from rotator.core.reasons import OperatorCode, Reason

    modules = (recreate, roll, retire, revoke)
    text = (
        "# Protocol reference\n\n"
        "What is done next is decided by the row of the present step: its rules are asked from left to right,"
        " and the first one that answers wins.\n"
        "A rule answers with something to do, with a time to wait for, or with a question for a person;"
        " else it passes.\n"
        "[architecture.md](../architecture.md) tells the whole story.\n"
    )
    tables = [(strategy.value, rows) for strategy, rows in TABLES.rotations.items()] + [("retirement", TABLES.retire)]
    tables.append(("revoke", TABLES.revoke))
    for name, rows in tables:
        found = [(code(step.value), ", ".join(_rule(rule, modules) for rule in row)) for step, row in rows.items()]
        text += f"\n## `{name}`\n\n" + table(("step", "rules, in order"), found)
        if name == "retirement":
            edges = [(was.value, fact.value) for fact, was in RETIREMENT_NEXT.items()]
            edges.append(("condemned", "disabled"))
        elif name == "revoke":
            edges = [("revoked", "disabled"), ("disabled", "deleted"), ("deleted", "retired")]
        else:
            edges = [(step.value, to.value) for step, after in _steps(NEXT, name).items() for to in sorted(after)]
        text += f"\n```mermaid\n{_diagram(edges)}```\n"
    text += "\n## The rules\n\n" + table(("rule", "what it says"), sorted(_meanings(tables, modules).items()))
    text += "\n## Codes of `needs_operator`\n\n" + table(
        ("code", "means", "what to do"),
        [(f"[`{c}`](../operations.md#{c})", sentence(_blanks(c.text)), sentence(c.remedy)) for c in OperatorCode],
    )
    text += "\n## What a rotation, a retirement or a start waits for\n\n" + table(
        ("reason", "means", "what to do"),
        [(code(r), sentence(r.text), sentence(r.remedy) if r.remedy else "") for r in Reason],
    )
    return text + _pair()


def _pair() -> str:
    """The rows of a pair of tokens that keep each other alive, their rules, and what a person is asked for."""
    from rotator.core.protocol import keep
    from rotator.core.reasons import KeepCode

    modules, rows = (keep,), {f"{name}": row for name, row in keep.KEEP.items()}
    text = (
        "\n## The management pair\n\n"
        "Two tokens that keep each other alive ([how](../management-pair.md)). What is open comes first;"
        " where nothing is, the row `end` is asked and then `value`.\n\n"
    )
    text += table(
        ("open", "rules, in order"), [(code(n), ", ".join(_rule(r, modules) for r in row)) for n, row in rows.items()]
    )
    text += "\n" + table(("rule", "what it says"), sorted(_meanings([("pair", rows)], modules).items()))
    login = {"login": "one of the two", "subject": "one of the two"}
    return (
        text
        + "\n### What a person is asked for\n\n"
        + table(
            ("code", "means", "what to do"),
            [
                (f"[`{c}`](../operations.md#{c})", sentence(c.text.format(**login)), sentence(c.remedy))
                for c in KeepCode
            ],
        )
    )


def _blanks(text: str) -> str:
    """Return a text for people without its placeholders."""
    return text.format(subject="a target", count="many")


def _diagram(edges: Sequence[tuple[str, str]]) -> str:
    """Return a state diagram; `extended` is a fact beside the steps, so it leads back to where it was."""
    lines = [f"[*] --> {edges[0][0]}"]
    lines += [f"{a} --> {a}: extended" if b == "extended" else f"{a} --> {b}" for a, b in edges]
    ends = dict.fromkeys(b for _, b in edges if b != "extended" and b not in {a for a, _ in edges})
    lines += [f"{end} --> [*]" for end in ends]
    return "stateDiagram-v2\n" + "".join(f"  {line}\n" for line in lines)


def _steps(following: Mapping[Any, Any], name: str) -> Mapping[Any, Any]:
    return next(found for strategy, found in following.items() if strategy.value == name)


def _rule(rule: Any, modules: Sequence[ModuleType]) -> str:
    """Return a rule as it is written in its row."""
    maker, _, inner = rule.__qualname__.partition(".")
    if not inner:
        return code(maker)
    for module in modules:
        for name, found in vars(module).items():
            if found is rule:
                return code(name)
    given = [cell.cell_contents for cell in rule.__closure__ or ()]
    said = [str(value) for value in given if isinstance(value, str)]
    return code(f"{maker}({', '.join(said)})")


def _meanings(tables: Sequence[tuple[str, Any]], modules: Sequence[ModuleType]) -> dict[str, str]:
    """Return rule -> the first line of what its code says of it."""
    found: dict[str, str] = {}
    for _, rows in tables:
        for row in rows.values():
            for rule in row:
                name = _rule(rule, modules)
                maker = rule.__qualname__.partition(".")[0]
                if "(" in name or "." not in rule.__qualname__:
                    said = rule if "." not in rule.__qualname__ else getattr(sys.modules[rule.__module__], maker)
                    found.setdefault(code(maker) if "(" in name else name, _first_line(said))
                else:
                    found.setdefault(name, _needed(rule))
    return found


def _first_line(function: Any) -> str:
    return (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")


def _needed(rule: Any) -> str:
    """Return in words what a rule made by `need` waits for."""
    if rule.__qualname__.startswith("passing."):
        rule = next(c.cell_contents for c in rule.__closure__ or () if callable(c.cell_contents))
    cells = dict(zip(rule.__code__.co_freevars, (c.cell_contents for c in rule.__closure__ or ()), strict=True))
    results = " or ".join(code(str(result)) for result in sorted(cells["good"]))
    return (
        f"Passes when a look at `{cells['sight']}` at most {cells['fresh']:g} s old saw {results};"
        f" else waits, shown as `{cells['why']}`."
    )
