"""What `make bench` measures. Every ratio is taken within one run, beside its own baseline, because machines differ."""
