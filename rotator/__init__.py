"""rotator: rotates Cloudflare API tokens and never loses a value that was shown once.

Holds the version and nothing else: importing the package must stay free of cost, so that `rotator --help` is quick.
"""

__version__ = "0.1.0"
