"""R2's S3 interface, as far as a pair of keys can be tried: objects of buckets, with Signature Version 4 checked.

The access key id is a token's id and the secret key the hexadecimal SHA-256 of its value (Cloudflare, "R2 API tokens"),
so a roll, a disable or a delete ends the pair with the token. Buckets need not be made; objects live in memory only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from rotator.sandbox import auth
from rotator.sandbox.auth import Caller
from rotator.sandbox.catalogue import ACCOUNT, BUCKET, groups
from rotator.sandbox.gateway import Gateway, common_headers
from rotator.sandbox.message import Request, Response
from rotator.sandbox.resources import Thing
from rotator.sandbox.world import Token, sha256

PREFIX: Final = "/r2/"
"""Below it stands the account id, as in the real host's name `ACCOUNT.r2.cloudflarestorage.com`."""

_SIGNED: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)"
)
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_READS: Final = ("GET", "HEAD")
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"


class _RefusedError(Exception):
    """An S3 error: status and code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass(slots=True)
class Buckets:
    """Answers below `PREFIX`."""

    gateway: Gateway
    _objects: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)

    def answer(self, request: Request) -> Response:
        """Check the signature and the token's grants, then do it."""
        with self.gateway.world.lock:
            now = self.gateway.world.clock.now()
            token: Token | None = None
            try:
                account, _, rest = request.path.removeprefix(PREFIX).partition("/")
                bucket, _, key = rest.partition("/")
                token = self._signer(request, now)
                self._allow(token, request.method, account, bucket)
                response = self._do(request, account, bucket, key)
            except _RefusedError as error:
                xml = f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
                response = _xml(error.status, xml)
            self.gateway.recorder.note(
                now,
                request.method,
                request.path,
                request.query,
                response.status,
                "r2",
                token.id if token else None,
                None,
            )
        return Response(
            response.status, response.body, [*common_headers(now), *response.headers], response.content_type
        )

    def _signer(self, request: Request, now: float) -> Token:
        """The living token whose derived secret signed the request; it counts as used."""
        found = _SIGNED.fullmatch(request.headers.get("authorization", ""))
        if found is None:
            raise _RefusedError(403, "AccessDenied", "the request is not signed by Signature Version 4")
        token = self.gateway.world.tokens.get(found[1])
        caller = Caller(token, None) if token is not None else None
        if token is None or caller is None or token.deleted_on is not None or not auth.usable(caller, now):
            raise _RefusedError(401, "Unauthorized", "there is no living token with this access key id")
        body = request.headers.get("x-amz-content-sha256", "")
        if body not in (_UNSIGNED, hashlib.sha256(request.body).hexdigest()):
            raise _RefusedError(400, "XAmzContentSHA256Mismatch", "the body is not the one that was signed")
        expected = _signature(request, sha256(token.value), found[2], found[3], found[4])
        if not hmac.compare_digest(expected, found[5]):
            raise _RefusedError(403, "SignatureDoesNotMatch", "the secret key is not this token's")
        if not auth.welcome(caller, request.ip):
            raise _RefusedError(403, "AccessDenied", "the token does not accept this address")
        token.last_used_on = now
        return token

    def _allow(self, token: Token, method: str, account: str, bucket: str) -> None:
        """Refuse what neither the account's nor the bucket's permissions cover."""
        levels = ("Read", "Write") if method in _READS else ("Write",)
        whole = {f"Workers R2 Storage {level}" for level in levels}
        item = {f"Workers R2 Storage Bucket Item {level}" for level in levels}
        places = [(Thing(ACCOUNT, account, account), whole)]
        if bucket:
            places.append((Thing(BUCKET, f"{account}_default_{bucket}", account), item))
        for thing, names in places:
            if auth.permits(token, [group.id for group in groups().values() if group.name in names], thing):
                return
        raise _RefusedError(403, "AccessDenied", "the token's policies do not cover this")

    def _do(self, request: Request, account: str, bucket: str, key: str) -> Response:
        if not bucket and request.method == "GET":
            names = sorted(name for owner, name in self._objects if owner == account)
            found = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in names)
            return _xml(200, f"<ListAllMyBucketsResult><Buckets>{found}</Buckets></ListAllMyBucketsResult>")
        if not _BUCKET.fullmatch(bucket):
            raise _RefusedError(400, "InvalidBucketName", "the name of a bucket is 3 to 63 small letters and digits")
        objects = self._objects.setdefault((account, bucket), {})
        if not key:
            if request.method != "GET":
                raise _RefusedError(501, "NotImplemented", "buckets need not be made here")
            listed = "".join(
                f"<Contents><Key>{escape(k)}</Key><Size>{len(v)}</Size></Contents>" for k, v in objects.items()
            )
            counted = f"<Name>{bucket}</Name><KeyCount>{len(objects)}</KeyCount><IsTruncated>false</IsTruncated>"
            return _xml(200, f"<ListBucketResult>{counted}{listed}</ListBucketResult>")
        if request.method == "PUT":
            objects[key] = request.body
            return Response(200, b"", [("ETag", f'"{_etag(request.body)}"')])
        if request.method == "DELETE":
            objects.pop(key, None)
            return Response(204, b"")
        if key not in objects:
            raise _RefusedError(404, "NoSuchKey", "there is no such object")
        return Response(200, objects[key], [("ETag", f'"{_etag(objects[key])}"')], "application/octet-stream")


def _signature(request: Request, secret: str, day: str, region: str, signed: str) -> str:
    """The signature that AWS's documentation ("Authenticating requests: Signature Version 4") prescribes."""
    names = signed.split(";")
    query = sorted(parse_qsl(request.query, keep_blank_values=True))
    canonical = "\n".join(
        (
            request.method,
            quote(request.path, safe="/-_.~"),
            "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names),
            "",
            signed,
            request.headers.get("x-amz-content-sha256", ""),
        )
    )
    scope = f"{day}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{request.headers.get('x-amz-date', '')}\n{scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _xml(status: int, document: str) -> Response:
    return Response(status, f'<?xml version="1.0" encoding="UTF-8"?>{document}'.encode(), [], "application/xml")
