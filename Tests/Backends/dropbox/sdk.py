"""The vendor's own client, spoken to the double: the hosts that it knows are led to loopback, nothing else is changed."""

import json
import logging
import os
import urllib.request

import dropbox
import requests

API, CONTENT = os.environ["DROPBOX_API"], os.environ["DROPBOX_CONTENT"]
# What it tells of tokens that cannot be renewed is asked for.
logging.getLogger("dropbox").setLevel(logging.ERROR)
TOKEN = "sl.double-all"
GRANT = {"oauth2_refresh_token": "double-refresh", "app_key": "double-key", "app_secret": "double-secret"}


class Session(requests.Session):
    """Requests to Dropbox's hosts go to the double's."""

    def __init__(self):
        super().__init__()
        self.trust_env = False

    def request(self, method, url, *words, **named):
        url = url.replace("https://api.dropboxapi.com", API).replace("https://content.dropboxapi.com", CONTENT)
        url = url.replace("https://api.dropbox.com", API)
        return super().request(method, url, *words, **named)


def client(**words):
    """A client that repeats nothing by itself."""
    words = words or {"oauth2_access_token": TOKEN}
    return dropbox.Dropbox(session=Session(), max_retries_on_error=0, max_retries_on_rate_limit=0, **words)


def harm(**words):
    """Tells the double what to do wrong; answers how often each route was called."""
    request = urllib.request.Request(f"{API}/double", json.dumps(words).encode())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return json.load(answer)["counts"]
