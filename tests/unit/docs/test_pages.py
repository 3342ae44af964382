"""The documentation: generated pages are generated, links lead somewhere, examples work, lists are complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from docs import generate
from rotator import __version__
from rotator.app.documents import credential_document
from rotator.config.load import load
from rotator.core.credential import Credential, Policy, State, TargetRef
from rotator.core.protocol.view import blank
from rotator.core.reasons import RETIREMENT_WAITS, KeepCode, OperatorCode
from rotator.core.status import credential_status
from rotator.observability.families import FAMILIES
from rotator.registry import CONNECTIONS, TARGETS, kinds
from rotator.sandbox import Sandbox
from rotator.sandbox.faults import KINDS
from rotator.sandbox.routes import OPERATIONS

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
RULES = ROOT / "deploy/prometheus/rotator.rules.yml"

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text(name: str) -> str:
    return (DOCS / name).read_text()


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def prose(page: str) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    """Anchors of a page's headings, made as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def links(page: Path) -> Iterator[tuple[Path, str]]:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text())):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield (page.parent / file if file else page), anchor


def alerts() -> set[str]:
    groups = YAML(typ="safe", pure=True).load(RULES.read_text())["groups"]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


@cache
def generated() -> dict[str, str]:
    return generate.pages()


@pytest.mark.parametrize("name", sorted(generated()))
def test_a_reference_page_is_the_generated_one(name: str) -> None:
    assert (DOCS / "reference" / name).read_text() == generated()[name], "run `make docs`"


def test_every_page_of_the_reference_is_generated() -> None:
    made = {(DOCS / "reference" / name).resolve() for name in generated()}
    assert {page.resolve() for page in (DOCS / "reference").glob("*.md")} <= made


@pages
def test_every_link_leads_to_something(page: Path) -> None:
    broken = [
        f"{file.name}#{anchor}"
        for file, anchor in links(page)
        if not file.exists() or (anchor and anchor not in anchors(file.read_text()))
    ]

    assert broken == []


@pages
def test_a_sentence_of_prose_has_a_line_of_its_own(page: Path) -> None:
    generated = page.read_text().startswith("<!-- Generated")
    lines = [] if generated else [line for line in prose(page.read_text()).splitlines() if re.match(r"[A-Z*`\[]", line)]
    two = [line for line in lines if re.search(r"[a-z)`]\. [A-Z]", line)]

    assert two == []


def test_every_page_can_be_found_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page not in seen and page.suffix == ".md":
            seen.add(page)
            waiting += [file for file, _ in links(page)]

    assert {page.resolve() for page in PAGES} - seen == {(ROOT / "CHANGELOG.md").resolve()} - seen


@pytest.mark.parametrize("code", [*OperatorCode, *KeepCode])
def test_every_code_of_an_operator_has_a_runbook(code: str) -> None:
    assert f"\n### {code}\n" in text("operations.md")


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    written = set(re.findall(r"^### (Rotator\w+)$", text("operations.md"), re.MULTILINE))

    assert written == alerts()


def test_every_alert_names_its_runbook_and_the_page_has_it() -> None:
    groups = YAML(typ="safe", pure=True).load(RULES.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    known = {f"docs/operations.md#{anchor}" for anchor in anchors(text("operations.md"))}

    assert {rule["annotations"].get("runbook") for rule in rules} <= known
    assert [r["alert"] for r in rules if not r["annotations"]["runbook"].endswith(f"#{r['alert'].lower()}")] == []


@pytest.mark.parametrize("alert", sorted(alerts()))
def test_every_runbook_says_what_it_means_and_what_to_do(alert: str) -> None:
    section = re.split(r"^#+ ", text("operations.md").split(f"\n### {alert}\n")[1], flags=re.MULTILINE)[0]

    assert len(re.findall(r"[.:?]$", section, re.MULTILINE)) > 1 or "](#" in section


def test_every_alert_that_the_metrics_name_exists() -> None:
    assert {alert for family in FAMILIES for alert in family.alerts} <= alerts()


@pytest.mark.parametrize("kind", sorted(TARGETS))
def test_every_target_has_a_page_with_its_options(kind: str) -> None:
    page = text(f"targets/{kind}.md")
    options = kinds().targets[kind].options

    assert [name for name in options.model_fields if f"`{name}`" not in page] == []


@pytest.mark.parametrize("kind", sorted(CONNECTIONS))
def test_every_option_of_a_targets_connection_is_on_a_page(kind: str) -> None:
    page = text("targets/vault.md" if kind == "vault" else "targets/aws_secrets_manager.md")

    assert [name for name in CONNECTIONS[kind].options.model_fields if f"`{name}`" not in page] == []


def test_every_field_of_the_status_document_is_explained() -> None:
    policy = Policy()
    credential = Credential(
        id="c",
        name="c",
        connection="p",
        owner="account",
        policy=policy,
        targets=(TargetRef(name="t", type="x", place="x"),),
    )
    document = credential_document(credential_status(credential, blank(), 0.0, {}))
    page = text("json.md")

    assert [field for field in document if f"`{field}`" not in page and f"`{field}[]`" not in page] == []
    assert [word for word in (*State, *RETIREMENT_WAITS) if f"`{word}`" not in page] == []


def test_every_code_of_a_finding_is_explained() -> None:
    source = [f for f in (ROOT / "rotator/sources/cloudflare").glob("*.py") if "import Finding" in f.read_text()]
    files = [ROOT / "rotator/app/checks.py", *source]
    codes = {code for file in files for code in re.findall(r'code="([a-z_]+)"', file.read_text())}
    page = text("json.md")

    assert codes
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []


def test_every_fault_of_the_sandbox_is_explained() -> None:
    page = text("sandbox.md")

    assert [kind for kind in KINDS if f"| `{kind}` |" not in page] == []


def test_every_operation_that_a_fault_can_strike_is_explained() -> None:
    rows = [line for line in text("sandbox.md").splitlines() if line.startswith("| `")]
    named = {word for line in rows for word in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert named >= OPERATIONS


def test_the_world_of_the_sandbox_page_is_one(tmp_path: Path) -> None:
    example = next(block for block in blocks(text("sandbox.md"), "yaml") if "accounts:" in block)
    world = tmp_path / "world.yaml"
    world.write_text(example)

    with Sandbox("127.0.0.1:0", world=world) as sandbox:
        assert "old-deploy" in {token.name for token in sandbox.world.tokens.values()}


def test_the_configuration_of_the_readme_is_right(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    shown = re.search(r"\$ cat rotator\.yaml\n(.*?)\n\$ ", readme, re.DOTALL)
    assert shown is not None
    file = tmp_path / "rotator.yaml"
    file.write_text(shown[1] + "\n")

    assert load(file, kinds()).warnings == ()


def test_the_decisions_are_numbered_and_listed() -> None:
    pages = sorted(page.name for page in (DOCS / "adr").glob("0*.md"))
    index = text("adr/README.md")

    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))
    assert [name for name in pages if f"({name})" not in index] == []
    for name in pages:
        page = text(f"adr/{name}")
        assert page.startswith(f"# {int(name[:4])}. ")
        assert re.findall(r"^## (\w+)", page, re.MULTILINE) == ["Context", "Decision", "Consequences"]
        assert "- Negative: " in page


def test_the_changelog_knows_this_version_or_what_comes_before_it() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert "## Unreleased" in changelog or f"## {__version__}" in changelog
