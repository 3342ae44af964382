"""What the tests of checks share."""

from rotator.app.app import App


def start(place):
    """What the first start makes."""
    App.open(place.folder / "rotator.yaml", "writer").close()
