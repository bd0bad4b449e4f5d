"""Sends complete submissions as fast as they are answered: ``python -m tests.bench.load PORT SECONDS CLIENTS KIND …``.

A process of its own, without Django, in plain sockets, so that measuring takes as little as can be from what is
measured. Each submission is a visitor: a new connection, GET of the form, POST of the answers, closed. Prints JSON:
how many were stored, how many failed, how long it took, and the processor time it used itself.
"""

import json
import random
import selectors
import socket
import sys
import time
from urllib.parse import urlencode

POOL = 500  # different bodies
CHOICES = "abcd"
WORDS = (
    "When something happens I want somebody who knows me to come, not somebody who does not. "
    "We have one counselor for three hundred students."
)


class Plan:
    """What is sent to one kind of site, and where in its answer stands what has to be sent back."""

    def __init__(self, path: str, host: str, token: str, question: str) -> None:
        self.get = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Language: en\r\n\r\n".encode()
        self.post_head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
        ).encode()
        self.token = f'name="{token}" value="'.encode()
        self.token_name = token.encode()
        chance = random.Random(7)
        self.bodies = []
        for _number in range(POOL):
            fields: list[tuple[str, str]] = [(question.format(number), chance.choice(CHOICES)) for number in range(8)]
            fields += [(question.format(8), choice) for choice in "abcdef" if chance.random() < 0.5]
            fields.append((question.format(9), WORDS))
            self.bodies.append(urlencode(fields).encode())


class Visitor:
    """One submission after another on one place in the queue."""

    def __init__(self, plan: Plan, address: tuple[str, int], selector: selectors.BaseSelector, seed: int) -> None:
        self.plan, self.address, self.selector = plan, address, selector
        self.chance = random.Random(seed)
        self.stored = self.failed = 0
        self.connection: socket.socket | None = None

    def arrive(self) -> None:
        self.connection = socket.create_connection(self.address)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.settimeout(30)
        self.got = b""
        self.is_sent = False
        self.connection.sendall(self.plan.get)
        self.selector.register(self.connection, selectors.EVENT_READ, self)

    def leave(self) -> None:
        if self.connection is not None:
            self.selector.unregister(self.connection)
            self.connection.close()
            self.connection = None

    def read(self) -> bool:
        """Take what has come. Return whether the submission is over."""
        assert self.connection is not None
        piece = self.connection.recv(262_144)
        self.got += piece
        head_end = self.got.find(b"\r\n\r\n")
        if self.is_sent:
            if head_end < 0 and piece:
                return False
            if self.got[9:12] in (b"302", b"303"):
                self.stored += 1
            else:
                self.failed += 1
            return True
        if head_end < 0:
            if not piece:
                self.failed += 1
            return not piece
        length = self.got.find(b"Content-Length: ", 0, head_end)
        whole = head_end + 4 + int(self.got[length + 16 : self.got.find(b"\r", length)]) if length > 0 else None
        if whole is None or len(self.got) < whole:
            if not piece:
                self.failed += 1
            return not piece
        self.send()
        return False

    def send(self) -> None:
        assert self.connection is not None
        plan = self.plan
        start = self.got.find(plan.token) + len(plan.token)
        token = self.got[start : self.got.find(b'"', start)]
        cookie = b""
        if (at := self.got.find(b"Set-Cookie: ")) > 0:
            cookie = b"Cookie: " + self.got[at + 12 : self.got.find(b";", at)] + b"\r\n"
        body = plan.token_name + b"=" + token + b"&" + self.chance.choice(plan.bodies)
        self.connection.sendall(plan.post_head + cookie + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.got = b""
        self.is_sent = True


def run(port: int, seconds: float, clients: int, path: str, token: str, question: str) -> dict[str, float]:
    selector = selectors.DefaultSelector()
    plan = Plan(path, f"127.0.0.1:{port}", token, question)
    visitors = [Visitor(plan, ("127.0.0.1", port), selector, seed) for seed in range(clients)]
    start, used = time.monotonic(), time.process_time()
    for visitor in visitors:
        visitor.arrive()
    while time.monotonic() - start < seconds:
        for key, _events in selector.select(timeout=1):
            visitor = key.data
            if visitor.read():
                visitor.leave()
                visitor.arrive()
    took = time.monotonic() - start
    for visitor in visitors:
        visitor.leave()
    return {
        "stored": sum(visitor.stored for visitor in visitors),
        "failed": sum(visitor.failed for visitor in visitors),
        "seconds": took,
        "used": time.process_time() - used,
    }


if __name__ == "__main__":
    port, seconds, clients, path, token, question = sys.argv[1:]
    print(json.dumps(run(int(port), float(seconds), int(clients), path, token, question)))
