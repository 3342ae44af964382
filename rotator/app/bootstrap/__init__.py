"""The first management token of a connection: made with the Global API Key, or taken over from a person.

    setting   the connection, what its token must hold, and the places behind its `file:` secrets
    ledger    what is durable while a value is on its way into its place
    making    tokens that are made with the Global API Key
    given     tokens that a person made
    outcome   what stands where in the end

The rules of a rotation hold here, too: room first, intent first, capture first; a lost answer is never guessed; what
nobody knows the value of is deleted, and only then.
"""
