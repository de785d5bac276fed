"""Bodies on their way to the disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flyte_admin.object_store.payload import Payload
from flyte_core.builtin.drafts import Draft
from flyte_core.builtin.file_store import FileStore

T = TypeVar("T")


async def receive(store: FileStore, name: str, payload: Payload, publish: Callable[[Draft], T]) -> T:
    """Write a body to a draft, check it, and publish it; nothing is left of it if any of that fails.

    A body of one block costs one trip to a thread, everything included.

    :param publish: runs in that thread, once the body is known to be the right one
    :raises flyte_admin.object_store.refusals.Refusal: if it is not
    :raises flyte_core.builtin.file_tree.StoreFull: if there is no room
    """
    drafts: list[Draft] = []

    def take(block: bytes) -> Draft:
        with store.tree.translated(name):
            if not drafts:
                drafts.append(store.tree.new_draft())
            payload.update(block)
            drafts[0].write(block)
        return drafts[0]

    def finish(block: bytes) -> T:
        draft = take(block)
        payload.check()
        with store.tree.translated(name):
            return publish(draft)

    try:
        pending = None
        async for block in payload.blocks():
            if pending is not None:
                await store.run(take, pending)
            pending = block
        return await store.run(finish, pending or b"")
    finally:
        for draft in drafts:
            draft.discard()
