"""What the daemon says about itself: log lines without secrets, and metrics. Decides nothing, knows no provider."""
