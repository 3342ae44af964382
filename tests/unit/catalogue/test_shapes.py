"""What a text at a managed key looks like, before anybody is asked."""

import pytest

from rotator.catalogue.shapes import told
from rotator.core.ports.source import Looks


@pytest.mark.parametrize(
    "text",
    [
        *(
            "your_api_token_here",
            "YOUR_API_TOKEN",
            "your-token-here",
            "your account id",
            "<token>",
            "<your token>",
            "<>",
        ),
        *(
            "xxx",
            "XXXXXXXX",
            "changeme",
            "CHANGE_ME",
            "change-me",
            "replace-with-your-token",
            "REPLACE_ME",
            "todo",
            "...",
        ),
        *(
            "paste_your_token_here",
            "insert-token-here",
            "****",
            "placeholder",
            "null",
            "{}",
            '""',
            "api_token_here",
            " xxx ",
        ),
        *("dummy", "EXAMPLE", "test", "Todo", "none", "NULL", "nil", "unset", "sample", "fake", "n/a"),
        *("replace_me", "replace-me", "Replace Me", "to-do", "place_holder", "FIX_ME", "change-it"),
        *("my_secret_token", "MY-API-KEY", "my_token", "your-token", "YourToken", "your_secret"),
        *("dummy_token", "example-api-key", "test_token", "fake value", "token_example", "API-KEY-EXAMPLE"),
        *("xxxxxxxx-xxxx", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "XXXX_XXXX", "cfut_xxxxxxxxxxxx"),
    ],
)
def test_a_placeholder_is_nobodys_secret(text):
    assert told(text).looks is Looks.PLACEHOLDER


@pytest.mark.parametrize(
    "text",
    [
        *("hunter2", "oops", "cfut_" + "A1b2" * 12, "p4ssw0rd_here", "xx", "x" * 65, "<a\nb>", "your_" + "k3y"),
        *("secret", "my_secret", "mysecret", "password", "test1", "test\ntest", "example.com", "tester", "nonesuch"),
        *("my_" + "a_" * 29 + "token", "test_passphrase", "todos", "xxx1", "xxxxxxxx-xxxy", "cfut_xxx", "dummy2"),
        "0" * 32,
    ],
)
def test_what_might_be_somebodys_secret_is_no_placeholder(text):
    found = told(text)

    assert found is None or found.looks is not Looks.PLACEHOLDER


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("op://vault/item/field", "1Password"),
        ('"op://vault/item/field"', "1Password"),
        ("$(op read op://vault/item/field)", "shell"),
        ("`pass show token`", "shell"),
        ("${BASE}def", "variables"),
        ("$TOKEN", "variables"),
        ("%TOKEN%", "variables"),
        ("vault:secret/data/app#token", "Vault"),
        (">>vault:secret/data/app#token", "Vault"),
        ("<path:kv/data/app#token>x", "Argo CD"),
        ("ref+vault://secret/app#/token", "vals"),
        ("{{ .Values.token }}", "template"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:a", "ARN"),
        ("projects/p/secrets/s/versions/1", "Google"),
        ("@Microsoft.KeyVault(SecretUri=https://x)", "Azure"),
        ("sm://project/secret", "reference"),
        ("file:/run/secrets/token", "reference"),
    ],
)
def test_a_reference_is_told_by_its_name(text, what):
    found = told(text)

    assert found.looks is Looks.REFERENCE
    assert what in found.what


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("encrypted:BFZ2nq", "dotenvx"),
        ("ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]", "SOPS"),
        ("ENC[PKCS7,MIIBeQ==]", "eyaml"),
        ("EJ[1:WGj2t4znULHT:ds9K]", "ejson"),
        ("AQICAHgx", "KMS"),
        ("gAAAAABf", "Fernet"),
        ("U2FsdGVkX1+abcdef", "openssl"),
        ("ENC(abc)", "Jasypt"),
        ("{cipher}0123", "Spring"),
        ("$ANSIBLE_VAULT;1.1;AES256", "Ansible"),
        ("vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9vyf7w==", "transit"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\nx", "age"),
    ],
)
def test_encrypted_content_is_told_by_its_name(text, what):
    found = told(text)

    assert found.looks is Looks.ENCRYPTED
    assert what in found.what


@pytest.mark.parametrize(
    "text",
    [
        *("glpat-AAAAAAAAAAAAAAAAAAAA", "ghp_" + "a" * 36, "AKIA" + "A" * 16, '{"DB_PASSWORD":"hunter2"}', "a b"),
        *(
            "Bearer cfut_" + "A" * 48,
            "-----BEGIN PRIVATE KEY-----",
            "cfut_" + "A" * 48 + "\n",
            '"cfut_' + "A" * 48 + '"',
        ),
    ],
)
def test_what_is_certainly_no_bare_value_is_told(text):
    assert told(text).looks is Looks.OTHER


def test_a_bare_text_of_no_known_shape_is_left_to_the_source():
    assert told("cfut_" + "A" * 48) is None
    assert told("oops") is None


@pytest.mark.parametrize("text", ["test", "None", "example"])
def test_a_word_that_somebody_may_mean_elsewhere_says_so(text):
    assert told(text).meant
    assert not told("changeme").meant
