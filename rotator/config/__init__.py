"""The configuration file: what may be written in it, what is wrong with it (by line and column), and what it means.

    fields       types of single values: durations, modes, paths, texts
    secret_ref   where a secret is read from, every time anew
    kinds        what sources and targets tell this package about their own options
    models       the stanzas, and the loaded configuration as one value
    document     YAML to a tree that knows where every value stands
    explain      a validation error in three parts: what is wrong, what is expected, what to write instead
    references   checks that need more than one stanza
    policy       default timings; the credentials as the protocol sees them
    load         the file to a `Config`, or every error of it at once
    find, state  where the file and the state lie when nobody says
    schema       the JSON schema for editors

It knows no provider and no target: their options models live beside their adapters and come in through `Kinds`.
"""

import os

# Looking for plugins reads the metadata of every installed package at each start; and whatever is installed beside us
# has no business in the models through which our secrets' places pass.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
