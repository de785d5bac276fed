"""Tasks that call a web address."""

from flyte_kit.extras.webhook.task import WebhookTask

__all__ = ["WebhookTask"]
