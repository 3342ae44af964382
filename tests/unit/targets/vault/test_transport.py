"""What an answer of Vault is read as."""

import pytest
from requests.models import Response
from requests.utils import get_encoding_from_headers

from rotator.core.errors import Unavailable
from rotator.targets.vault.transport import Request, exchange

READING = Request(doing="reading vault:secret/ci/app")


def answered(body: bytes, content_type: str) -> Response:
    found = Response()
    found.status_code, found._content = 200, body
    found.headers["Content-Type"] = content_type
    found.encoding = get_encoding_from_headers(found.headers)
    return found


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/html; charset=iso-8859-1"])
def test_json_is_utf_8_whatever_a_proxy_calls_it(content_type):
    """Other keys of the path are written back as they were read: a wrong guess would change them."""
    body = '{"data": {"data": {"motd": "Grüße"}}}'

    assert exchange(lambda: answered(body.encode(), content_type), READING).text == body


def test_what_is_not_utf_8_is_no_usable_answer():
    with pytest.raises(Unavailable, match="reading vault:secret/ci/app"):
        exchange(lambda: answered(b'{"motd": "\xff"}', "application/json"), READING)
