"""Collections of documents in memory, with indexes that are kept in order and uniqueness that is enforced.

Whether a document matches a filter is mongomock's to say (`filter_applies`): this file finds the candidates by an index,
keeps the documents, and refuses duplicates. What it does not know it refuses; it never guesses.
"""

import bisect
import datetime

from bson import Binary, Int64, ObjectId
from mongomock.filtering import filter_applies

# The order of types in BSON comparisons.
RANKS = [
    (type(None), 1), (bool, 8), ((int, float), 2), (str, 3), (dict, 4), (list, 5), ((bytes, Binary), 6), (ObjectId, 7),
    (datetime.datetime, 9),
]
MISSING = object()


class Refusal(Exception):
    """The answer that a server gives instead of a result."""

    def __init__(self, code, name, message):
        super().__init__(message)
        self.code, self.name = code, name


def rank(value):
    for types, number in RANKS:
        if isinstance(value, types):
            return number
    raise Refusal(2, "BadValue", f"no order is known for a {type(value).__name__}")


def order(value):
    """A key that compares as the server compares: by type, then by value; strings by their bytes."""
    number = rank(value)
    if value is None:
        return (number,)
    if isinstance(value, str):
        return (number, value.encode("utf-8", "surrogatepass"))
    if isinstance(value, dict):
        return (number, tuple((name.encode(), order(inner)) for name, inner in value.items()))
    if isinstance(value, list):
        return (number, tuple(order(inner) for inner in value))
    if isinstance(value, ObjectId):
        return (number, value.binary)
    return (number, value)


def at_path(document, path):
    for part in path.split("."):
        if not isinstance(document, dict) or part not in document:
            return MISSING
        document = document[part]
    return document


def key_at(document, path):
    value = at_path(document, path)
    return order(None if value is MISSING else value)


class Index:
    """Keys of some fields in order, each with the identifier of its document."""

    def __init__(self, name, fields, unique):
        self.name, self.fields, self.unique = name, fields, unique
        self.entries = []

    def key(self, document):
        return tuple(key_at(document, field) for field, _ in self.fields)

    def add(self, document, identifier):
        bisect.insort(self.entries, (self.key(document), identifier))

    def remove(self, document, identifier):
        entry = (self.key(document), identifier)
        at = bisect.bisect_left(self.entries, entry)
        assert self.entries[at] == entry
        del self.entries[at]

    def holds(self, document, besides):
        key = self.key(document)
        at = bisect.bisect_left(self.entries, (key,))
        while at < len(self.entries) and self.entries[at][0] == key:
            if self.entries[at][1] != besides:
                return True
            at += 1
        return False

    def plan(self, conditions):
        """How many leading fields are held equal, and the slice of entries that can match."""
        low, high, equal = [], [], 0
        for field, _ in self.fields:
            condition = conditions.get(field, MISSING)
            if condition is MISSING:
                break
            if not isinstance(condition, dict) or not any(name.startswith("$") for name in condition):
                low.append(order(condition))
                high.append(order(condition))
                equal += 1
                continue
            starts = [order(condition[name]) for name in ("$gt", "$gte") if name in condition]
            ends = [order(condition[name]) for name in ("$lt", "$lte") if name in condition]
            low += [max(starts)] if starts else []
            high += [min(ends)] if ends else []
            break
        start = bisect.bisect_left(self.entries, (tuple(low),)) if low else 0
        # Behind every key that begins so: nothing ranks as high as 99.
        end = bisect.bisect_left(self.entries, (tuple(high) + ((99,),),)) if high else len(self.entries)
        return equal, start, max(start, end)


class Collection:
    def __init__(self):
        self.documents = {}
        self.indexes = [Index("_id_", [("_id", 1)], True)]

    def identifier(self, document):
        return order(document["_id"])

    # Writing

    def insert(self, document):
        if "_id" not in document:
            document = {"_id": ObjectId(), **document}
        identifier = self.identifier(document)
        for index in self.indexes:
            if index.unique and index.holds(document, None):
                raise Refusal(11000, "DuplicateKey", f"E11000 duplicate key error index: {index.name}")
        self.documents[identifier] = document
        for index in self.indexes:
            index.add(document, identifier)

    def remove(self, document):
        identifier = self.identifier(document)
        for index in self.indexes:
            index.remove(document, identifier)
        del self.documents[identifier]

    def replace(self, old, new):
        identifier = self.identifier(old)
        if self.identifier(new) != identifier:
            raise Refusal(66, "ImmutableField", "the field _id cannot be changed")
        for index in self.indexes:
            if index.unique and index.holds(new, identifier):
                raise Refusal(11000, "DuplicateKey", f"E11000 duplicate key error index: {index.name}")
        for index in self.indexes:
            index.remove(old, identifier)
            index.add(new, identifier)
        self.documents[identifier] = new

    def make_index(self, name, fields, unique):
        for index in self.indexes:
            if index.fields == fields:
                if index.unique != unique and fields != [("_id", 1)]:
                    raise Refusal(85, "IndexOptionsConflict", f"an index with other options exists: {index.name}")
                return
        index = Index(name, fields, unique)
        for identifier, document in self.documents.items():
            if unique and index.holds(document, None):
                raise Refusal(11000, "DuplicateKey", f"E11000 duplicate key error index: {name}")
            index.add(document, identifier)
        self.indexes.append(index)

    # Reading

    def find(self, conditions, sort=(), skip=0, limit=0):
        """The documents that match, as a list."""
        filter_applies(conditions, {})  # A filter that makes no sense is refused even where nothing is stored.
        index, equal, start, end = self.best(conditions)
        rest = [field for field in index.fields[equal:]]
        wanted = [(field, direction) for field, direction in sort if field not in [f for f, _ in index.fields[:equal]]]
        directions = {direction for _, direction in wanted}
        is_ordered = [f for f, _ in wanted] == [f for f, _ in rest[: len(wanted)]] and len(directions) <= 1
        places = range(start, end)
        if is_ordered and directions == {-1}:
            places = reversed(places)
        matches = (
            document
            for place in places
            if filter_applies(conditions, document := self.documents[index.entries[place][1]])
        )
        if is_ordered:
            found = []
            for document in matches:
                if limit and len(found) == skip + limit:
                    break
                found.append(document)
        else:
            found = list(matches)
            for field, direction in reversed(list(sort)):
                found.sort(key=lambda document: key_at(document, field), reverse=direction < 0)
        found = found[skip:]
        return found[:limit] if limit else found

    def best(self, conditions):
        plans = [(index, *index.plan(conditions)) for index in self.indexes]
        return min(plans, key=lambda plan: plan[3] - plan[2])


def project(document, projection):
    """The fields that are asked for, or all but those that are not."""
    if not projection:
        return document
    chosen = {name: bool(flag) for name, flag in projection.items()}
    with_id = chosen.pop("_id", True)
    if chosen and all(chosen.values()):
        result = {}
        for path in chosen:
            value = at_path(document, path)
            if value is MISSING:
                continue
            inner = result
            *parents, last = path.split(".")
            for part in parents:
                inner = inner.setdefault(part, {})
            inner[last] = value
        return ({"_id": document["_id"]} if with_id else {}) | result
    if any(chosen.values()) or any("." in name for name in chosen):
        raise Refusal(2, "BadValue", "this projection is not known here")
    return {name: value for name, value in document.items() if (name in chosen) is False and (name != "_id" or with_id)}


def changed(document, update, is_insert=False):
    """The document after an update; the one before stays as it is."""
    if not any(name.startswith("$") for name in update):
        return {"_id": document["_id"], **{name: value for name, value in update.items() if name != "_id"}}
    result = copied(document)
    for operator, fields in update.items():
        for path, value in fields.items():
            *parents, last = path.split(".")
            inner = result
            for part in parents:
                inner = inner.setdefault(part, {}) if operator != "$unset" else inner.get(part, {})
                if not isinstance(inner, dict):
                    raise Refusal(28, "PathNotViable", f"no field can be made at {path}")
            if operator == "$set" or (operator == "$setOnInsert" and is_insert):
                inner[last] = value
            elif operator == "$unset":
                inner.pop(last, None)
            elif operator == "$inc":
                inner[last] = Int64(inner.get(last, 0) + value)
            elif operator != "$setOnInsert":
                raise Refusal(9, "FailedToParse", f"unknown modifier: {operator}")
    return result


def copied(value):
    """A copy that shares only what never changes."""
    if isinstance(value, dict):
        return {name: copied(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, list) else value
