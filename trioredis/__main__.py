"""``python -m trioredis`` is ``trioredis-server``."""

from __future__ import annotations

import sys

from trioredis.cli import main

if __name__ == "__main__":
    sys.exit(main())
