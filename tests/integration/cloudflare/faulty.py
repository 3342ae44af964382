"""What the tests of faults share."""

CANARY = "cfat_" + "CANARY" * 8


def status(number: int, **more: object) -> dict[str, object]:
    return {"kind": "status", "status": number, **more}
