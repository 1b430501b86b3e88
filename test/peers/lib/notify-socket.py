"""Listens as systemd does on a notify socket, and prints each message on a line: its assignments with spaces between,
and "gone" where the sender had already ended, so that systemd could not have told which unit it belongs to."""

import array
import os
import socket
import struct
import sys
import time

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
print("listening", flush=True)

while True:
    message, ancillary, _, _ = listener.recvmsg(4096, 1024)
    # As busy as a manager is at boot.
    time.sleep(0.05)
    sender = "?"
    for level, kind, data in ancillary:
        if kind == socket.SCM_CREDENTIALS:
            sender = struct.unpack("3i", data[:12])[0]
        if kind == socket.SCM_RIGHTS:
            # A barrier: closing what came with it lets the sender go on.
            for handle in array.array("i", data[: len(data) // 4 * 4]):
                os.close(handle)
    text = message.decode().strip().replace("\n", " ")
    print(text if os.path.exists(f"/proc/{sender}") else f"{text} gone", flush=True)
