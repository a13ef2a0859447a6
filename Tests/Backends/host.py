"""A host on a fresh socket, with storages on one backend, and requests to it: what the proofs of the backends share."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.parse


class Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("coffer", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("code")


class Host:
    """One `cofferd` with `storages` by name on `backend`; `shared` are settings of each."""

    def __init__(self, build, backend, storages, shared=(), environment=()):
        self.folder = tempfile.mkdtemp(prefix="cofh", dir="/tmp")
        self.socket = f"{self.folder}/coffer.sock"
        configuration = {
            "plugins": {backend: f"{build}/libcoffer-{backend}.so"},
            "defaults": {"backend": backend, "on_conflict": "replace"},
            "backends": {backend: dict(shared)},
            "storages": storages,
        }
        # JSON is YAML.
        pathlib.Path(f"{self.folder}/coffer.yaml").write_text(json.dumps(configuration))
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ready.bind(f"{self.folder}/ready")
        ready.settimeout(30)
        kept = {name: os.environ[name] for name in ["LD_LIBRARY_PATH"] if name in os.environ}
        self.log = open(f"{self.folder}/log", "w+")
        self.process = subprocess.Popen(
            [f"{build}/cofferd", "--config", f"{self.folder}/coffer.yaml", "--socket", self.socket],
            env=kept | {
                "HOME": self.folder, "PATH": os.environ["PATH"], "NOTIFY_SOCKET": f"{self.folder}/ready",
                "STATE_DIRECTORY": f"{self.folder}/state",
            } | dict(environment),
            cwd=self.folder, stdout=self.log, stderr=self.log,
        )
        try:
            while b"READY=1" not in ready.recv(4096):
                pass
        except TimeoutError:
            raise AssertionError(f"the host does not start: {self.text()}") from None
        finally:
            ready.close()

    def request(self, method, path, body=None, headers=(), timeout=120):
        connection = Connection(self.socket, timeout)
        try:
            # A host that refuses early reads no more, and says why.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, f"/v1/storages/{path}", body, dict(headers))
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def object(self, method, storage, key, body=None, query="", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(method, f"{storage}/objects/{urllib.parse.quote(key)}{query}", body, names)

    def put(self, storage, key, body, **headers):
        answer = self.object("PUT", storage, key, body, **headers)
        assert answer.status in (200, 201), (answer.status, answer.body)
        return answer

    def get(self, storage, key, **headers):
        return self.object("GET", storage, key, **headers)

    def post(self, path, document):
        return self.request("POST", path, json.dumps(document), {"Content-Type": "application/json"})

    def text(self):
        self.log.flush()
        return pathlib.Path(f"{self.folder}/log").read_text()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def running(build, backend, storages, shared=(), environment=()):
    host = Host(build, backend, storages, shared, environment)
    try:
        yield host
    except BaseException:
        print(host.text())
        raise
    finally:
        if host.process.poll() is None:
            host.stop()
