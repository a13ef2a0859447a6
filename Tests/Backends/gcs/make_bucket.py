"""Makes buckets: `make_bucket.py NAME…`."""

import sys

from clients import client

for name in sys.argv[1:]:
    client().create_bucket(name)
