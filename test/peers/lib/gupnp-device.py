"""A root device of libgupnp (GUPnP 1.6), which otherwise only comes with a window: gupnp-device.py DESCRIPTION. SIGTERM takes it off the LAN."""

import ctypes
import os
import signal
import sys

gupnp = ctypes.CDLL("libgupnp-1.6.so.0")
glib = ctypes.CDLL("libglib-2.0.so.0")
pointer = ctypes.c_void_p

gupnp.gupnp_context_new.restype = pointer
gupnp.gupnp_context_new.argtypes = [ctypes.c_char_p, ctypes.c_uint, pointer]
gupnp.gupnp_root_device_new.restype = pointer
gupnp.gupnp_root_device_new.argtypes = [pointer, ctypes.c_char_p, ctypes.c_char_p, pointer]
gupnp.gupnp_root_device_set_available.argtypes = [pointer, ctypes.c_int]
glib.g_main_loop_new.restype = pointer
glib.g_main_loop_new.argtypes = [pointer, ctypes.c_int]
glib.g_main_loop_run.argtypes = [pointer]
glib.g_main_loop_quit.argtypes = [pointer]
glib.g_timeout_add.argtypes = [ctypes.c_uint, pointer, pointer]

folder, name = os.path.split(os.path.abspath(sys.argv[1]))
context = gupnp.gupnp_context_new(b"eth0", 0, None)
device = gupnp.gupnp_root_device_new(context, name.encode(), folder.encode(), None)
if not device:
    sys.exit("libgupnp does not take the description")
loop = glib.g_main_loop_new(None, 0)
leaving = False
signal.signal(signal.SIGTERM, lambda *_: globals().update(leaving=True))


# Python hears its signals only while it runs.
@ctypes.CFUNCTYPE(ctypes.c_int, pointer)
def look(_):
    if not leaving:
        return 1
    gupnp.gupnp_root_device_set_available(device, 0)
    # Its farewells go out one each 120 ms.
    glib.g_timeout_add(1500, leave, None)
    return 0


@ctypes.CFUNCTYPE(ctypes.c_int, pointer)
def leave(_):
    glib.g_main_loop_quit(loop)
    return 0


glib.g_timeout_add(50, look, None)
gupnp.gupnp_root_device_set_available(device, 1)
print("available", flush=True)
glib.g_main_loop_run(loop)
