"""Every verb as a user whom nobody knows, without HOME: a container that runs as any uid. An answer or a message."""

import pytest

VERBS = [
    ("status",),
    ("plan",),
    ("history",),
    ("check",),
    ("check", "--offline"),
    ("once",),
    ("rotate", "workers-deploy"),
    ("pause", "workers-deploy"),
    ("resume", "workers-deploy"),
    ("resolve", "workers-deploy", "--retry"),
    ("audit", "verify"),
    ("healthcheck",),
    ("schema",),
    ("version",),
    ("keygen", "~/key"),
    ("testing", "crash-points"),
]


@pytest.fixture
def nobody(rotator, monkeypatch):
    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setattr("os.geteuid", lambda: 54321)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return rotator


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_it_answers_where_everything_is_named(nobody, verb):
    done = nobody(*verb)
    assert done.code in (0, 1, 2)
    assert "Traceback" not in done.err
    assert (done.code == 2) == (verb[0] == "keygen"), done.err


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_it_says_what_to_name_where_nothing_is(nobody, place, monkeypatch, tmp_path_factory, verb):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    done = nobody(*verb)
    assert done.code in (0, 2)
    assert done.code == 0 or "do: " in done.err
