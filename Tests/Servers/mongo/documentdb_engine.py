"""Commands of MongoDB, carried out by DocumentDB: each goes, as BSON, to the SQL function that stands for it.

The engine is real; only the wire and this table are ours. Its errors are SQL states of its own, which are given the
numbers that a client of MongoDB expects.
"""

import contextlib
import queue

import bson
import psycopg

from collections_in_memory import Refusal

BSON = "%s::bytea::documentdb_core.bson"
SEQUENCE = "%s::bytea::documentdb_core.bsonsequence"
API = "documentdb_api"

# The states that were seen, and what MongoDB calls them.
STATES = {
    "23505": (11000, "DuplicateKey"), "M001C": (11000, "DuplicateKey"), "M0001": (2, "BadValue"),
    "M0004": (14, "TypeMismatch"), "M0008": (26, "NamespaceNotFound"), "M000Q": (73, "InvalidNamespace"),
    "M001M": (66, "ImmutableField"), "M00AO": (40324, "UnrecognizedCommand"), "40001": (112, "WriteConflict"),
    "40P01": (112, "WriteConflict"),
}
PAGES = {
    "find": "find_cursor_first_page", "aggregate": "aggregate_cursor_first_page",
    "listCollections": "list_collections_cursor_first_page", "listIndexes": "list_indexes_cursor_first_page",
}
WRITES = {"insert": "documents", "update": "updates", "delete": "deletes"}


def state_of(number):
    """The five letters of a state that was packed into an integer, six bits each."""
    return "".join(chr((number >> 6 * place & 63) + 48) for place in range(5))


class DocumentDBEngine:
    def __init__(self, conninfo):
        self.conninfo = conninfo
        self.idle = queue.LifoQueue()
        self.cursors = {}

    def run(self, database, name, command, sequences):
        if name in PAGES:
            return self.first_page(PAGES[name], database, command)
        if name in WRITES:
            return self.write(name, database, command, sequences)
        operation = getattr(self, "run_" + name, None)
        if operation is None:
            raise Refusal(59, "CommandNotFound", f"no such command: '{name}'")
        return operation(database, command)

    # Connections to PostgreSQL

    def connect(self):
        connection = psycopg.connect(self.conninfo, autocommit=True)
        connection.execute("SET client_min_messages = error")
        return connection

    @contextlib.contextmanager
    def connection(self):
        connection = self.borrow()
        try:
            yield connection
        finally:
            self.idle.put(connection)

    def borrow(self):
        try:
            return self.idle.get_nowait()
        except queue.Empty:
            return self.connect()

    @staticmethod
    def row(connection, sql, *parameters):
        try:
            return connection.execute(sql, parameters, binary=True).fetchone()
        except psycopg.Error as error:
            code, name = STATES.get(error.sqlstate, (1, error.sqlstate or "InternalError"))
            raise Refusal(code, name, str(error).split("\n")[0]) from error

    def value(self, sql, *parameters):
        with self.connection() as connection:
            return self.row(connection, sql, *parameters)[0]

    # Writing

    def write(self, name, database, command, sequences):
        # Documents beside the command, or inside it: the engine takes either.
        documents = b"".join(sequences.get(WRITES[name], [])) or None
        sql = f"SELECT p_result::bytea FROM {API}.{name}(%s, {BSON}, {SEQUENCE})"
        result = bson.decode(self.value(sql, database, bson.encode(command), documents))
        for error in result.get("writeErrors", []):
            code, _ = STATES.get(state_of(error["code"]), (error["code"], ""))
            error["code"] = code
        return result

    def run_findAndModify(self, database, command):
        sql = f"SELECT p_result::bytea FROM {API}.find_and_modify(%s, {BSON})"
        return bson.decode(self.value(sql, database, bson.encode(command)))

    # Reading

    def first_page(self, function, database, command):
        sql = f"SELECT cursorpage::bytea, continuation::bytea, persistconnection FROM {API}.{function}(%s, {BSON})"
        connection = self.borrow()
        try:
            page, continuation, holds = self.row(connection, sql, database, bson.encode(command))
        except Refusal:
            self.idle.put(connection)
            raise
        return self.remember(bson.decode(page), continuation, connection, holds)

    def remember(self, page, continuation, connection, holds):
        """Keeps what the next page needs; a cursor that lives in its connection keeps that too."""
        number = page["cursor"]["id"]
        if number and continuation is not None:
            self.cursors[number] = (continuation, connection if holds else None)
        if not (number and holds):
            self.idle.put(connection)
        return page

    def run_getMore(self, database, command):
        number = command["getMore"]
        if number not in self.cursors:
            raise Refusal(43, "CursorNotFound", f"cursor id {number} not found")
        continuation, held = self.cursors.pop(number)
        connection = held or self.borrow()
        sql = f"SELECT cursorpage::bytea, continuation::bytea FROM {API}.cursor_get_more(%s, {BSON}, {BSON})"
        page, continuation = self.row(connection, sql, database, bson.encode(command), continuation)
        return self.remember(bson.decode(page), continuation, connection, held is not None)

    def run_killCursors(self, database, command):
        killed = []
        for number in command["cursors"]:
            if number in self.cursors:
                _, held = self.cursors.pop(number)
                killed.append(number)
                if held:
                    held.close()
        return {"cursorsKilled": killed, "cursorsNotFound": [], "cursorsAlive": [], "cursorsUnknown": []}

    def run_count(self, database, command):
        sql = f"SELECT document::bytea FROM {API}.count_query(%s, {BSON})"
        return bson.decode(self.value(sql, database, bson.encode(command)))

    def run_distinct(self, database, command):
        sql = f"SELECT document::bytea FROM {API}.distinct_query(%s, {BSON})"
        return bson.decode(self.value(sql, database, bson.encode(command)))

    # Collections

    def run_createIndexes(self, database, command):
        sql = f"SELECT documentdb_api_internal.create_indexes_non_concurrently(%s, {BSON}, true)::bytea"
        return bson.decode(self.value(sql, database, bson.encode(command)))

    def run_create(self, database, command):
        self.value(f"SELECT {API}.create_collection(%s, %s)", database, command["create"])
        return {}

    def run_drop(self, database, command):
        if not self.value(f"SELECT {API}.drop_collection(%s, %s)", database, command["drop"]):
            raise Refusal(26, "NamespaceNotFound", "ns not found")
        return {"ns": f"{database}.{command['drop']}", "nIndexesWas": 1}

    def run_dropDatabase(self, database, command):
        self.value(f"SELECT {API}.drop_database(%s)", database)
        return {"dropped": database}

    def run_listDatabases(self, database, command):
        return bson.decode(self.value(f"SELECT {API}.list_databases({BSON})::bytea", bson.encode(command)))
