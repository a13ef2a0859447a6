"""Makes a container with Libcloud itself: `make_container.py NAME`."""

import sys

from libcloud_peer import driver

driver().create_container(sys.argv[1])
