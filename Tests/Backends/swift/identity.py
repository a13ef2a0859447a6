"""A service that gives tokens, before the store's own: it counts logins, can shorten the life of tokens, and speaks Keystone's
version 2, which no Keystone speaks any more."""

import http.server
import json
import threading
import time

import requests


class Identity:
    def __init__(self, real, life=None):
        self.real, self.life, self.logins = real, life, 0
        self.lock = threading.Lock()
        identity = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.reply(*identity.login(self.headers["X-Auth-User"], self.headers["X-Auth-Key"]))

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["auth"]
                word = asked["passwordCredentials"]
                status, facts = identity.login(f"{asked['tenantName']}:{word['username']}", word["password"])
                if self.path != "/v2.0/tokens" or status != 200:
                    return self.reply(status if status != 200 else 404, {})
                ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
                endpoints = [
                    {"region": "Nowhere", "publicURL": "http://127.0.0.1:9/v1/x"},
                    {"region": "Here", "publicURL": facts["X-Storage-Url"], "internalURL": "http://127.0.0.1:9/v1/x"},
                ]
                self.reply(200, {}, {"access": {
                    "token": {"id": facts["X-Auth-Token"], "expires": ends},
                    "serviceCatalog": [{"type": "object-store", "endpoints": endpoints}],
                }})

            def reply(self, status, fields, document=None):
                body = json.dumps(document).encode() if document else b""
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def login(self, user, key):
        with self.lock:
            self.logins += 1
        answer = requests.get(self.real, headers={"X-Auth-User": user, "X-Auth-Key": key})
        fields = {
            name: answer.headers[name]
            for name in ["X-Auth-Token", "X-Storage-Url", "X-Auth-Token-Expires"] if name in answer.headers
        }
        if self.life is not None:
            fields["X-Auth-Token-Expires"] = str(self.life)
        return answer.status_code, fields

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
