"""A local Cloudflare: enough of the API to rehearse rotations against, with faults on demand.

`Sandbox` runs one in the background of a process, `serve` and `main` run one in the foreground. It shares no code
with the daemon's core or source, so that it judges them independently; an import contract holds it to that.
"""

from rotator.sandbox.run import DEFAULT_LISTEN, Sandbox, main, serve

__all__ = ["DEFAULT_LISTEN", "Sandbox", "main", "serve"]
