"""Write the C source of the extension that binds the engine.

Usage: gen_native.py MODULE DECLARATIONS.cdef OUT.c

The declarations are cffi's (API mode): the C compiler checks each against the header it repeats.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cffi import FFI


def main(module: str, declarations: str, out: str) -> None:
    """Generate ``out`` for the extension ``module``."""
    ffi = FFI()
    ffi.cdef(Path(declarations).read_text())
    ffi.set_source(module, '#include "engine/api.h"\n')
    ffi.emit_c_code(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
