"""Write trioredis/modules/api_names.py: the names behind the numbers that the flight recorder stores.

    gen_api_names.py [--check]

The numbers are those of tools/gen_host_api.py: the order of sandbox/api.json, from 1 on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import gen_host_api

ROOT: Final = Path(__file__).parent.parent
TARGET: Final = ROOT / "trioredis" / "modules" / "api_names.py"
COLUMNS: Final = 118

HEAD: Final = '''\
"""The functions of the module API in the order of their numbers. Generated from sandbox/api.json by
tools/gen_api_names.py; change those.
"""

from __future__ import annotations

from typing import Final

_TEXT: Final = """
'''

TAIL: Final = '''\
"""

NAMES: Final = tuple(_TEXT.split())
"""``NAMES[n - 1]`` is the function with the number n in the flight recorder."""
'''


def page() -> str:
    """Return the file."""
    api = json.loads((ROOT / "sandbox" / "api.json").read_text(encoding="utf-8"))
    lines = [""]
    for function in gen_host_api.functions(api):
        name = function["name"]
        if len(lines[-1]) + 1 + len(name) > COLUMNS:
            lines.append("")
        lines[-1] += f" {name}" if lines[-1] else name
    return HEAD + "".join(f"{line}\n" for line in lines) + TAIL


def main() -> int:
    """Write the file, or with --check return 1 when it is not what it should be."""
    if sys.argv[1:] == ["--check"]:
        return int(TARGET.read_text(encoding="utf-8") != page())
    TARGET.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
