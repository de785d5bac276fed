"""Import the planes before pytest names test modules after their folders.

In importlib mode the file ``flyte_core/tests/test_x.py`` becomes the module ``flyte_core.tests.test_x``; unless the
installed ``flyte_core`` is known by then, pytest makes an empty package of that name from the folder.
"""

import signal

import flyte_admin  # noqa: F401
import flyte_cli  # noqa: F401
import flyte_core  # noqa: F401
import flyte_kit  # noqa: F401
import flyte_propeller  # noqa: F401

# A shell that starts the tests in the background makes them, and all that they start, ignore what Ctrl-C sends.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
