"""From accepted executions to FlyteWorkflows: the relay of the outbox that submission and termination write."""

from flyte_admin.dispatch.relay import Dispatcher

__all__ = ["Dispatcher"]
