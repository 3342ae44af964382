"""What the tests of writer share."""

import os


def refuse(code):
    def call(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    return call
