"""Which function answers which request."""

import re

ROUTES = []


def route(methods, pattern, may=None, routes=ROUTES):
    """Keeps a function for these methods and this path; `may` is the right that it takes."""
    def keep(function):
        routes.append((methods.split(), re.compile(pattern), may, function))
        return function

    return keep
