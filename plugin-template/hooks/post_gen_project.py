"""Takes away what the chosen shape does not need."""

from pathlib import Path

if "{{ cookiecutter.shape }}" != "remote-job":
    Path("src/{{ cookiecutter.module }}/backend.py").unlink()
