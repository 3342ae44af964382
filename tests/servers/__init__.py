"""Real servers and tools for the tests: how each is found, built once, started and stopped.

Nothing in here knows `rotator`: these are the other sides that it talks to.
"""
