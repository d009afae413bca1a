"""Brings loopback up in a fresh network namespace, then becomes the given command.

    unshare --net python3 tests/isolation/loopback.py -- COMMAND...
    unshare --map-root-user --net python3 tests/isolation/loopback.py -- COMMAND...

A fresh namespace has nothing but a loopback interface that is down. Two ioctl calls bring it up,
so that nothing needs to be installed for it.
"""

import fcntl
import os
import socket
import struct
import sys

SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
# struct ifreq: the name, then a union of 24 bytes, of which the flags are the first two.
IFREQ = "16sh22x"


def other_interfaces():
    return [name for _, name in socket.if_nameindex() if name != "lo" and is_up(name)]


def flags(sock, name):
    answer = fcntl.ioctl(sock, SIOCGIFFLAGS, struct.pack(IFREQ, name.encode(), 0))
    return struct.unpack(IFREQ, answer)[1]


def is_up(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return flags(sock, name) & IFF_UP != 0


def bring_up(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        wanted = flags(sock, name) | IFF_UP
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack(IFREQ, name.encode(), wanted))


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "--":
        sys.exit("usage: unshare --net python3 loopback.py -- COMMAND...")
    others = other_interfaces()
    if others:
        sys.exit(f"loopback.py: this is no fresh network namespace: {', '.join(others)} is up")
    bring_up("lo")
    command = sys.argv[2:]
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"loopback.py: {command[0]}: {error.strerror}")


main()
