#!/usr/bin/env python3
"""Proves the logins that Keystone has: `logins.py BUILD_FOLDER`. The servers' facts stand in the environment.

Makes the container `suite`.
"""

import os
import sys
import threading

import requests
import swiftclient

from host import running

BUILD = sys.argv[1]
URL, USER, KEY, PROJECT = (os.environ[f"KEYSTONE_{name}"] for name in ["URL", "USER", "KEY", "PROJECT"])
CREDENTIAL, SECRET = os.environ["CREDENTIAL_ID"], os.environ["CREDENTIAL_SECRET"]
BARE = URL.removesuffix("/v3")
PERSON = {"user": USER, "key": KEY, "project_name": PROJECT, "region": "RegionOne"}
SHARED = {"authurl": URL, "auth_version": "3", "container": "suite"}
OPTIONS = {
    "project_name": PROJECT, "user_domain_name": "Default", "project_domain_name": "Default",
    "region_name": "RegionOne",
}

client = swiftclient.Connection(URL, USER, KEY, auth_version="3", os_options=OPTIONS)


def every_way_to_log_in():
    client.put_container("suite")
    client.put_object("suite", "there", b"there")
    by_name = {
        "application_credential_name": "coffer", "application_credential_secret": SECRET, "user": USER,
        "region": "RegionOne",
    }
    by_id = {"application_credential_id": CREDENTIAL, "application_credential_secret": SECRET}
    storages = {
        "password": PERSON, "bare": PERSON | {"authurl": BARE}, "slash": PERSON | {"authurl": f"{URL}/"},
        "full": PERSON | {"authurl": f"{URL}/auth/tokens"}, "internal": PERSON | {"endpoint_type": "internalURL"},
        "domains": PERSON | {"user_domain_name": "Default", "project_domain_id": "default"},
        "options": {"user": USER, "key": KEY, "os_options": OPTIONS},
        "credential": by_id | {"region": "RegionOne"}, "credential-name": by_name,
        "credential-options": {"os_options": {
            **by_id, "auth_type": "v3applicationcredential", "region_name": "RegionOne",
        }},
        "url": PERSON | {"region": "Nowhere", "storage_url": client.get_auth()[0]},
    }
    refused = {
        "wrong-key": (PERSON | {"key": "wrong-key-of-ours"}, 401, "unauthenticated", "login is refused"),
        "wrong-project": (PERSON | {"project_name": "no-such"}, 401, "unauthenticated", "project"),
        "wrong-secret": (by_id | {"application_credential_secret": "wrong-secret"}, 401, "unauthenticated", "refused"),
        "wrong-region": (PERSON | {"region": "Mars"}, 422, "config_invalid", "region Mars"),
        "no-such-kind": (PERSON | {"endpoint_type": "admin"}, 422, "config_invalid", "no admin endpoint"),
        "no-service": (PERSON | {"service_type": "volume"}, 422, "config_invalid", "no volume"),
        "nowhere": (PERSON | {"region": "Nowhere", "retries": 0, "connect_timeout": "1s"}, 503, "unavailable", None),
    }
    everyone = storages | {name: options for name, (options, *_) in refused.items()}
    with running(BUILD, "swift", everyone, SHARED) as host:
        for name in storages:
            answer = host.get(name, "there")
            assert answer.status == 200 and answer.body == b"there", (name, answer.status, answer.body)
        for name, (_, status, code, words) in refused.items():
            answer = host.get(name, "there")
            assert answer.status == status and answer.code == code, (name, answer.status, answer.body)
            assert words is None or words in answer.json["detail"], (name, answer.json)
        log = host.text()
        for secret in [SECRET, "wrong-secret", "wrong-key-of-ours", "gAAAA"]:
            assert secret not in log, "a secret in the log"


def revoked_tokens_are_renewed():
    with running(BUILD, "swift", {"s": PERSON}, SHARED) as host:
        assert host.get("s", "there").body == b"there"
        # A token that the store does not know: what a revoked one is, once the store's cache has let go of it.
        stale = requests.get(f"{client.get_auth()[0]}/suite/there", headers={"X-Auth-Token": "gAAAA-none"})
        assert stale.status_code == 401, stale.status_code
    stale = PERSON | {"auth_token": "gAAAA-none", "storage_url": client.get_auth()[0]}
    with running(BUILD, "swift", {"s": stale}, SHARED) as host:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(host.get("s", "there").body)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [b"there"] * 6, answers
        assert "gAAAA" not in host.text(), "a token in the log"


def main():
    for prove in [every_way_to_log_in, revoked_tokens_are_renewed]:
        prove()
        print(f"ok  {prove.__name__}", flush=True)


main()
