"""`python -m benchmarks [NAME …]`."""

import sys

from benchmarks.measures import main

sys.exit(main(sys.argv[1:]))
