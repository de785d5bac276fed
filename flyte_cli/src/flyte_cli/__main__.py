"""`python -m flyte_cli` is `flyte`."""

from flyte_cli.main import main

main()
