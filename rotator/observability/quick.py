"""structlog without rich: it would import that, and with it pygments, to colour tracebacks, which ours never are.

That is a fifth of the time in which a process starts. Import this before anything else of structlog.
"""

from __future__ import annotations

import sys

_RICH = "rich"

if _RICH not in sys.modules:
    sys.modules[_RICH] = None  # type: ignore[assignment]  # what Python takes for "cannot be imported"
    try:
        import structlog
    finally:
        del sys.modules[_RICH]
else:
    import structlog

bound_contextvars = structlog.contextvars.bound_contextvars
get_contextvars = structlog.contextvars.get_contextvars

__all__ = ["bound_contextvars", "get_contextvars", "structlog"]
