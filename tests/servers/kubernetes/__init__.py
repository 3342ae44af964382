"""The tools that prove what `deploy/` has for Kubernetes."""
