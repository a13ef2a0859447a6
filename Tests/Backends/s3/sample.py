#!/usr/bin/env python3
"""Proves that the sample profile works with this plugin: `sample.py BUILD_FOLDER SAMPLE`. Nothing is reached."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

from host import Answer, Connection

BUILD, SAMPLE = sys.argv[1:]

with tempfile.TemporaryDirectory(prefix="cofs", dir="/tmp") as folder:
    folder = pathlib.Path(folder)
    (folder / "secret").write_text("hush-hush\n")
    text = pathlib.Path(SAMPLE).read_text().replace("/run/secrets/s3_secret", str(folder / "secret"))
    assert "hush-hush" not in text and str(folder) in text
    plugins = {name: f"{BUILD}/libcoffer-{name}.so" for name in ["local", "s3"]}
    (folder / "coffer.yaml").write_text(f"{text}\nplugins: {json.dumps(plugins)}\n")
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ready.bind(str(folder / "ready"))
    ready.settimeout(30)
    kept = {name: os.environ[name] for name in ["LD_LIBRARY_PATH"] if name in os.environ}
    with open(folder / "log", "w+") as log:
        process = subprocess.Popen(
            [f"{BUILD}/cofferd", "--config", folder / "coffer.yaml", "--profile", "production",
             "--socket", folder / "coffer.sock"],
            cwd=folder, stdout=log, stderr=log, env=kept | {
                "HOME": str(folder), "PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(folder / "ready"),
                "STATE_DIRECTORY": str(folder / "state"), "AWS_ACCESS_KEY_ID": "AKSAMPLE",
            },
        )
        try:
            while b"READY=1" not in ready.recv(4096):
                pass

            def ask(method, path, document=None):
                connection = Connection(str(folder / "coffer.sock"), 20)
                connection.request(method, path, document and json.dumps(document), {"Content-Type": "application/json"})
                return Answer(connection.getresponse())

            storages = {one["name"]: one for one in ask("GET", "/v1/storages").json["storages"]}
            assert {name: (one["backend"], one["url"]) for name, one in storages.items()} == {
                "files": ("local", "https://files.somewhere.com/"),
                "avatars": ("s3", "https://s3.somewhere.com/avatars/"),
                "images": ("s3", "https://images.somewhere.com/"),
            }, storages
            # The container is the storage's name.
            link = ask("POST", "/v1/storages/avatars/links", {"key": "a.png", "method": "GET", "expires_in": 60}).json
            assert link["url"].startswith("https://avatars.s3-eu-west-2.amazonaws.com/a.png?"), link
            assert "X-Amz-Credential=AKSAMPLE%2F" in link["url"] and "%2Feu-west-2%2Fs3%2F" in link["url"], link
        except BaseException:
            print((folder / "log").read_text())
            raise
        finally:
            process.terminate()
            process.wait(20)
        assert "hush-hush" not in (folder / "log").read_text()
print("ok  the sample profile")
