"""The vectors for the C unit are right and up to date.

Method: the slow implementation against the interpreter's hash of bytes, which is SipHash-1-3 with a key of zeros
under PYTHONHASHSEED=0; then the committed header against what would be written now.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.base.siphash_vectors import HEADER, LENGTHS, header, message, siphash13

ASK = "import sys; [print(hash(bytes.fromhex(line.strip())) % 2**64) for line in sys.stdin]"


@pytest.mark.skipif(sys.hash_info.algorithm != "siphash13", reason="this Python hashes with another function")
def test_slow_implementation_agrees_with_the_interpreter() -> None:
    messages = [message(length) for length in LENGTHS if length]  # Python's hash of nothing is 0
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        input="\n".join(item.hex() for item in messages),
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [int(line) for line in done.stdout.split()] == [siphash13(item, bytes(16)) for item in messages]


def test_header_is_up_to_date() -> None:
    assert HEADER.read_text("ascii") == header()
