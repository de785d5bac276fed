"""A workflow whose graph cannot be put together."""

from __future__ import annotations

import pytest

from flyte_kit import task, workflow


@task
def double(n: int) -> int:
    return 2 * n


def test_a_workflow_that_does_not_compile_says_so_every_time_it_is_asked() -> None:
    @workflow
    def incomplete() -> int:
        return double()

    for _ in range(2):
        with pytest.raises(AssertionError, match="was not specified"):
            incomplete.compile()
