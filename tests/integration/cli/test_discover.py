"""discover: every token of the connections, who keeps it, and what is to be said of it."""

import csv
import io

import pytest

from rotator.cli.inventory import drawn
from rotator.cli.layout import plain
from rotator.sandbox.tokens import make
from rotator.sandbox.world import Owner
from tests.sandbox_calls import ACCOUNT, DNS_WRITE, USER, allow, self_of, zone, zones_of


@pytest.fixture
def token(sandbox):
    """Makes a token as somebody else would; returns it."""

    def new(name, *policies, owner=("account", ACCOUNT), **more):
        made = make(sandbox.world, Owner(*owner), name, list(policies or [allow(DNS_WRITE, on=zone())]), 0.0)
        made.issued_on = sandbox.world.clock.now()
        for key, value in more.items():
            setattr(made, key, value)
        sandbox.world.add(made)
        return made

    return new


def by_name(document):
    return {row["name"]: row for row in document["tokens"]}


def codes(row):
    return {found["code"] for found in row["findings"]}


def test_it_shows_every_token_managed_or_not_and_who_keeps_it(fresh, token):
    token("old-deploy")
    found = by_name(fresh("discover", "-o", "json").json)

    (ours,) = [row for name, row in found.items() if name.startswith("workers-deploy~")]
    assert ours["managed_by"] == "workers-deploy"
    assert "unmanaged" not in codes(ours)
    assert found["old-deploy"]["managed_by"] is None
    assert codes(found["old-deploy"]) == {"never_expires", "never_used", "no_ip_limit", "unmanaged"}
    assert found["sandbox account-management"]["role"] == "management"
    assert "manages_tokens" in codes(found["sandbox account-narrow"])


def test_a_row_has_what_the_list_shows(rotator, token, sandbox):
    made = token("old-deploy", allow(DNS_WRITE, on=zone()), last_used_on=sandbox.world.clock.now())
    row = by_name(rotator("discover", "-o", "json").json)["old-deploy"]

    assert (row["connection"], row["owner"], row["id"], row["status"]) == ("prod", "account", made.id, "active")
    assert row["expires_on"] is None
    assert row["last_used_on"].endswith("Z")
    assert [(g["permission"], g["scope"], g["resource"]) for g in row["grants"]] == [
        ("DNS Write", "zone", "example.com")
    ]


def test_a_token_that_the_configuration_takes_over_is_managed_before_the_first_start(rotator, token, place):
    made = token("old-deploy")
    place.write(place.credential("deploy", adopt={"id": made.id}))

    assert by_name(rotator("discover", "-o", "json").json)["old-deploy"]["managed_by"] == "deploy"


def test_expired_tokens_are_listed_too(rotator, token, sandbox):
    token("gone", expires_on=sandbox.world.clock.now() - 5)

    assert codes(by_name(rotator("discover", "-o", "json").json)["gone"]) == {"expired", "unmanaged"}


def test_the_names_convention_of_the_configuration_is_asked(rotator, token, place):
    token("old deploy")
    token("deploy-prod")
    place.write(**place.more, names={"pattern": "{purpose}-{env:dev|prod}"})
    found = by_name(rotator("discover", "-o", "json").json)

    assert "name_convention" in codes(found["old deploy"])
    assert "name_convention" not in codes(found["deploy-prod"])


def test_two_tokens_of_one_name_are_told(rotator, token):
    token("twin")
    token("twin")
    rows = [row for row in rotator("discover", "-o", "json").json["tokens"] if row["name"] == "twin"]

    assert all("duplicate_name" in codes(row) for row in rows)


def test_a_users_connection_shows_the_users_tokens_and_says_whose_it_cannot_list(rotator, token, place):
    token("mine", allow("8acbe5bb0d54464ab867149d7f7cf8ac", on=self_of()), owner=("user", USER))
    connection = {"type": "cloudflare", "api_url": place.sandbox.url, "token": {"file": "user-management"}}
    place.write(connections={"prod": connection | {"account_id": "f" * 32}}, credentials=[])
    done = rotator("discover", "-o", "json")

    assert by_name(done.json)["mine"]["owner"] == "user"
    assert [one["owner"] for one in done.json["unseen"]] == ["account"]
    assert "the tokens of the account are not shown" in done.err


def test_exit_codes_follow_fail_on(rotator, token, sandbox):
    assert rotator("discover").code == 0
    assert rotator("discover", "--fail-on", "warn").code == 1
    assert rotator("discover", "--fail-on", "fail").code == 1  # account-narrow and account-standby manage tokens
    assert rotator("discover", "nowhere").code == 1


def test_requests_are_those_that_the_provider_saw(rotator, token, sandbox):
    for number in range(120):
        token(f"t{number}", allow(DNS_WRITE, on=zones_of()))
    before = len(sandbox.gateway.recorder.after(0))
    document = rotator("discover", "-o", "json").json

    assert document["requests"] == len(sandbox.gateway.recorder.after(0)) - before
    assert document["requests"] <= 5  # two for the management token, three pages


def test_csv_holds_one_row_for_each_token_and_no_formula(rotator, token):
    token('=cmd|" /C calc"!A0')
    rows = list(csv.DictReader(io.StringIO(rotator("discover", "-o", "csv").out)))

    assert len(rows) == len(rotator("discover", "-o", "json").json["tokens"])
    assert any(row["name"].startswith("'=cmd") for row in rows)


def test_markdown_is_one_table_whatever_the_names_hold(rotator, token):
    token("a | b <script>")
    lines = rotator("discover", "-o", "markdown").out.splitlines()

    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert "a \\| b &lt;script>" in "\n".join(lines)


def test_other_verbs_print_neither(rotator):
    assert rotator("-o", "csv", "status").code == 2
    assert "status -o json" not in rotator("status", "-o", "csv").out
    assert rotator("status", "-o", "csv").code == 2


@pytest.mark.parametrize("width", [80, 120])
def test_its_table_fits_the_terminal_and_ids_are_long_enough_to_adopt_by(fresh, token, width):
    token("a token with a name that is as long as a name at the provider can be, which is 120 characters " + "x" * 20)
    document = fresh("discover", "-o", "json").json
    lines = [plain(line) for line in drawn(document, width)]

    assert max(map(len, lines)) <= width
    assert all(any(row["id"][:8] in line for line in lines) for row in document["tokens"])


def test_no_value_is_anywhere(fresh, place, sandbox):
    for form in ("text", "json", "csv", "markdown"):
        done = fresh("discover", "-o", form)
        assert not [t for t in sandbox.world.tokens.values() if t.value in done.out + done.err]
