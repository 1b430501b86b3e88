"""Floods the LAN of `eth0` with UPnP devices that nobody has: python3 usn-flood.py COUNT PER_SECOND. Each has a USN of its own; they come from 200 addresses
(10.77.0.40 and on), each with a hardware address of its own."""

import sys
import time

from frames import send_ssdp

count, per_second = int(sys.argv[1]), int(sys.argv[2])
senders = 200
begun = time.monotonic()
for n in range(count):
    address = f"10.77.0.{40 + n % senders}"
    send_ssdp(
        address,
        f"3c2af46666{n % senders:02x}",
        "NOTIFY * HTTP/1.1",
        "HOST: 239.255.255.250:1900",
        "CACHE-CONTROL: max-age=1800",
        f"LOCATION: http://{address}:9/{n}.xml",
        "NT: upnp:rootdevice",
        "NTS: ssdp:alive",
        "SERVER: Flood/1.0 UPnP/1.1 Flood/1.0",
        f"USN: uuid:f100d000-0000-4000-8000-{n:012x}::upnp:rootdevice",
    )
    ahead = begun + n / per_second - time.monotonic()
    if ahead > 0.002:
        time.sleep(ahead)
print(f"sent {count} in {time.monotonic() - begun:.1f} s", flush=True)
