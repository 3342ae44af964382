"""What the tests of act share."""


def kinds(rotator, name="workers-deploy"):
    return [fact["kind"] for fact in rotator("history", name, "-o", "json").json["facts"]]
