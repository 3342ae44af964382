"""The tests, by layer: unit, contract, simulation, crash, integration, acceptance; `servers` holds the real servers."""
