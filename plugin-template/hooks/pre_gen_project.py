"""Refuses names that could not be a task type, a distribution and a module at once."""

import re
import sys

NAME = "{{ cookiecutter.name }}"

if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", NAME):
    sys.exit(f"{NAME!r} is no name for a task type: lower-case letters, digits, and single - or _ between them")
