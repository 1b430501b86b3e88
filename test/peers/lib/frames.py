"""Multicast datagrams of IPv4 as frames on `eth0`, written by hand: whoever sends them can call itself whatever it likes."""

import socket
import struct

wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("eth0", 0))


def checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def send(address, mac, group, port, ttl, payload):
    to = socket.inet_aton(group)
    ethernet = b"\x01\x00\x5e" + bytes([to[1] & 0x7F, to[2], to[3]]) + bytes.fromhex(mac.replace(":", "")) + b"\x08\x00"
    udp = struct.pack("!HHHH", port, port, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, ttl, 17, 0, socket.inet_aton(address), to)
    wire.send(ethernet + ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + udp)


def send_ssdp(address, mac, *lines):
    send(address, mac, "239.255.255.250", 1900, 4, "\r\n".join([*lines, "", ""]).encode())
