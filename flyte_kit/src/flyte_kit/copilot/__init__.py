"""``flyte-copilot``: gives a command its inputs as files, and takes its outputs from files.

It is for images that know nothing of Flyte (``ContainerTask``), and takes the options of upstream's program.
In a cluster it runs twice: ``download`` in an init container, ``sidecar`` beside the command, which shares two volumes
with them. ``run`` is for a machine without containers: it does all three, with the command as a process of its own.
"""
