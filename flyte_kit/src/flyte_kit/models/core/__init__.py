"""Messages of ``flyteidl.core``, under flytekit's module names."""
