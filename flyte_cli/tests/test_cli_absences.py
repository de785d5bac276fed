"""Following something while its server is away for a moment."""

from __future__ import annotations

import sys

import grpc
import pytest

from flyte_cli.client.patience import Patience
from flyte_up import free_ports, start_up


class Refusal(grpc.RpcError):
    """What a call raises."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code.name)
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code


class Server:
    """A server with a clock: away for the calls that are named."""

    def __init__(self, *answers: grpc.StatusCode | str) -> None:
        self._answers = list(answers)
        self.seconds = 0.0

    def call(self) -> str:
        answer = self._answers.pop(0)
        if isinstance(answer, grpc.StatusCode):
            raise Refusal(answer)
        return answer

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


AWAY = grpc.StatusCode.UNAVAILABLE


def test_a_short_absence_is_waited_out(capsys) -> None:
    server = Server("first", AWAY, AWAY, "second")
    patience = Patience(60, sleep=server.sleep, clock=lambda: server.seconds)
    assert [patience.look(server.call), patience.look(server.call)] == ["first", "second"]
    assert server.seconds == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_long_absence_ends_it() -> None:
    server = Server("first", *[AWAY] * 100)
    patience = Patience(10, sleep=server.sleep, clock=lambda: server.seconds)
    patience.look(server.call)
    with pytest.raises(Refusal):
        patience.look(server.call)
    assert 10 < server.seconds < 13


def test_a_server_that_was_never_there_is_not_waited_for() -> None:
    server = Server(AWAY)
    patience = Patience(10, sleep=server.sleep, clock=lambda: server.seconds)
    with pytest.raises(Refusal):
        patience.look(server.call)
    assert server.seconds == 0


def test_a_refusal_is_no_absence() -> None:
    server = Server("first", grpc.StatusCode.NOT_FOUND)
    patience = Patience(10, sleep=server.sleep, clock=lambda: server.seconds)
    patience.look(server.call)
    with pytest.raises(Refusal):
        patience.look(server.call)
    assert server.seconds == 0


def test_logs_are_followed_over_a_restart_of_the_server(tmp_path, installed) -> None:
    ports = free_ports(3)
    server = start_up(tmp_path / "data", ports, sys.executable)
    up = installed(server)
    up.register("lasts", "echo before; sleep 5; echo after")
    up.launch("lasts", "lasts1")
    following = up.start("logs", "-f", "lasts1")
    assert following.stdout is not None
    seen = [following.stdout.readline() for _ in range(2)]
    server.kill()
    again = start_up(tmp_path / "data", ports, sys.executable)
    try:
        rest, said = following.communicate(timeout=60)
        assert following.returncode == 0, said
        assert "".join(seen) + rest == "==> n0 attempt 0 <==\nbefore\nafter\n"
    finally:
        again.stop()
