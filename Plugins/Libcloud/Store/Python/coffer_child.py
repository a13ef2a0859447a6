"""The process that holds one driver of Libcloud and answers the plugin, one question at a time."""

import json
import os
import select
import sys
import threading

import coffer_failures as failures
from coffer_failures import Failure
from coffer_wire import Channel

BATCH = 500
PIECE = 256 << 10


class Child:
    def __init__(self, connection):
        self.channel = Channel(connection)
        self.secrets = []
        self.store = None
        self.driver = None

    def serve(self):
        while True:
            try:
                question, descriptor = self.channel.receive()
            except (EOFError, ConnectionError):
                return
            # A word to stop that came after the last piece has nothing to stop.
            if question["do"] == "stop":
                continue
            doing = question.get("doing", question["do"])
            try:
                answer = getattr(self, "do_" + question["do"])(question, descriptor)
            except (BrokenPipeError, ConnectionResetError) as error:
                if not self.is_heard():
                    return
                answer = failures.told(error, doing, self.secrets)
            except Exception as error:  # Whatever a driver raises is an answer.
                answer = failures.told(error, doing, self.secrets)
            finally:
                if descriptor is not None:
                    os.close(descriptor)
            self.channel.send({"end": True, **(answer or {})})

    def is_heard(self):
        return not any(event & select.POLLHUP for _, event in self.channel.poll.poll(0))

    def do_open(self, question, _):
        self.secrets = question["secrets"]
        try:
            import libcloud
            from libcloud.storage.providers import DRIVERS, get_driver
            import coffer_directory as directory
            import coffer_stores as stores
        except ImportError as error:
            raise Failure("config", missing(error.name or "libcloud")) from None
        provider = question["provider"]
        try:
            kind = get_driver(provider)
        except ImportError as error:
            raise Failure("config", f"the driver of {provider} is incomplete: {error}") from None
        except Exception:
            known = ", ".join(sorted(str(name) for name in DRIVERS))
            raise Failure(
                "config", f"option provider is none of Libcloud {libcloud.__version__}: {provider}, but {known}",
            ) from None
        try:
            self.driver = kind(**question["arguments"])
        except Exception as error:
            text = getattr(error, "value", None) or error
            raise Failure("config", f"the driver of {provider} refuses its options: {text}") from None
        families = {each.__name__ for each in kind.__mro__}
        make = stores.Store
        if "BaseS3StorageDriver" in families:
            make = stores.S3Store
        elif "LocalStorageDriver" in families:
            make = directory.LocalStore
        self.store = make(self.driver, question["container"])
        amend_requests()
        return {"libcloud": libcloud.__version__, "python": ".".join(map(str, sys.version_info[:3]))}

    def do_health(self, question, _):
        self.store.check()

    def do_stat(self, question, _):
        return self.store.entry(self.store.checked_look(question["key"], question["conditions"]))

    def do_read(self, question, _):
        with downloading:
            # A failure before the first piece is the answer itself.
            found, start, end, first, pieces = self.store.open(
                question["key"], question["range"], question["conditions"])
            try:
                self.channel.send({"start": start, "end": end, **self.store.entry(found)})
                left = self.stream(first, pieces, end - start)
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
        if left is None:
            self.drop_answer()
            return {"stopped": True}
        if left:
            self.drop_answer()
            raise Failure("corrupt", f"the provider sent {left} bytes too few, or too many, of {question['key']}")
        return None

    def stream(self, piece, pieces, left):
        """Sends pieces; answers what is missing, or None where the plugin wants no more."""
        while piece:
            if len(piece) > left:
                return left - len(piece)
            view = memoryview(piece)
            for at in range(0, len(view), PIECE):
                if self.channel.is_waiting():
                    return None
                self.channel.send_piece(view[at:at + PIECE])
            left -= len(piece)
            piece = next(pieces, b"")
        return left

    def drop_answer(self):
        """Ends an answer that was not read to its end."""
        connection = getattr(getattr(self.driver, "connection", None), "connection", None)
        if getattr(connection, "response", None) is not None:
            connection.close()

    def do_put(self, question, descriptor):
        path = f"/proc/self/fd/{descriptor}"
        return self.store.put(
            question["key"], path, question["size"], question.get("type"), question.get("meta") or {})

    def do_remove(self, question, _):
        self.store.remove(question["key"], question["strict"])

    def do_list(self, question, _):
        rows, more = self.store.page(
            question["prefix"], question["delimiter"], question["after"], question["limit"])
        for at in range(0, len(rows), BATCH):
            self.channel.send({"rows": [
                [name.decode(), size, time, tag] for name, size, time, tag in rows[at:at + BATCH]
            ]})
        return {"more": more}

    def do_containers(self, _question, _):
        for container in self.driver.iterate_containers():
            self.channel.send({"rows": [[container.name]]})

    def do_make(self, question, _):
        self.driver.create_container(question["name"])

    def do_drop(self, question, _):
        if not self.driver.delete_container(self.driver.get_container(question["name"])):
            raise Failure("backend_error", f"the provider does not remove {question['name']}")


class Downloading:
    """Set while an object is read: its bytes are wanted as they are stored, and nothing is unpacked."""

    def __init__(self):
        self.depth = 0

    def __enter__(self):
        self.depth += 1

    def __exit__(self, *_):
        self.depth -= 1


downloading = Downloading()


def amend_requests():
    """Two ways of `requests`, which Libcloud sits on, that an object's bytes do not bear.

    What is stored packed would be given unpacked; and an empty file would go out in chunks, which many providers refuse.
    """
    requests = sys.modules.get("requests")
    if requests is None:
        return
    kind = requests.models.Response
    unpacking = kind.iter_content

    def iter_content(self, chunk_size=1, decode_unicode=False):
        if downloading.depth and not self._content_consumed and "content-encoding" in self.raw.headers:
            return self.raw.stream(chunk_size, decode_content=False)
        return unpacking(self, chunk_size, decode_unicode)

    kind.iter_content = iter_content
    prepare_body = requests.models.PreparedRequest.prepare_body

    def prepare(self, data, files, json=None):
        is_empty = hasattr(data, "fileno") and requests.utils.super_len(data) == 0
        prepare_body(self, None if is_empty else data, files, json)

    requests.models.PreparedRequest.prepare_body = prepare


def missing(package):
    name = "apache-libcloud" if package.split(".")[0] == "libcloud" else package
    version = ".".join(map(str, sys.version_info[:2]))
    return (
        f"the Python {version} at {sys.executable} has no package {name}: make a virtual environment "
        f"(python3 -m venv DIR), install it there (DIR/bin/pip install apache-libcloud), and set python: DIR/bin/python")


def watch(connection):
    """Ends this process with the plugin, whatever a driver waits for."""
    def wait():
        poll = select.poll()
        poll.register(connection, 0)
        while not any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main(connection):
    watch(connection)
    Child(connection).serve()
