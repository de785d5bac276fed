"""A task that calls a web address. On a cluster a connector makes the call, without a container; here this process."""

from __future__ import annotations

import datetime
import http.client
import json
import urllib.parse
from typing import Any

from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_task import PythonTask
from flyte_kit.core.documentation import Documentation
from flyte_kit.core.interface import Interface
from flyte_kit.exceptions.user import FlyteValueException
from flyte_kit.extras.tasks.shell import interpolate

_METHODS = {"GET", "POST"}


class WebhookTask(PythonTask[Any]):
    """A call; its output ``info`` has ``status_code`` and ``response_data``.

    ``{inputs.x}`` stands for an input in the address, the headers and the data.

    :param data: body of a POST as JSON, query of a GET
    :param dynamic_inputs: type of each input
    :param show_data: whether ``info`` has the data too; likewise ``show_url``
    :param timeout: of the call; a number means seconds
    :raises ValueError: if the method is neither GET nor POST
    """

    TASK_TYPE = "webhook"

    def __init__(  # noqa: PLR0913 - the arguments of flytekit's class
        self,
        name: str,
        url: str,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        data: dict[str, Any] | None = None,
        dynamic_inputs: dict[str, Any] | None = None,
        show_data: bool = False,
        show_url: bool = False,
        description: str | None = None,
        timeout: int | datetime.timedelta = datetime.timedelta(seconds=10),
    ) -> None:
        if method not in _METHODS:
            raise ValueError(f"Method should be either GET or POST. Got {method}")
        super().__init__(
            self.TASK_TYPE,
            name,
            interface=Interface(inputs=dynamic_inputs or {}, outputs={"info": dict}),
            docs=Documentation(short_description=description) if description else None,
        )
        seconds = timeout.total_seconds() if isinstance(timeout, datetime.timedelta) else timeout
        self._call: dict[str, Any] = {
            "url": url,
            "method": method,
            "headers": headers or {},
            "data": data or {},
            "show_data": show_data,
            "show_url": show_url,
            "timeout_sec": seconds,
        }

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        """Return the call."""
        return dict(self._call)

    def execute(self, **kwargs: Any) -> dict[str, Any]:
        """Make the call.

        :raises FlyteValueException: if the answer has another status than 200
        """
        call = _filled(self._call, kwargs)
        status, text = _answer(call)
        if status != http.client.OK:
            raise FlyteValueException(status, f"Webhook failed with status code {status}, response: {text[:500]}")
        info: dict[str, Any] = {"status_code": status, "response_data": text}
        if call["show_data"]:
            info["input_data"] = call["data"]
        if call["show_url"]:
            info["url"] = call["url"]
        return info


def _filled(value: Any, inputs: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return interpolate(value, inputs, {})
    if isinstance(value, dict):
        return {key: _filled(each, inputs) for key, each in value.items()}
    return [_filled(each, inputs) for each in value] if isinstance(value, list) else value


def _answer(call: dict[str, Any]) -> tuple[int, str]:
    url = urllib.parse.urlsplit(call["url"])
    if url.scheme not in {"http", "https"} or not url.netloc:
        raise FlyteValueException(call["url"], "A webhook needs an address that begins with http:// or https://")
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.netloc, timeout=call["timeout_sec"])
    headers, query, body = dict(call["headers"]), url.query, None
    if call["method"] == "POST":
        body = json.dumps(call["data"])
        headers.setdefault("Content-Type", "application/json")
    elif call["data"]:
        query = "&".join(part for part in (query, urllib.parse.urlencode(call["data"])) if part)
    try:
        connection.request(call["method"], (url.path or "/") + (f"?{query}" if query else ""), body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()
