"""The page for people: the fleet, one credential, what happened, what discover finds; and the same as JSON.

    board        the port: what the page asks of the program
    looks        one look at the fleet, kept for a moment and shared by all who ask
    fleet        pure: which credentials are shown, in which order, and how many are in which state
    horizon      pure: the picture of every credential's life, renewal window and deadline
    timeline     pure: facts in words
    users        who asks
    application  the routes, and what stands around every answer

It renders the document of `status -o json` and never sees a value.
"""
