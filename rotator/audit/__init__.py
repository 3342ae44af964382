"""The audit export: every fact as a line outside of the journal, which proves by itself that it is whole.

    lines     pure: an object to a line that is chained to the one before it, and back
    plain     pure: a fact, or a checkpoint, as an object of our own
    ocsf      pure: the same as an event of the Open Cybersecurity Schema Framework
    verify    pure: what the lines of an export prove
    keys      the Ed25519 key that signs checkpoints, and its public half
    exporter  one sink: reads what is before its cursor, writes lines, moves the cursor
    file, syslog, https    where lines go

It knows neither the journal nor the configuration: both come as ports.
"""
