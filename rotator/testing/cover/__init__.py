"""State cover: every state that the engine, the world and two faults can reach, each judged by the laws.

The real tables, the real fold and the real engine run over a small world that can be copied: one credential, two
targets, two processes. `python -m rotator.testing.cover` searches it breadth first; `abstracted.md` says what it leaves
out, and what covers that.
"""
