"""Notifications: what people are told, and how it gets to them.

    decide     what is to be told, when, and together with what: pure
    noticed    what of facts and states is worth telling: pure
    standing   what a channel has before it, as text that the journal keeps
    wire       one message as a request of each kind of channel
    post       one request, without redirects and within a time limit
    courier    the order of it all: note, send, note that it was sent

Nothing of this reaches a rotation.
"""
