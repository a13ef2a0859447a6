"""A host on a fresh socket, with storages on GridFS, and requests to it."""

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


class Host:
    def __init__(self, build, storages):
        self.folder = tempfile.mkdtemp(prefix="cofg", dir="/tmp")
        self.socket = f"{self.folder}/coffer.sock"
        configuration = {
            "plugins": {"gridfs": f"{build}/libcoffer-gridfs.so"},
            "defaults": {"backend": "gridfs", "on_conflict": "replace"},
            "storages": storages,
        }
        # JSON is YAML.
        pathlib.Path(f"{self.folder}/coffer.yaml").write_text(json.dumps(configuration))
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ready.bind(f"{self.folder}/ready")
        ready.settimeout(20)
        environment = {
            "HOME": self.folder, "PATH": os.environ["PATH"], "NOTIFY_SOCKET": f"{self.folder}/ready",
            "STATE_DIRECTORY": f"{self.folder}/state",
        } | {name: os.environ[name] for name in ["LD_LIBRARY_PATH"] if name in os.environ}
        self.log = open(f"{self.folder}/log", "w+")
        self.process = subprocess.Popen(
            [f"{build}/cofferd", "--config", f"{self.folder}/coffer.yaml", "--socket", self.socket],
            env=environment, cwd=self.folder, stdout=self.log, stderr=self.log,
        )
        while b"READY=1" not in ready.recv(4096):
            pass
        ready.close()

    def request(self, method, path, body=None, headers=(), timeout=60):
        connection = Connection(self.socket, timeout)
        try:
            # A host that refuses early reads no more, and says why.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, f"/v1/storages/{path}", body, dict(headers))
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def object(self, method, storage, key, *arguments, **options):
        return self.request(method, f"{storage}/objects/{urllib.parse.quote(key)}", *arguments, **options)

    def put(self, storage, key, body, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.object("PUT", storage, key, body, names)
        assert answer.status in (200, 201), (answer.status, answer.body)
        return answer

    def get(self, storage, key, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.object("GET", storage, key, None, names)

    def text(self):
        self.log.flush()
        return pathlib.Path(f"{self.folder}/log").read_text()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def running(build, storages):
    host = Host(build, storages)
    try:
        yield host
    except BaseException:
        print(host.text())
        raise
    finally:
        if host.process.poll() is None:
            host.stop()
