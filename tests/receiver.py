"""A real MLLP receiver on this machine, that misbehaves as it is told."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter, deque
from contextlib import suppress

START, END = b"\x0b", b"\x1c\x0d"


class Receiver:
    """Answers each message by the next word of ``script``; ``AA`` once the script is over.

    ``stored`` counts how often it read a message of each control id; ``answered`` lists what it
    acknowledged. Words: a code of HL7 table 0008, or ``drop_before`` (hangs up unread),
    ``drop_after`` (reads, stores, hangs up), ``late``, ``wrong_id``, ``garbage``, ``unframed``,
    ``slow`` (answers after a moment), ``endless``.
    """

    def __init__(self, *script: str, late_s: float = 0.6) -> None:
        self.script = deque(script)
        self.stored: Counter[str] = Counter()
        self.bodies: dict[str, set[str]] = {}
        self.order: list[str] = []
        self.answered: list[str] = []
        self.late_s = late_s
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def die(self) -> None:
        """Stop listening, and hang up on everybody."""
        with suppress(OSError):  # dead already
            # Closing alone leaves a thread in accept(), and the port open.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):  # closed by the other end
                    connection.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def live(self) -> None:
        """Listen again, on the same port."""
        self._listener = self._listen(self.port)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with self._lock:
                self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            while self._next_is_read() and (body := _read(connection)):
                if not self._answer(connection, body):
                    break
        except OSError:
            pass
        finally:
            connection.close()

    def _next_is_read(self) -> bool:
        with self._lock:
            if self.script and self.script[0] == "drop_before":
                self.script.popleft()
                return False
        return True

    def _answer(self, connection: socket.socket, body: str) -> bool:
        control_id = body.split("|")[9]
        with self._lock:
            word = self.script.popleft() if self.script else "AA"
            self.stored[control_id] += 1
            self.bodies.setdefault(control_id, set()).add(body)
            self.order.append(control_id)
        if word == "drop_after":
            return False
        if word in ("late", "slow"):
            time.sleep(self.late_s)
        connection.sendall(_answer_in_words(word, control_id))
        if word in ("AA", "CA", "slow"):
            with self._lock:
                self.answered.append(control_id)
        return word != "late"


def _answer_in_words(word: str, control_id: str) -> bytes:
    if word == "garbage":
        return START + b"HTTP/1.1 400 Bad Request" + END
    if word == "unframed":
        return b"MSH|^~\\&|\rMSA|AA|" + control_id.encode() + b"\r" + END
    if word == "endless":
        return START + b"x" * 100_000
    code = "AA" if word in ("late", "slow", "wrong_id") else word
    answered = "OTHER" if word == "wrong_id" else control_id
    ack = (
        f"MSH|^~\\&|LIS||cellcensus||20260311||ACK^R01|1|P|2.5.1\rMSA|{code}|{answered}|so be it\r"
    )
    return START + ack.encode() + END


def _read(connection: socket.socket) -> str:
    received = b""
    while END not in received:
        part = connection.recv(4096)
        if not part:
            return ""
        received += part
    return received.removeprefix(START).removesuffix(END).decode()
