"""Contract suites, doubles and the simulation: shipped for authors of sources and targets, not for production code."""
