"""`python -m app.cli` is `stagerail`."""

import sys

from app.cli import main

sys.exit(main())
