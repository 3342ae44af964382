"""Deterministic simulation: the real engine over simulated ports, virtual time, faults everywhere, a world that judges.

One seed is one exact run. `python -m rotator.testing.simulation SEED --trace` replays one.
"""
