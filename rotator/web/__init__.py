"""What the daemon answers over HTTP: metrics and health. Knows no metric, no journal and no value."""
