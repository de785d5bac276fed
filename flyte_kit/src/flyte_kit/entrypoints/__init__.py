"""What runs in a container: the console scripts ``pyflyte-execute``, ``pyflyte-fast-execute``, ``pyflyte-map-execute``.

The names and arguments are flytekit's, because registered tasks hold them; ``flyte-execute`` and the like are the same.
"""
