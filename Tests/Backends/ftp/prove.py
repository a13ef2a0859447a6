"""prove.py LIBRARY ENV START_FOLDER WORK: what a suite of one plugin cannot show.

Objects go to and fro between the plugin, curl and ftplib; a wrong password, a user who may not write and a certificate
that nobody vouches for are told apart; and a server that is pulled away, or a network that does harm, loses and falsifies
nothing.
"""

import ctypes
import ftplib
import io
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from plugin import MAYBE_APPLIED, RETRYABLE, Plugin, Refused  # noqa: E402

library, environment, server, work = sys.argv[1:5]
settings = dict(line.split("=", 1) for line in open(environment).read().split("\n") if line)
home = pathlib.Path(settings["HOME_DIRECTORY"])
port = int(settings["PORT"])
proven = []


def proves(function):
    """Runs a proof at once, and remembers it."""
    function()
    proven.append(function.__name__)
    return function


def opened(**options):
    given = {
        "host": "localhost", "port": port, "user": "test", "password": settings["PASSWORD"], "root": "prove",
        "atomic_rename": "true", **options,
    }
    return Plugin(library, **given)


def refused(code, body):
    """The error of what must be refused with this code, or one of these; no error shows the password."""
    try:
        body()
    except Refused as error:
        assert error.code in ([code] if isinstance(code, str) else code), f"{code} was expected, and came: {error}"
        assert settings["PASSWORD"] not in error.message, error.message
        return error
    raise AssertionError(f"{code} was expected, and nothing was refused")


def curl(*arguments, **options):
    user = f"test:{settings['PASSWORD']}"
    done = subprocess.run(["curl", "-sS", "-m", "30", "-u", user, *arguments], capture_output=True, check=True, **options)
    return done.stdout


def pattern(count, seed):
    return bytes((seed * 31 + at * 7 + (at >> 8)) & 255 for at in range(4096)) * (count // 4096) + bytes(count % 4096)


@proves
def what_we_write_curl_and_ftplib_read():
    plugin = opened()
    keys = {"plain.txt": b"plain", "a b/\u00fc \u20ac.bin": pattern(300_000, 1), "e": b"", "#%2F;x": b"odd"}
    for key, data in keys.items():
        plugin.put(key, data)
    with ftplib.FTP(encoding="utf-8") as client:
        client.connect("127.0.0.1", port)
        client.login("test", settings["PASSWORD"])
        client.cwd("prove")
        for key, data in keys.items():
            into = io.BytesIO()
            client.retrbinary(f"RETR {key}", into.write)
            assert into.getvalue() == data, key
        names = {name for name, facts in client.mlsd() if facts["type"] in ("file", "dir")}
        assert names - {".coffer"} == {key.split("/")[0] for key in keys}, names
    url = f"ftp://127.0.0.1:{port}/prove/a%20b/%C3%BC%20%E2%82%AC.bin"
    assert curl(url) == keys["a b/\u00fc \u20ac.bin"]
    plugin.close()


@proves
def what_curl_and_ftplib_write_we_read():
    plugin = opened()
    curl("--ftp-create-dirs", "-T", "-", f"ftp://127.0.0.1:{port}/prove/by/curl%20x", input=b"from curl")
    with ftplib.FTP(encoding="utf-8") as client:
        client.connect("127.0.0.1", port)
        client.login("test", settings["PASSWORD"])
        client.storbinary("STOR prove/by/ftplib \u00e9", io.BytesIO(pattern(500_000, 2)))
    assert plugin.get("by/curl x") == b"from curl"
    assert plugin.get("by/ftplib \u00e9") == pattern(500_000, 2)
    assert plugin.get("by/ftplib \u00e9", offset=400_000, length=50_000) == pattern(500_000, 2)[400_000:450_000]
    assert plugin.keys("by/") == ["by/curl x", "by/ftplib \u00e9"]
    # A directory that a foreign program made and left empty is no object and no prefix.
    (home / "prove" / "hollow" / "inside").mkdir(parents=True)
    assert "hollow/" not in plugin.keys(delimiter="/")
    (home / "prove/hollow/inside").rmdir()
    plugin.put("hollow", b"a file where an empty directory stood")
    assert plugin.get("hollow") == b"a file where an empty directory stood"
    plugin.close()


@proves
def directories_come_and_go_with_objects():
    plugin = opened(root="comings")
    plugin.put("a/b/c/one", b"1")
    plugin.put("a/b/two", b"2")
    plugin.remove("a/b/c/one")
    assert not (home / "comings/a/b/c").exists() and (home / "comings/a/b").exists()
    plugin.remove("a/b/two")
    assert not (home / "comings/a").exists() and (home / "comings").exists()
    # What this instance made was removed by somebody else.
    plugin.put("d/e/f", b"3")
    (home / "comings/d/e/f").unlink()
    (home / "comings/d/e").rmdir()
    plugin.put("d/e/f", b"4")
    assert plugin.get("d/e/f") == b"4"
    plugin.close()


@proves
def a_given_time_is_kept():
    plugin = opened(set_mtime="true")
    entry = plugin.put("dated", b"x", mtime=1_234_567_890_987_654_321)
    assert entry[3] == 1_234_567_890_000_000_000, entry
    assert int((home / "prove/dated").stat().st_mtime) == 1_234_567_890
    plugin.close()


@proves
def tokens_never_come_twice():
    plugin = opened()
    tokens = [plugin.put("counter", b"%d" % (n % 10))[4] for n in range(40)]
    assert all(tokens) and len(set(tokens)) == len(tokens), tokens
    assert plugin.stat("counter")[4] == tokens[-1]
    plugin.close()


@proves
def wrong_passwords_and_missing_rights_are_told_apart():
    wrong = opened(password="not that one")
    error = refused("unauthenticated", lambda: wrong.stat("x"))
    assert "not that one" not in error.message and not error.flags & RETRYABLE, error
    refused("unauthenticated", wrong.health)
    wrong.close()
    reader = opened(user=settings["READER"])
    assert reader.get("plain.txt") == b"plain"
    for body in (lambda: reader.put("new", b"x"), lambda: reader.put("plain.txt", b"x" * 400_000)):
        assert not refused("permission", body).flags & RETRYABLE
    refused("permission", lambda: reader.remove("plain.txt"))
    assert reader.get("plain.txt") == b"plain"
    reader.close()


@proves
def nobody_is_trusted_without_reason():
    stranger = opened(tls="explicit")
    assert "certificate" in refused("unavailable", lambda: stranger.stat("x")).message
    stranger.close()
    other_name = opened(tls="explicit", ca_file=settings["CA_FILE"], host="127.0.0.2")
    refused("unavailable", lambda: other_name.stat("x"))
    other_name.close()
    trusted = opened(tls="explicit", ca_file=settings["CA_FILE"])
    assert trusted.health()["encryption"].startswith("TLS")
    trusted.close()


@proves
def no_name_is_a_second_command():
    plugin = opened()
    plugin.put("victim", b"stays")
    for end in ("\r\n", "\n", "\r"):
        for body in (plugin.put, lambda key, _: plugin.get(key), lambda key, _: plugin.remove(key)):
            refused("invalid_key", lambda: body(f"x{end}DELE prove/victim{end}", b"x"))
    assert plugin.get("victim") == b"stays"
    for name, value in {"user": "a\r\nDELE x", "password": "a\nb", "root": "a\r\nb"}.items():
        refused("config", lambda: opened(**{name: value}))
    plugin.close()


@proves
def a_full_disk_is_told_and_leaves_the_old():
    full = pathlib.Path(work) / "home" / "full"
    full.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(full)], capture_output=True).returncode
    if not mounted:
        print("   (not proven: this user cannot mount a small file system)")
        return
    try:
        plugin = opened(root="full")
        plugin.put("k", b"old")
        for _ in range(3):
            # This server calls it an input/output error; in any case it is permanent.
            error = refused(("no_space", "io"), lambda: plugin.put("k", bytes(3_000_000)))
            assert not error.flags & RETRYABLE, error
            assert plugin.get("k") == b"old"
        assert plugin.keys() == ["k"]
        plugin.put("half", bytes(500_000))
        plugin.close()
    finally:
        subprocess.run(["umount", str(full)], check=True)


def kill_sessions():
    """Ends every session of the server at once, and not the server."""
    for parent in pathlib.Path(work, "run").glob("*.pid"):
        children = subprocess.run(["pgrep", "-P", parent.read_text().strip()], capture_output=True, text=True)
        for child in children.stdout.split():
            os.kill(int(child), signal.SIGKILL)


@proves
def dead_connections_are_replaced():
    plugin = opened()
    plugin.put("k", b"1")
    for n in range(3):
        kill_sessions()
        assert plugin.get("k") == b"%d" % (n + 1)
        kill_sessions()
        plugin.put("k", b"%d" % (n + 2))
        kill_sessions()
        assert "k" in plugin.keys()
    kill_sessions()
    plugin.remove("k")
    refused("not_found", lambda: plugin.get("k"))
    plugin.close()


@proves
def a_broken_read_goes_on_where_it_was():
    plugin = opened()
    data = pattern(24 << 20, 3)
    plugin.put("long", data)
    stream = plugin.open_read("long")
    buffer = ctypes.create_string_buffer(1 << 20)
    got = bytearray()
    breaks = 0
    while count := plugin.read(stream, buffer):
        got += buffer.raw[:count]
        if len(got) > (breaks + 1) * (6 << 20) and breaks < 3:
            breaks += 1
            kill_sessions()
    plugin.end("read_close", stream)
    assert breaks == 3 and bytes(got) == data
    # Another object at that key is never mixed into it.
    stream = plugin.open_read("long")
    count = plugin.read(stream, buffer)
    with open(home / "prove/long.other", "wb") as other:
        other.write(pattern(24 << 20, 4))
    kill_sessions()
    os.replace(home / "prove/long.other", home / "prove/long")

    def rest():
        total = count
        while more := plugin.read(stream, buffer):
            total += more
        return total

    refused("changed", rest)
    plugin.end("read_close", stream)
    plugin.close()


@proves
def a_broken_upload_publishes_nothing():
    plugin = opened()
    plugin.put("target", b"old")
    stream = plugin.begin("target", 20 << 20)
    plugin.append(stream, bytes(4 << 20))
    kill_sessions()

    def rest():
        for _ in range(16):
            plugin.append(stream, bytes(1 << 20))
        plugin.commit(stream)

    assert refused("unavailable", rest).flags & RETRYABLE
    plugin.end("write_close", stream)
    assert plugin.get("target") == b"old"
    plugin.close()


@proves
def a_server_that_is_gone_is_said_to_be_gone():
    plugin = opened()
    plugin.put("k", b"1")
    subprocess.run([f"{server}/stop", work], check=True)
    for body in (lambda: plugin.get("k"), lambda: plugin.put("k", b"2"), plugin.list, plugin.health):
        began = time.monotonic()
        assert refused("unavailable", body).flags & RETRYABLE
        assert time.monotonic() - began < 5
    environment = {**os.environ, "PORT": str(port), "IMPLICIT_PORT": settings["IMPLICIT_PORT"]}
    subprocess.run([f"{server}/start", work], check=True, env=environment, stdout=subprocess.DEVNULL)
    assert plugin.get("k") == b"1"
    plugin.close()


@proves
def every_call_ends_by_its_deadline():
    listener = socket.create_server(("127.0.0.1", 0))
    silent = opened(host="127.0.0.1", port=listener.getsockname()[1], connect_timeout=500)
    began = time.monotonic()
    refused("timeout", lambda: silent.stat("x"))
    assert time.monotonic() - began < 3
    silent.close()
    hurried = opened(host="127.0.0.1", port=listener.getsockname()[1])
    hurried.seconds = 0.5
    began = time.monotonic()
    refused("timeout", lambda: hurried.stat("x"))
    assert time.monotonic() - began < 1.5
    hurried.close()
    listener.close()


@proves
def a_harmful_network_loses_and_falsifies_nothing():
    proxy = pathlib.Path(server).parent / "faulty-proxy"
    for seed in (1, 2):
        process = subprocess.Popen(
            [sys.executable, str(proxy), "--tcp", "--target", f"127.0.0.1:{port}", "--seed", str(seed), "--rate", "0.4",
             "--span", "900", "--plan", "latency=20,slow=100,reset@10%,reset@50%,reset@99%,reset-up@50%,truncate"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            plugin = opened(host="127.0.0.1", port=int(process.stdout.readline()), root=f"harm{seed}")
            plugin.seconds = 10
            truth, unclear = {}, {}
            for n in range(40):
                key, data = f"k{n % 7}", pattern(3000 + n * 111, n)
                try:
                    plugin.put(key, data)
                    truth[key], unclear[key] = data, []
                except Refused as error:
                    assert error.code in ("unavailable", "timeout", "io"), error
                    if error.flags & MAYBE_APPLIED:
                        unclear.setdefault(key, []).append(data)
                if key in truth:
                    try:
                        assert plugin.get(key) in [truth[key], *unclear[key]], (seed, n)
                    except Refused as error:
                        assert error.code in ("unavailable", "timeout", "io"), error
            plugin.close()
        finally:
            process.kill()
            process.wait()
        clear = opened(root=f"harm{seed}")
        assert len(truth) == 7
        for key, data in truth.items():
            assert clear.get(key) in [data, *unclear[key]], (seed, key)
        clear.close()


@proves
def many_threads_share_few_connections():
    plugin = opened(connections=3)
    failures = []

    def work_on(number):
        try:
            for n in range(20):
                key, data = f"many/{number}/{n % 4}", pattern(1000 * n + 1, number)
                plugin.put(key, data)
                assert plugin.get(key) == data
        except Exception as error:  # noqa: BLE001  # told by the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=work_on, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    plugin.close()


@proves
def directories_that_go_are_made_again_by_many_at_once():
    plugin = opened(root="again")
    failures = []

    def work_on(number):
        try:
            for n in range(15):
                key = f"a/b/{number}"
                plugin.put(key, b"x")
                # Whoever removes the last object removes the directories under the others' feet.
                plugin.remove(key)
        except Exception as error:  # noqa: BLE001  # told by the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=work_on, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    assert plugin.keys() == [] and not (home / "again/a").exists()
    plugin.close()


print("\n".join(f"proven   {name.replace('_', ' ')}" for name in proven))
