"""serve.py PORT FOLDER CERTIFICATE: an FTP server with one user."""

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

port, folder, certificate = int(sys.argv[1]), sys.argv[2], sys.argv[3]
logging.basicConfig(level=logging.WARNING)
authorizer = DummyAuthorizer()
authorizer.add_user("test", "secret", folder, perm="elradfmwMT")
handler = TLS_FTPHandler
handler.authorizer = authorizer
handler.certfile = certificate
handler.auth_failed_timeout = 0
server = ThreadedFTPServer(("127.0.0.1", port), handler)
server.max_cons = 256
server.serve_forever()
