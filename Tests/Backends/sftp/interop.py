"""Objects of ours as other SFTP clients see them, and theirs as we do: interop.py DRIVE PLUGIN SERVER_ENV."""

import os
import subprocess
import sys

import paramiko

drive, plugin, env = sys.argv[1:4]
with open(env, encoding="utf-8") as lines:
    server = dict(line.rstrip("\n").split("=", 1) for line in lines)
SETTINGS = [
    "host=" + server["HOST"],
    "port=" + server["PORT"],
    "user=" + server["USER"],
    "known_hosts=" + server["KNOWN_HOSTS"],
    "key_file=" + server["KEYS"] + "/id_rsa",
    "root=interop",
]
NAMES = ["plain.bin", "deep/er/file", "ümlaut é e\u0301 日本 🎉", " two  blanks ", "a#b?c%2Fd&e;'f\"g`h$i", "-dash"]


def ours(*words, data=b""):
    """Runs a command of ours, and answers what it printed."""
    done = subprocess.run([drive, plugin, *SETTINGS, "--", *words], input=data, capture_output=True, check=False)
    assert done.returncode == 0, (words, done.returncode, done.stderr)
    return done.stdout


def content(name):
    """Bytes that belong to a name, across more than one packet."""
    return (name.encode() + os.urandom(1000)) * 700


def check_paramiko():
    """Both ways with paramiko: bytes, size, time, names."""
    client = paramiko.SSHClient()
    client.load_host_keys(server["KNOWN_HOSTS"])
    client.connect(
        server["HOST"],
        int(server["PORT"]),
        server["USER"],
        key_filename=server["KEYS"] + "/id_ed25519",
        allow_agent=False,
        look_for_keys=False,
    )
    with client, client.open_sftp() as sftp:
        for name in NAMES:
            data = content(name)
            ours("put", name, data=data)
            with sftp.open("interop/" + name) as file:
                assert file.read() == data, name
            size, modified = map(int, ours("stat", name).split())
            facts = sftp.stat("interop/" + name)
            assert (facts.st_size, facts.st_mtime) == (size, modified) == (len(data), modified), name
            assert facts.st_mode & 0o777 == 0o600, oct(facts.st_mode)
        sftp.mkdir("interop/theirs")
        for name in NAMES:
            data, name = content(name), "theirs/" + name.replace("/", "_")
            with sftp.open("interop/" + name, "w") as file:
                file.set_pipelined(True)
                file.write(data)
            assert ours("get", name) == data, name
            # A reader of theirs keeps the version that it opened while we replace it.
            with sftp.open("interop/" + name) as file:
                first = file.read(10)
                ours("put", name, data=b"replaced")
                assert first + file.read() == data, name
            assert ours("get", name) == b"replaced", name
        listed = ours("ls").decode().splitlines()
        expected = NAMES + ["theirs/" + name.replace("/", "_") for name in NAMES]
        assert listed == sorted(expected, key=lambda name: name.encode()), listed
        for name in listed:
            ours("rm", name)
        assert sftp.listdir("interop") == [".coffer"], sftp.listdir("interop")


def check_sftp():
    """Both ways with OpenSSH's own client."""
    folder = os.path.dirname(env)
    local, back = os.path.join(folder, "local"), os.path.join(folder, "back")
    data = content("sftp")
    with open(local, "wb") as file:
        file.write(data)
    ours("put", "from us", data=data)
    commands = f'get "interop/from us" {back}\nput {local} "interop/from them"\nls -1 interop\n'
    subprocess.run(
        ["sftp", "-q", "-b", "-", "-P", server["PORT"], "-i", server["KEYS"] + "/id_ed25519", "-F", "none"]
        + ["-o", "UserKnownHostsFile=" + server["KNOWN_HOSTS"], "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]
        + [server["USER"] + "@" + server["HOST"]],
        input=commands.encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    with open(back, "rb") as file:
        assert file.read() == data
    assert ours("get", "from them") == data
    assert ours("cp", "from them", "copied", ",", "mv", "copied", "moved", ",", "get", "moved") == data


check_paramiko()
check_sftp()
print(f"{2 * len(NAMES)} objects with paramiko, 2 with sftp: the same bytes, sizes and times both ways")
