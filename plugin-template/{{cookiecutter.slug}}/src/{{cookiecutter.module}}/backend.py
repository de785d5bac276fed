"""The backend's client. This one keeps jobs in memory: replace it by calls of your backend's API."""

from __future__ import annotations


class Backend:
    """Starts, looks at and stops jobs."""

    def __init__(self) -> None:
        self._jobs: dict[str, str] = {}

    async def start(self, work: str, *, token: str) -> str:
        """Return the id of the job which this token started; the backend must know the token again."""
        self._jobs.setdefault(token, "running")
        return token

    async def state(self, job_id: str) -> str:
        """Return ``running``, ``done``, or ``gone`` when there is no such job."""
        return self._jobs.get(job_id, "gone")

    async def stop(self, job_id: str) -> None:
        """End the job; nothing happens if there is none."""
        self._jobs.pop(job_id, None)
