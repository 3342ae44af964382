"""The doors to everything outside: source, target, journal, runtime. Only types; an adapter fulfils them elsewhere."""
