"""The imperative shell over the ports: it asks the core what is next, does one effect, and makes the outcome durable.

It must not know a provider, a target kind, a clock, a thread or a setting; all of these come through ports.
"""
