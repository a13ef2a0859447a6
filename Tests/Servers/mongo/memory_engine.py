"""Commands of MongoDB on collections in memory. One command at a time: each is atomic, and each sees the one before."""

import threading

import bson
from bson import Int64
from mongomock.aggregate import process_pipeline

from collections_in_memory import Collection, Refusal, changed, copied, project

BATCH_BYTES = 16 << 20


class MemoryEngine:
    def __init__(self, room=None):
        self.databases = {}
        self.cursors = {}
        self.last_cursor = 1 << 40
        self.lock = threading.Lock()
        self.room = room  # bytes of documents that fit, or None

    def run(self, database, name, command, sequences):
        operation = getattr(self, "run_" + name, None)
        if operation is None:
            raise Refusal(59, "CommandNotFound", f"no such command: '{name}'")
        for field, documents in sequences.items():
            command[field] = [bson.decode(document) for document in documents]
        with self.lock:
            return operation(self.databases.setdefault(database, {}), f"{database}.{command[name]}", command)

    # Collections

    @staticmethod
    def collection(database, name, create=False):
        if create:
            return database.setdefault(name, Collection())
        return database.get(name, Collection())

    def run_create(self, database, namespace, command):
        if command["create"] in database:
            raise Refusal(48, "NamespaceExists", f"a collection exists: {namespace}")
        self.collection(database, command["create"], create=True)
        return {}

    def run_drop(self, database, namespace, command):
        if database.pop(command["drop"], None) is None:
            raise Refusal(26, "NamespaceNotFound", "ns not found")
        return {"ns": namespace, "nIndexesWas": 1}

    def run_dropDatabase(self, database, namespace, command):
        database.clear()
        return {}

    def run_listCollections(self, database, namespace, command):
        names = [{"name": name, "type": "collection", "options": {}, "info": {}} for name in sorted(database)]
        whole = Collection()
        for entry in names:
            whole.insert({"_id": entry["name"], **entry})
        found = whole.find(command.get("filter", {}))
        return self.first([{k: v for k, v in entry.items() if k != "_id"} for entry in found], namespace, command)

    def run_listDatabases(self, database, namespace, command):
        names = [name for name, collections in self.databases.items() if collections]
        return {"databases": [{"name": name, "sizeOnDisk": Int64(1), "empty": False} for name in names]}

    def run_createIndexes(self, database, namespace, command):
        collection = self.collection(database, command["createIndexes"], create=True)
        before = len(collection.indexes)
        for index in command["indexes"]:
            unknown = set(index) - {"key", "name", "unique", "v", "ns"}
            if unknown:
                raise Refusal(67, "CannotCreateIndex", f"this option is not known here: {sorted(unknown)}")
            fields = [(field, int(direction)) for field, direction in index["key"].items()]
            collection.make_index(index["name"], fields, bool(index.get("unique")))
        return {"numIndexesBefore": before, "numIndexesAfter": len(collection.indexes)}

    def run_listIndexes(self, database, namespace, command):
        if command["listIndexes"] not in database:
            raise Refusal(26, "NamespaceNotFound", f"ns does not exist: {namespace}")
        indexes = [
            {"v": 2, "key": dict(index.fields), "name": index.name} | ({"unique": True} if index.unique else {})
            for index in database[command["listIndexes"]].indexes
        ]
        return self.first(indexes, namespace, command)

    # Reading

    def run_find(self, database, namespace, command):
        found = self.collection(database, command["find"]).find(
            command.get("filter", {}),
            list(command.get("sort", {}).items()),
            command.get("skip", 0),
            abs(command.get("limit", 0)),
        )
        return self.first([project(document, command.get("projection")) for document in found], namespace, command)

    def run_count(self, database, namespace, command):
        return {"n": len(self.collection(database, command["count"]).find(command.get("query", {})))}

    def run_distinct(self, database, namespace, command):
        values = []
        for document in self.collection(database, command["distinct"]).find(command.get("query", {})):
            if command["key"] in document and document[command["key"]] not in values:
                values.append(document[command["key"]])
        return {"values": values}

    def run_aggregate(self, database, namespace, command):
        pipeline = list(command["pipeline"])
        target = pipeline.pop()["$merge"] if pipeline and "$merge" in pipeline[-1] else None
        documents = self.collection(database, command["aggregate"])
        # The first match goes by an index; the rest is mongomock's.
        first = pipeline.pop(0)["$match"] if pipeline and "$match" in pipeline[0] else {}
        found = process_pipeline([copied(each) for each in documents.find(first)], None, pipeline, None)
        if target is None:
            return self.first(list(found), namespace, command)
        into = self.collection(database, target if isinstance(target, str) else target["into"], create=True)
        for document in found:
            into.insert(document)
        return self.first([], namespace, command)

    def first(self, documents, namespace, command):
        size = command.get("cursor", {}).get("batchSize", command.get("batchSize", 101))
        batch, rest = self.cut(documents, size)
        number = 0
        if rest and not command.get("singleBatch"):
            self.last_cursor += 1
            number = self.last_cursor
            self.cursors[number] = rest
        return {"cursor": {"firstBatch": batch, "id": Int64(number), "ns": namespace}}

    @staticmethod
    def cut(documents, size):
        """As many as are asked for and fit into one reply."""
        room = BATCH_BYTES
        for at, document in enumerate(documents):
            room -= sum(len(value) for value in document.values() if isinstance(value, bytes)) + 200
            if at == size or (room < 0 and at > 0):
                return documents[:at], documents[at:]
        return documents, []

    def run_getMore(self, database, namespace, command):
        number = command["getMore"]
        if number not in self.cursors:
            raise Refusal(43, "CursorNotFound", f"cursor id {number} not found")
        batch, rest = self.cut(self.cursors.pop(number), command.get("batchSize") or 1 << 30)
        if rest:
            self.cursors[number] = rest
        name = namespace.split(".")[0] + "." + command["collection"]
        return {"cursor": {"nextBatch": batch, "id": Int64(number if rest else 0), "ns": name}}

    def run_killCursors(self, database, namespace, command):
        killed = [number for number in command["cursors"] if self.cursors.pop(number, None) is not None]
        lost = [number for number in command["cursors"] if number not in killed]
        return {"cursorsKilled": killed, "cursorsNotFound": lost, "cursorsAlive": [], "cursorsUnknown": []}

    # Writing

    def each(self, statements, is_ordered, operation):
        """Runs statements one after another; an error ends an ordered write, and stands in the answer either way."""
        total, errors = 0, []
        for at, statement in enumerate(statements):
            try:
                total += operation(at, statement)
            except Refusal as refusal:
                errors.append({"index": at, "code": refusal.code, "errmsg": str(refusal)})
                if is_ordered:
                    break
        return {"n": total} | ({"writeErrors": errors} if errors else {})

    def run_insert(self, database, namespace, command):
        collection = self.collection(database, command["insert"], create=True)

        def insert(at, document):
            if self.room is not None:
                size = len(bson.encode(document))
                if size > self.room:
                    raise Refusal(14031, "OutOfDiskSpace", "no space left on device")
                self.room -= size
            collection.insert(document)
            return 1

        return self.each(command["documents"], command.get("ordered", True), insert)

    def run_delete(self, database, namespace, command):
        collection = self.collection(database, command["delete"])

        def delete(at, statement):
            found = collection.find(statement["q"], limit=statement["limit"])
            for document in found:
                if self.room is not None:
                    self.room += len(bson.encode(document))
                collection.remove(document)
            return len(found)

        return self.each(command["deletes"], command.get("ordered", True), delete)

    def run_update(self, database, namespace, command):
        collection = self.collection(database, command["update"], create=True)
        upserted, modified = [], 0

        def update(at, statement):
            nonlocal modified
            found = collection.find(statement["q"], limit=0 if statement.get("multi") else 1)
            for document in found:
                new = changed(document, statement["u"])
                modified += new != document
                collection.replace(document, new)
            if found or not statement.get("upsert"):
                return len(found)
            new = self.fresh(statement["q"], statement["u"])
            collection.insert(new)
            upserted.append({"index": at, "_id": new["_id"]})
            return 1

        result = self.each(command["updates"], command.get("ordered", True), update) | {"nModified": modified}
        return result | ({"upserted": upserted} if upserted else {})

    def run_findAndModify(self, database, namespace, command):
        collection = self.collection(database, command["findAndModify"], create=True)
        found = collection.find(command.get("query", {}), list(command.get("sort", {}).items()), limit=1)
        old = found[0] if found else None
        if command.get("remove"):
            if old:
                collection.remove(old)
            return {"value": old, "lastErrorObject": {"n": len(found)}}
        if old:
            new = changed(old, command["update"])
            collection.replace(old, new)
        elif command.get("upsert"):
            new = self.fresh(command.get("query", {}), command["update"])
            collection.insert(new)
        else:
            return {"value": None, "lastErrorObject": {"n": 0, "updatedExisting": False}}
        shown = new if command.get("new") else old
        return {"value": shown, "lastErrorObject": {"n": 1, "updatedExisting": old is not None}}

    @staticmethod
    def fresh(conditions, update):
        equal = {name: value for name, value in conditions.items() if not isinstance(value, dict) and "." not in name}
        return changed({"_id": bson.ObjectId(), **equal}, update, is_insert=True)
