"""The composition root: it wires real adapters to the engine and offers what the command line asks for."""

from rotator.app.app import App

__all__ = ["App"]
