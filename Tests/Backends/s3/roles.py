#!/usr/bin/env python3
"""Proves where keys come from: `roles.py BUILD_FOLDER`.

moto plays Amazon: it makes a role, lends its keys, and from then on refuses what they did not sign. What a machine and a
container would be told stands here.
"""

import datetime
import http.server
import json
import os
import pathlib
import sys
import tempfile
import threading
import time

import boto3
import requests

from host import running

BUILD, = sys.argv[1:]
ENDPOINT = os.environ["S3_ENDPOINT"]
SHARED = {"endpoint": ENDPOINT, "provider": "aws", "addressing": "path", "container": "roles", "region": "us-east-1"}
ROOT = {"endpoint_url": ENDPOINT, "region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}


def borrow():
    """Makes a role that may do everything, and borrows its keys."""
    iam = boto3.client("iam", **ROOT)
    every = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(every))["Role"]
    iam.put_role_policy(RoleName="worker", PolicyName="all", PolicyDocument=json.dumps(every))
    sts = boto3.client("sts", **ROOT)
    lent = [sts.assume_role(RoleArn=role["Arn"], RoleSessionName=f"s{turn}")["Credentials"] for turn in range(3)]
    return [(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]) for keys in lent]


class Lender(http.server.BaseHTTPRequestHandler):
    """What machines and containers ask for the keys of their role."""

    queue, lent, protocol_version = [], [], "HTTP/1.1"

    def answer(self, status, body):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def keys(self, **more):
        (access, secret, token), seconds = Lender.queue.pop(0) if len(Lender.queue) > 1 else Lender.queue[0]
        Lender.lent.append(access)
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        self.answer(200, json.dumps({
            "AccessKeyId": access, "SecretAccessKey": secret, "Token": token,
            "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"), **more,
        }))

    def do_PUT(self):
        known = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self.answer(200, "the-token") if known else self.answer(400, "")

    def do_GET(self):
        if self.path == "/keys":
            return self.keys() if self.headers["Authorization"] == "let-me" else self.answer(401, "")
        if self.headers["X-aws-ec2-metadata-token"] != "the-token":
            return self.answer(401, "")
        base = "/latest/meta-data/iam/security-credentials/"
        if self.path == base:
            return self.answer(200, "worker")
        return self.keys(Code="Success") if self.path == base + "worker" else self.answer(404, "")

    def log_message(self, *arguments):
        pass


def expect_works(options, environment=(), name="role"):
    with running(BUILD, "s3", {"s": options}, SHARED, environment) as host:
        content = os.urandom(100)
        host.put("s", f"{name}.bin", content)
        assert host.get("s", f"{name}.bin").body == content
        return host.text()


def main():
    boto3.client("s3", **ROOT).create_bucket(Bucket="roles")
    good = borrow()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lender)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lender = f"http://127.0.0.1:{server.server_port}"
    # From now on the signature of every request counts.
    assert requests.post(f"{ENDPOINT}/moto-api/reset-auth", data="0").ok

    access, secret, token = good[0]
    direct = {"access_key": access, "secret_key": secret, "session_token": token}
    expect_works(direct, name="keys")
    with running(BUILD, "s3", {"s": {**direct, "secret_key": "wrong"}}, SHARED) as host:
        assert host.get("s", "keys.bin").code == "unauthenticated"
    print("ok  keys from the options, and wrong ones refused")

    words = {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}
    expect_works({}, words, "environment")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "credentials"
        path.write_text(
            "[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n\n"
            f"[worker]\naws_access_key_id={access}\naws_secret_access_key={secret}\naws_session_token={token}\n"
        )
        expect_works({"credentials_file": str(path), "credentials_profile": "worker"}, name="file")
        expect_works({}, {"AWS_SHARED_CREDENTIALS_FILE": str(path), "AWS_PROFILE": "worker"}, "shared")
    print("ok  keys from the environment and from a file")

    Lender.queue = [(good[0], 3600)]
    container = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{lender}/keys", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let-me"}
    expect_works({}, container, "container")
    refused = dict(container, AWS_CONTAINER_AUTHORIZATION_TOKEN="other")
    with running(BUILD, "s3", {"s": {"credentials": "container"}}, SHARED, refused) as host:
        answer = host.get("s", "container.bin")
        assert answer.status == 401 and "container's role" in answer.json["detail"], answer.body
    print("ok  keys of a container")

    machine = {"metadata_endpoint": lender, "credentials": "instance"}
    # Keys that end soon are fetched anew before they do.
    Lender.queue, Lender.lent = [(good[0], 302), (good[1], 3600)], []
    with running(BUILD, "s3", {"s": machine}, SHARED) as host:
        host.put("s", "machine", b"1")
        assert Lender.lent == [good[0][0]], Lender.lent
        end = time.monotonic() + 20
        while len(Lender.lent) < 2:
            assert time.monotonic() < end, "keys are not fetched anew"
            host.put("s", "machine", b"2")
        assert Lender.lent == [good[0][0], good[1][0]], Lender.lent
        for secret in [good[0][1], good[0][2], good[1][1]]:
            assert secret not in host.text()
    # Keys that the store refuses are fetched anew, once, inside the same call.
    Lender.queue, Lender.lent = [(("ASIAREVOKED", "gone", "old"), 3600), (good[2], 3600)], []
    with running(BUILD, "s3", {"s": machine}, SHARED) as host:
        host.put("s", "machine", b"3")
        assert Lender.lent == ["ASIAREVOKED", good[2][0]], Lender.lent
        assert host.get("s", "machine").body == b"3"
    print("ok  keys of a machine, renewed in time and after a refusal")

    with running(BUILD, "s3", {"s": {"credentials": "file", "credentials_file": "/nonexistent/credentials"}}, SHARED) as host:
        answer = host.get("s", "machine")
        assert answer.status == 401 and "/nonexistent/credentials" in answer.json["detail"], answer.body
    print("ok  what is missing is named")


main()
