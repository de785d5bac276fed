# The door for a fresh clone: `make demo` and `make test` create what they need. All checks live in noxfile.py.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
READY := $(VENV)/.ready
PROJECTS := $(wildcard */pyproject.toml plugin_packages/*/pyproject.toml)

.PHONY: demo test bench environment

demo: environment
	$(VENV)/bin/nox -s demo

test: environment
	$(VENV)/bin/nox

bench: environment
	$(VENV)/bin/nox -s bench

environment: $(READY)

$(READY): constraints.txt requirements-dev.txt $(PROJECTS)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or say where it is: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python -c constraints.txt -r requirements-dev.txt
	@touch $(READY)
