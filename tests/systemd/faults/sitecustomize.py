"""On the daemon's PYTHONPATH: stops or ends its threads by name, as asked by datagrams such as `stop libp2p`.

A stopped thread sleeps for ever inside a signal handler written in C, where it holds no lock of the interpreter: the
sender holds it. So the other threads go on, as they would beside a thread that hangs in the kernel.
"""

import ctypes
import os
import pathlib
import signal
import socket
import threading

DOOR = pathlib.Path(os.environ.get("RUNTIME_DIRECTORY", "/nonexistent"), "faults")


def identity(name: str) -> int:
    return next(thread.ident or 0 for thread in threading.enumerate() if thread.name == name)


def listen() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(DOOR))
        while True:
            what, _, name = door.recv(100).decode().partition(" ")
            if what == "stop":
                signal.pthread_kill(identity(name), signal.SIGUSR2)
            elif what == "end":
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(identity(name)), ctypes.py_object(SystemExit))


if DOOR.parent.is_dir() and not DOOR.exists():
    libc = ctypes.CDLL(None)
    libc.signal(signal.SIGUSR2, ctypes.cast(libc.pause, ctypes.c_void_p))
    threading.Thread(target=listen, name="faults", daemon=True).start()
