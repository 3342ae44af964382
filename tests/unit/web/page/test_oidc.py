"""What is believed of a provider's answer, and of a cookie."""

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from rotator.config.page import OidcUsers
from rotator.web.page.oidc import Sealed, believed
from rotator.web.page.users import Denied
from tests.unit.web.page.boards import KEY

OIDC = OidcUsers(issuer="https://id.example.com", client_id="rotator", client_secret={"env": "OIDC"})
RIGHT = {"iss": "https://id.example.com", "aud": "rotator", "exp": 4_000_000_000, "nonce": "n"}
RIGHT |= {"email": "alice@example.com", "email_verified": True, "sub": "alice"}


@pytest.fixture(scope="module")
def key():
    return RSAKey.generate_key(2048, {"kid": "one"})


def signed(key, header=None, **claims):
    told = {name: value for name, value in (RIGHT | claims).items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": "one", **(header or {})}, told, key)


def keys(key):
    return KeySet([key]).as_dict(private=False)


def test_the_user_is_whom_the_provider_names(key):
    assert believed(OIDC, signed(key), keys(key), "n") == "alice@example.com"
    assert believed(OIDC, signed(key, aud=["rotator", "other"], azp="rotator"), keys(key), "n") == "alice@example.com"
    assert believed(OIDC.model_copy(update={"claim": "sub"}), signed(key), keys(key), "n") == "alice"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"nonce": "other"},
        {"nonce": None},
        {"azp": "other"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email": None},
        {"email": "a,b"},
    ],
)
def test_what_is_not_for_this_client_and_this_login_is_not_believed(key, claims):
    with pytest.raises(Denied):
        believed(OIDC, signed(key, **claims), keys(key), "n")


def test_another_key_or_none_is_not_believed(key):
    other = RSAKey.generate_key(2048, {"kid": "one"})
    unsigned = "eyJhbGciOiJub25lIn0." + signed(key).split(".")[1] + "."
    shared = OctKey.import_key("rotator" * 8, {"kid": "one"})
    by_secret = jwt.encode({"alg": "HS256", "kid": "one"}, RIGHT, shared)
    for token in (signed(other), unsigned, by_secret, "", "None", "a.b.c"):
        with pytest.raises(Denied):
            believed(OIDC, token, keys(key), "n")


def test_a_cookie_is_for_one_purpose_and_a_time():
    now = [1000.0]
    sealed = Sealed(KEY, lambda: now[0])
    cookie = sealed.write("session", 60.0, user="alice")

    assert sealed.read("session", cookie)["user"] == "alice"
    assert sealed.read("login", cookie) is None
    assert Sealed(b"x" * 32, lambda: now[0]).read("session", cookie) is None
    assert sealed.read("session", cookie[:-1]) is None
    now[0] += 61
    assert sealed.read("session", cookie) is None


@pytest.mark.parametrize("cookie", ["", ".", "é.é", "e30=.00"])
def test_a_cookie_that_somebody_made_up_is_none(cookie):
    assert Sealed(KEY).read("session", cookie) is None
