"""The facts of the double, which stand in the environment, and what the proofs share."""

import datetime
import json
import os
import urllib.request

from azure.storage.blob import BlobServiceClient

ENDPOINT, TLS_ENDPOINT, AUTHORITY, CONTROL, CA, ACCOUNT, KEY, TENANT, CLIENT, SECRET = (
    os.environ[f"AZURE_{name}"] for name in [
        "ENDPOINT", "TLS_ENDPOINT", "AUTHORITY", "CONTROL", "CA", "ACCOUNT", "KEY", "TENANT", "CLIENT", "SECRET",
    ]
)
PLAIN = {"endpoint": ENDPOINT, "account": ACCOUNT, "key": KEY}
APPLICATION = {
    "endpoint": TLS_ENDPOINT, "ca_file": CA, "authority": AUTHORITY, "tenant_id": TENANT, "client_id": CLIENT,
    "client_secret": SECRET,
}
HOUR = datetime.timedelta(hours=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def client(**more):
    return BlobServiceClient(ENDPOINT, {"account_name": ACCOUNT, "account_key": KEY}, retry_total=0, **more)


def control(word, document=None):
    """Asks something of the double itself."""
    body = json.dumps(document).encode() if document is not None else b""
    with urllib.request.urlopen(urllib.request.Request(f"{CONTROL}/{word}", body, method="POST"), timeout=10) as answer:
        return answer.read()
