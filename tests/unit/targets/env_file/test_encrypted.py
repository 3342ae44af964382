"""A file that is encrypted, as a whole or value by value, is refused before anything is put into it."""

import pytest

from rotator.targets.env_file.document import Document, DocumentError

ENCRYPTED = {
    "sops, dotenv": (
        b"A=ENC[AES256_GCM,data:SEU=,iv:YQ==,tag:Yg==,type:str]\nsops_version=3.9.0\nsops_mac=ENC[AES256_GCM,data:x]\n",
        "sops",
    ),
    "sops, only its keys left": (b"A=1\nsops_age__list_0__map_recipient=age1qq\n", "sops"),
    "sops, one value": (b'A=1\nB="ENC[AES256_GCM,data:SEU=,iv:YQ==]"\n', "sops"),
    "sops, binary": (b'{\n\t"data": "ENC[AES256_GCM,data:SEU=]",\n\t"sops": {"mac": "x"}}', "sops"),
    "ansible-vault": (b"$ANSIBLE_VAULT;1.1;AES256\n66643064\n", "ansible-vault"),
    "age, armored": (b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n", "age"),
    "age, binary": (b"age-encryption.org/v1\n-> X25519 abc\n--- def\n\x00\x01\x02", "age"),
    "gpg, armored": (b"\n-----BEGIN PGP MESSAGE-----\n\nhQ\n-----END PGP MESSAGE-----\n", "OpenPGP"),
    "dotenvx": (b'#/---\nDOTENV_PUBLIC_KEY="03f8"\n\nA="encrypted:BDqDBibm4wsYqMpCjTQ6BsDHmMadg9K3dAt+"\n', "dotenvx"),
    "dotenvx, bare": (b"A=1\nexport B=encrypted:BDqDBibm4wsY\n", "dotenvx"),
    "dotenv-vault": (b'DOTENV_VAULT_PRODUCTION="x7Jk"\n', "dotenv-vault"),
    "eyaml": (b"A=ENC[PKCS7,MIIBeQ==]\n", "eyaml"),
    "git-crypt": (b"\0GITCRYPT\0\x12\x34", "git-crypt"),
    "openssl": (b"U2FsdGVkX1+abcdef\n", "openssl"),
    "ejson": (b'{\n  "_public_key": "63cc",\n  "token": "EJ[1:WGj2t4znULHT:ds9K]"\n}\n', "ejson"),
    "ejson, one value": (b"A=1\nB='EJ[1:WGj2t4znULHT:ds9K]'\n", "ejson"),
    "with a byte order mark": (b"\xef\xbb\xbf$ANSIBLE_VAULT;1.1;AES256\n66\n", "ansible-vault"),
}


@pytest.mark.parametrize("content, by", ENCRYPTED.values(), ids=ENCRYPTED)
def test_an_encrypted_file_is_refused_with_the_name_of_what_encrypted_it(content, by):
    with pytest.raises(DocumentError, match=by) as caught:
        Document(content)
    assert (caught.value.code, "plain file" in caught.value.remedy) == ("encrypted", True)


@pytest.mark.parametrize("content, by", ENCRYPTED.values(), ids=ENCRYPTED)
def test_the_message_holds_nothing_of_the_file_but_a_key(content, by):
    with pytest.raises(DocumentError) as caught:
        Document(content)
    assert not {"AES256_GCM", "BDqD", "x7Jk", "MIIB", "U2Fs"} & {
        word for word in ("AES256_GCM", "BDqD", "x7Jk", "MIIB", "U2Fs") if word in caught.value.message
    }


@pytest.mark.parametrize(
    "content",
    [
        b"# encrypted with sops: see sops_mac=\nA=1\n",
        b"# A=ENC[AES256_GCM,data:x]\n",
        b"A=ENC\nB=encrypted\nC=encrypted: no\n",
        b"NOTE=see $ANSIBLE_VAULT;1.1\n",
        b"DOTENV_PUBLIC_KEY=03f8\nA=1\n",
        b"DATABASE=jdbc:x;encrypt=true\nPASSWORD=ENC(G6N718UuyPE5bHyWKyuLQSm02auQPUtm)\nT=vault:v1:8SDd3WHDOjf7\n",
    ],
)
def test_what_only_speaks_of_encryption_or_is_the_applications_own_is_not_refused(content):
    assert Document(content).set({"TOKEN": "x"}) == content + b"TOKEN=x\n"
