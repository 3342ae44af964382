"""Places where values are published. Siblings do not know each other."""
