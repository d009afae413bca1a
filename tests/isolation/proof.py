"""Ends with success only where loopback works and no other address can be reached.

The other addresses are of the ranges that are reserved for documentation: nobody has them. They must be refused
at once, by a missing route or by the preloaded library. A time-out would mean that something was sent.
"""

import errno
import socket
import sys
import time

AT_ONCE = 1.0
REFUSALS = {errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
OUTSIDE = [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")]


def loopback_answers():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with socket.create_connection(server.getsockname()[:2], timeout=AT_ONCE) as client:
            served, _ = server.accept()
            with served:
                client.sendall(b"x")
                return served.recv(1) == b"x"


def connects(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(AT_ONCE)
        sock.connect((address, 9))


def sends(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", (address, 9))


def sends_message(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.sendmsg([b"x"], [], 0, (address, 9))


def is_refused(attempt, family, address):
    start = time.monotonic()
    try:
        attempt(family, address)
    except OSError as error:
        return error.errno in REFUSALS and time.monotonic() - start < AT_ONCE
    return False


def main():
    try:
        reached = loopback_answers()
    except OSError as error:
        sys.exit(f"isolation: 127.0.0.1 cannot be reached: {error.strerror}")
    if not reached:
        sys.exit("isolation: 127.0.0.1 gives back something else")
    for family, address in OUTSIDE:
        for attempt in (connects, sends, sends_message):
            if not is_refused(attempt, family, address):
                sys.exit(f"isolation: {address} was not refused at once ({attempt.__name__})")
    print("127.0.0.1 is reached, 192.0.2.1 and 2001:db8::1 are refused at once.")


main()
