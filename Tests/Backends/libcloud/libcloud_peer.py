"""Libcloud as its users have it, and what a storage of ours is set to for the same server."""

import os

from libcloud.storage.providers import get_driver

PORT = int(os.environ["S3_ENDPOINT"].rsplit(":", 1)[1])
KEY, SECRET = os.environ["S3_ACCESS_KEY"], os.environ["S3_SECRET_KEY"]
PYTHON = os.environ["PYTHON_VENV"] + "/bin/python"
SHARED = {
    "provider": "s3_rgw", "key": KEY, "secret": SECRET, "host": "127.0.0.1", "port": PORT, "secure": False,
    "python": PYTHON,
}


def driver():
    return get_driver("s3_rgw")(KEY, SECRET, secure=False, host="127.0.0.1", port=PORT)


def directory(path):
    return get_driver("local")(path)
