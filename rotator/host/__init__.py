"""The machine under the daemon: time, randomness, threads, files, crash points.

Everything here talks to the operating system and knows nothing of credentials, facts or targets.
"""
