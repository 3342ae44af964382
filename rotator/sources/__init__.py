"""What mints tokens. One package per kind of source; each fulfils the port `core.ports.source`."""
