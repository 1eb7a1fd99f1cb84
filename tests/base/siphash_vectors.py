"""SipHash-1-3 written a second time, slowly, and the C header of test vectors made from it.

The header is ``tests/csrc/siphash_vectors.h``; ``python -m tests.base.siphash_vectors`` writes it anew. That this
second implementation is right is shown against the interpreter's own hash (see the test).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

HEADER: Final = Path(__file__).parent.parent / "csrc" / "siphash_vectors.h"
KEY: Final = bytes(range(16))
LENGTHS: Final = range(64)
WORD: Final = 2**64
ROTATIONS: Final = ((0, 1, 13, 32), (2, 3, 16, 0), (0, 3, 21, 0), (2, 1, 17, 32))


def message(length: int) -> bytes:
    """Return the test message of that length: bytes of all kinds, letters of both cases among them."""
    return bytes((at * 37 + 65) % 256 for at in range(length))


def rotate(value: int, by: int) -> int:
    """Rotate a 64-bit value to the left."""
    return (value << by | value >> (64 - by)) % WORD


def mix(state: list[int]) -> None:
    """Do one round: add, rotate, xor, and sometimes turn the sum by half, four times."""
    for target, other, by, half in ROTATIONS:
        state[target] = (state[target] + state[other]) % WORD
        state[other] = rotate(state[other], by) ^ state[target]
        state[target] = rotate(state[target], half)


def siphash13(data: bytes, key: bytes) -> int:
    """Return the hash of ``data`` under a 16-byte key."""
    keys = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    constant = b"somepseudorandomlygeneratedbytes"
    state = [keys[at % 2] ^ int.from_bytes(constant[at * 8 : at * 8 + 8], "big") for at in range(4)]
    full = len(data) // 8 * 8
    padded = data + bytes(full + 7 - len(data)) + bytes([len(data) % 256])
    for at in range(0, full + 8, 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        state[3] ^= word
        mix(state)
        state[0] ^= word
    state[2] ^= 0xFF
    for _ in range(3):
        mix(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def header() -> str:
    """Return the text of the header."""
    rows = [f"    0x{siphash13(message(length), KEY):016x}u," for length in LENGTHS]
    return "\n".join(
        [
            "/* Written by tests/base/siphash_vectors.py: SipHash-1-3 of messages of 0, 1, 2, ... bytes, byte i being",
            " * (i * 37 + 65) % 256, under the key 00 01 .. 0f. */",
            "static const uint64_t siphash_vectors[] = {",
            *rows,
            "};",
            "",
        ]
    )


def main() -> int:
    """Write the header."""
    HEADER.write_text(header(), "ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
