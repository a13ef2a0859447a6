"""The store as python-swiftclient sees it: `store.py make CONTAINER` makes a container; the server's facts stand in the
environment."""

import os
import sys

import swiftclient


def connect(**more):
    """A connection with the login of the store's own."""
    return swiftclient.Connection(
        os.environ["SWIFT_AUTH"], os.environ["SWIFT_USER"], os.environ["SWIFT_KEY"], auth_version="1", retries=2, **more
    )


def names(client, container, **more):
    """The names in a container; none where there is no such container."""
    try:
        return [entry["name"] for entry in client.get_container(container, full_listing=True, **more)[1]]
    except swiftclient.ClientException as error:
        if error.http_status == 404:
            return []
        raise


if __name__ == "__main__":
    connect().put_container(sys.argv[2])
