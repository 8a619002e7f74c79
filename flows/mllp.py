"""MLLP, the framing of HL7 v2 over TCP: 0x0b, message, 0x1c 0x0d; the answer the same way."""

from __future__ import annotations

import select
import socket
import ssl
import time

from cellcensus.errors import DeliveryError
from cellcensus.settings import DestinationSettings

START, END = b"\x0b", b"\x1c\x0d"
LONGEST_ANSWER = 65_536


class Line:
    """A connection to one receiver, kept for several messages.

    After any failure it must be closed: a late answer to one message would else be read as the
    answer to the next.
    """

    def __init__(self, destination: DestinationSettings) -> None:
        self.destination = destination
        self._socket: socket.socket | None = None

    def exchange(self, body: str, timeout_s: float) -> str:
        """Send one message and wait for the answer; at most ``timeout_s`` in all.

        Raises
        ------
        DeliveryError
            There is no connection, or no whole answer in time. Whether the receiver has the
            message is then unknown.
        """
        deadline = time.monotonic() + timeout_s
        try:
            line = self._open(deadline)
            line.settimeout(_left(deadline))
            line.sendall(START + body.encode("utf-8") + END)
            return _read_answer(line, deadline)
        except OSError as error:  # a timeout is one, and so are errors of TLS
            words = error.strerror or str(error) or type(error).__name__
            raise DeliveryError(words, unreachable=True) from error

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self, deadline: float) -> socket.socket:
        if self._socket is not None and _is_stale(self._socket):
            self.close()
        if self._socket is None:
            self._socket = _connect(self.destination, deadline)
        return self._socket


def _connect(destination: DestinationSettings, deadline: float) -> socket.socket:
    plain = socket.create_connection((destination.host, destination.port), _left(deadline))
    if not destination.tls:
        return plain
    try:
        trusted = ssl.create_default_context(cafile=destination.ca_file)
        if destination.client_file is not None:
            trusted.load_cert_chain(destination.client_file)
        plain.settimeout(_left(deadline))
        return trusted.wrap_socket(plain, server_hostname=destination.host)
    except BaseException:
        plain.close()
        raise


def _is_stale(line: socket.socket) -> bool:
    # Between two messages a receiver has nothing to say: what can be read is its farewell, or
    # something unasked for.
    return bool(select.select([line], [], [], 0)[0])


def _read_answer(line: socket.socket, deadline: float) -> str:
    received = bytearray()
    while END not in received:
        line.settimeout(_left(deadline))
        part = line.recv(4096)
        if not part:
            raise DeliveryError("the receiver hung up without an answer", unreachable=True)
        received += part
        if len(received) > LONGEST_ANSWER:
            raise DeliveryError("the answer does not end")
    answer, _, rest = bytes(received).partition(END)
    if not answer.startswith(START) or rest:
        raise DeliveryError("the answer is not framed as MLLP")
    return answer[1:].decode("utf-8", errors="replace")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
