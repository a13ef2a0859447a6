"""Google's own client for the double, and what the double tells of itself."""

import json
import os
import urllib.request

from google.cloud import storage
from google.oauth2 import service_account

ENDPOINT, PROJECT = os.environ["GCS_ENDPOINT"], os.environ["GCS_PROJECT"]
KEYS = {name: os.environ[f"GCS_{name.upper()}_KEY"] for name in ["owner", "reader", "stranger"]}
SCOPES = ["https://www.googleapis.com/auth/devstorage.full_control"]


def credentials(name="owner"):
    return service_account.Credentials.from_service_account_file(KEYS[name], scopes=SCOPES)


def client(name="owner"):
    return storage.Client(project=PROJECT, credentials=credentials(name), client_options={"api_endpoint": ENDPOINT})


def ask_double(method, path, document=None):
    body = None if document is None else json.dumps(document).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{ENDPOINT}/double/{path}", body, method=method)) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def fail_next(match, **how):
    """Makes the double fail the next request whose line matches."""
    ask_double("POST", "fault", {"match": match, **how})
