"""`rotator demo`: the whole product on this machine, without an account: sandbox, daemon, consumer, chaos, score."""

from rotator.demo.play import main

__all__ = ["main"]
