"""Tasks that wait for something outside."""

from flyte_kit.sensor.base_sensor import BaseSensor, SensorConfig
from flyte_kit.sensor.file_sensor import FileSensor

__all__ = ["BaseSensor", "FileSensor", "SensorConfig"]
