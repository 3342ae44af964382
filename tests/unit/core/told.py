"""What the tests of status share."""

from rotator.core.credential import NEVER
from rotator.core.facts import Kind
from rotator.core.notes import Note, Waits
from rotator.core.reasons import OperatorCode, Reason
from rotator.core.status import CredentialStatus, credential_status
from tests.unit.core.story import START, Story

K = Kind


def said(until: float, why: str, subject: str = "") -> Waits:
    return Waits(until=until, why=Reason(why), subject=subject)


def asked(code: OperatorCode, since: float = START) -> Waits:
    return Waits(until=NEVER, code=code, since=since)


def status(story: Story, **waits: Waits) -> CredentialStatus:
    return credential_status(story.credential, story.view, story.at, Note(waits=waits))
