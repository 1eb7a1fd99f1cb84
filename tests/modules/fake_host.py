"""A host program that does what it is told on its command line; started by the tests, with nothing but the library.

fake_host.py '[["hello"], ["take"], ["send", "<hex>"], ...]' [options of the real one]
"""

import json
import os
import signal
import socket
import struct
import sys

MAGIC = 0x57525254


def packet(number: int, request_id: int, body: bytes) -> bytes:
    """Return header and body."""
    return struct.pack("<IHHQIIQ", MAGIC, 1, number, request_id, 0, len(body), 0) + body


def main() -> None:
    """Go through the steps, then wait for the end of the channel."""
    steps = json.loads(sys.argv[1])
    control = socket.socket(fileno=int(sys.argv[sys.argv.index("--control") + 1]))
    memory = int(sys.argv[sys.argv.index("--shm") + 1])
    for verb, *values in steps:
        if verb == "hello":
            pid = values[0] if values else os.getpid()
            control.send(packet(2, 1, struct.pack("<HHIII", 1, 1, 0, pid, 64)))
        elif verb == "take":
            control.recv(1 << 20)
        elif verb == "send":
            control.send(bytes.fromhex(values[0]) * (values[1] if len(values) > 1 else 1))
        elif verb == "flood":
            for _ in range(values[1]):
                control.send(bytes.fromhex(values[0]))
        elif verb == "write":
            os.write(values[0], values[1].encode())
        elif verb == "memory":
            os.pwrite(memory, bytes.fromhex(values[1]), values[0])
        elif verb == "close":
            control.close()
        elif verb == "wait":
            signal.pause()
        elif verb == "exit":
            os._exit(values[0])
        elif verb == "kill":
            os.kill(os.getpid(), values[0])
        elif verb == "once":  # goes on with the rest in the first process only
            try:
                os.close(os.open(values[0], os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                break
    while control.recv(1 << 20):
        pass


if __name__ == "__main__":
    main()
