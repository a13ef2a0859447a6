"""Serves Keystone: `serve.py CONFIGURATION PORT`."""

import os
import sys

configuration, port = sys.argv[1:]
# Keystone reads the arguments of whatever program it is in.
sys.argv[1:] = []
os.environ["OS_KEYSTONE_CONFIG_FILES"] = configuration
os.environ["OS_KEYSTONE_CONFIG_DIR"] = os.path.dirname(configuration)

from keystone.server.wsgi import initialize_public_application  # noqa: E402
from waitress import serve  # noqa: E402

serve(initialize_public_application(), host="127.0.0.1", port=int(port), threads=8)
