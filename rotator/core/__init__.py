"""The pure core: words, facts and decisions. No I/O, no clock, no logging, no third-party package."""
