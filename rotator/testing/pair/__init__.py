"""A simulated pair of management tokens: virtual time, faults, hands and kills; judged by laws of its own."""
