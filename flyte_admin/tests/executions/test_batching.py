"""Batches: shared under load, never at another's cost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from flyte_admin.executions.batching import Batcher


async def test_what_arrives_during_a_call_shares_the_next_one() -> None:
    calls: list[list[int]] = []
    busy = asyncio.Event()

    async def answer(items: Sequence[int]) -> list[int]:
        calls.append(list(items))
        await busy.wait()
        return [item * 2 for item in items]

    batcher = Batcher(answer)
    first = asyncio.create_task(batcher.put(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.create_task(batcher.put(n)) for n in (2, 3, 4)]
    await asyncio.sleep(0)
    busy.set()
    assert await asyncio.gather(first, *rest) == [2, 4, 6, 8]
    assert calls == [[1], [2, 3, 4]]


async def test_an_item_that_breaks_its_batch_fails_alone() -> None:
    async def answer(items: Sequence[int]) -> list[int]:
        if 13 in items:
            raise RuntimeError("unlucky")
        return list(items)

    batcher = Batcher(answer)
    answers = await asyncio.gather(*(batcher.put(n) for n in (12, 13, 14)), return_exceptions=True)
    assert answers[0] == 12
    assert isinstance(answers[1], RuntimeError)
    assert answers[2] == 14
    assert await batcher.put(15) == 15


async def test_a_caller_that_gives_up_holds_up_nobody() -> None:
    async def answer(items: Sequence[int]) -> list[int]:
        await asyncio.sleep(0.01)
        return list(items)

    batcher = Batcher(answer)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(batcher.put(1), 0.001)
    assert await batcher.put(2) == 2
