"""Floods the LAN of `eth0`: python3 flood.py SENDERS EACH. From 10.77.0.100 on, each sender announces EACH services by mDNS and as many UPnP devices."""

import socket
import struct
import subprocess
import sys
import time

senders, each = int(sys.argv[1]), int(sys.argv[2])
addresses = [f"10.77.0.{100 + n}" for n in range(senders)]
for address in addresses:
    subprocess.run(["ip", "addr", "add", f"{address}/24", "dev", "eth0"], check=True)


def sender(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    sock.bind((address, port))
    return sock


def name(*labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(owner, kind, ttl, data):
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def service(instance):
    kind = (b"_ipp", b"_tcp", b"local")
    full = name(instance, *kind)
    target = name(instance, b"local")
    return struct.pack("!HHHHHH", 0, 0x8400, 0, 3, 0, 0) + b"".join(
        [
            record(name(*kind), 12, 4500, full),
            record(full, 33, 120, struct.pack("!HHH", 0, 0, 631) + target),
            record(full, 16, 4500, b"\x08ty=Flood"),
        ]
    )


def device(address, uuid):
    return "\r\n".join(
        [
            "NOTIFY * HTTP/1.1",
            "HOST: 239.255.255.250:1900",
            "CACHE-CONTROL: max-age=1800",
            f"LOCATION: http://{address}:9/{uuid}.xml",
            "NT: upnp:rootdevice",
            "NTS: ssdp:alive",
            "SERVER: Flood/1.0 UPnP/1.1 Flood/1.0",
            f"USN: uuid:{uuid}::upnp:rootdevice",
            "",
            "",
        ]
    ).encode()


def send(sock, payload, to):
    while True:
        try:
            sock.sendto(payload, to)
            return
        except (BlockingIOError, OSError):
            time.sleep(0.001)


mdns = [sender(address, 5353) for address in addresses]
ssdp = [sender(address, 1900) for address in addresses]
for n in range(each):
    for at, address in enumerate(addresses):
        send(mdns[at], service(f"flood {at} {n}".encode()), ("224.0.0.251", 5353))
        send(ssdp[at], device(address, f"00000000-0000-4000-8000-{at:04x}{n:08x}"), ("239.255.255.250", 1900))
print(f"sent {2 * each * senders}", flush=True)
