"""The verbs of a storage that carry no bytes, for asyncio: what is known, deleted, copied, moved and changed."""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, Union

from .. import _calls
from .._calls import KEEP, Tag
from ..errors import NotFound
from ..model import Container, Deletion, Link, Object, Page, PrefixDeletion, StorageInfo
from ._channel import Channel


class Verbs:
    """What `Storage` inherits; each verb is one request."""

    name: str
    """The storage's name."""
    _channel: Channel

    async def stat(
        self,
        key: str,
        *,
        version: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
    ) -> Object:
        """What is known of an object."""
        return await self._channel.run(_calls.stat(self.name, key, version, if_match, if_none_match))

    async def exists(self, key: str) -> bool:
        """Whether there is an object under `key`; any failure but absence is raised."""
        try:
            await self.stat(key)
        except NotFound as error:
            if error.key is None:
                # It is the storage that is not there.
                raise
            return False
        return True

    async def page(
        self,
        prefix: str = "",
        *,
        delimiter: str = "",
        start_after: str = "",
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page:
        """A part of a listing; its `cursor` asks for the next one."""
        items = [
            ("prefix", prefix),
            ("delimiter", delimiter),
            ("start_after", start_after),
            ("cursor", cursor),
            ("limit", None if limit is None else str(limit)),
        ]
        return await self._channel.run(_calls.page(self.name, items))

    async def url(self, key: str) -> str:
        """The object's public URL."""
        return await self._channel.run(_calls.url(self.name, key))

    async def link(
        self,
        key: str,
        *,
        method: str = "GET",
        expires_in: int | None = None,
        content_type: str | None = None,
        size: int | None = None,
        filename: str | None = None,
    ) -> Link:
        """A signed URL that lets its holder read, write or delete this object until it expires.

        `expires_in` counts seconds; a PUT is bound to `content_type` and `size`, a GET is saved under `filename`.
        """
        document = {
            "key": key,
            "method": method,
            "expires_in": expires_in,
            "content_type": content_type,
            "size": size,
            "filename": filename,
        }
        return await self._channel.run(_calls.link(self.name, document))

    # Changing

    async def delete(self, key: str, *, version: str | None = None, if_match: Tag | None = None) -> None:
        """Deletes an object; that there is none is success, unless `if_match` names one."""
        await self._channel.run(_calls.delete(self.name, key, version, if_match))

    async def delete_many(self, keys: Iterable[Union[str, tuple[str, str]]]) -> List[Deletion]:
        """Deletes many objects, with one result for each, in order.

        A key may come with the `etag` that its object must have.
        """
        found: List[Deletion] = []
        rest = list(keys)
        while rest:
            # The host takes so many in one request.
            found += await self._channel.run(_calls.delete_many(self.name, rest[:10_000]))
            rest = rest[10_000:]
        return found

    async def delete_prefix(self, prefix: str, *, dry_run: bool = False, force: bool = False) -> PrefixDeletion:
        """Deletes what lies below `prefix`, by segments: `a/b` means `a/b/…`, never `a/bb`.

        The empty prefix is everything and needs `force`.
        """
        return await self._channel.run(_calls.delete_prefix(self.name, prefix, dry_run, force))

    async def copy(
        self,
        key: str,
        to: str,
        *,
        to_storage: str | None = None,
        on_conflict: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
        source_if_match: str | None = None,
    ) -> Object:
        """Copies an object, inside this storage or into another.

        `if_match` and `if_none_match` are about the target.
        """
        return await self._transfer("copy", key, to, to_storage, on_conflict, if_match, if_none_match, source_if_match)

    async def move(
        self,
        key: str,
        to: str,
        *,
        to_storage: str | None = None,
        on_conflict: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
        source_if_match: str | None = None,
    ) -> Object:
        """Moves an object, inside this storage or into another."""
        return await self._transfer("move", key, to, to_storage, on_conflict, if_match, if_none_match, source_if_match)

    async def duplicate(self, key: str, *, to_storage: str | None = None) -> Object:
        """Copies an object to a key that the host makes."""
        return await self._transfer("duplicate", key, None, to_storage)

    async def _transfer(
        self,
        verb: str,
        key: str,
        to: str | None,
        to_storage: str | None,
        on_conflict: str | None = None,
        if_match: Tag | None = None,
        if_none_match: Tag | None = None,
        source_if_match: str | None = None,
    ) -> Object:
        document = {
            "from": key,
            "to": to,
            "to_storage": to_storage,
            "on_conflict": on_conflict,
            "source_if_match": source_if_match,
        }
        return await self._channel.run(_calls.transfer(verb, self.name, document, if_match, if_none_match))

    async def change(
        self,
        key: str,
        *,
        if_match: Tag | None = None,
        content_type: str | None = KEEP,
        content_encoding: str | None = KEEP,
        content_disposition: str | None = KEEP,
        content_language: str | None = KEEP,
        cache_control: str | None = KEEP,
        metadata: Mapping[str, str | None] | None = None,
    ) -> Object:
        """Changes an object's metadata and leaves its bytes; None removes, what is not named stays."""
        content = {
            "content_type": content_type,
            "content_encoding": content_encoding,
            "content_disposition": content_disposition,
            "content_language": content_language,
            "cache_control": cache_control,
        }
        return await self._channel.run(_calls.change(self.name, key, if_match, metadata, content))

    async def info(self, *, probe: bool = False) -> StorageInfo:
        """What the storage can do, its limits and its state."""
        return await self._channel.run(_calls.storage_info(self.name, probe))

    async def health(self) -> Mapping[str, Any]:
        """Tests the connection to the store without writing."""
        return await self._channel.run(_calls.ask(f"{_calls.base(self.name)}/health"))

    async def containers(self) -> List[Container]:
        """What the storage's store calls buckets, containers or shares."""
        return await self._channel.run(_calls.containers(self.name))

    async def make_container(self, name: str) -> None:
        """Makes a container in the store."""
        await self._channel.run(_calls.container("PUT", self.name, name))

    async def remove_container(self, name: str) -> None:
        """Removes an empty container from the store."""
        await self._channel.run(_calls.container("DELETE", self.name, name))
