"""Import the planes before pytest names test modules after their folders.

In importlib mode the file ``flyte_core/tests/test_x.py`` becomes the module ``flyte_core.tests.test_x``; unless the
installed ``flyte_core`` is known by then, pytest makes an empty package of that name from the folder.
"""

import flyte_admin  # noqa: F401
import flyte_cli  # noqa: F401
import flyte_core  # noqa: F401
import flyte_kit  # noqa: F401
import flyte_propeller  # noqa: F401
