# SPDX-License-Identifier: Apache-2.0
"""The applications at both ends of the link: a download and small requests, over plain TCP sockets.

    applications.py server|client SETTINGS

SETTINGS is a JSON object, made by emulation.py. Whether the sockets reach over the link or only to a
tunnel that runs beside the application is all the same to it. What happens is told on stdout, a JSON
object a line. Whoever kills this process kills the tunnel too: link_emulator does.
"""

import asyncio
import hashlib
import json
import os
import select
import socket
import subprocess
import sys
import time

REQUEST_BYTES = 512
ANSWER_BYTES = 4096
REQUEST_INTERVAL_SECONDS = 0.05
# Ever larger ones are of use to nobody who waits.
PATIENCE_SECONDS = 10
# For what is still on its way when the work's time is over.
DRAIN_SECONDS = 30
READY_SECONDS = 15
BIN_SECONDS = 0.1

CHUNK_BYTES = 16 * 1024
# What the server's application has handed over and TCP not yet sent: as a program would have it
# that does not want to send what is old.
NOT_SENT_BYTES = 128 * 1024
TCP_NOTSENT_LOWAT = 25

# Its length is a prime: bytes that are lost, doubled or swapped show.
_PATTERN = hashlib.shake_256(b"godwit-demo").digest(1_048_573)
_TWO_PATTERNS = _PATTERN + _PATTERN


def emit(**event):
    # One write: lines of several processes do not mix.
    os.write(1, (json.dumps(event) + "\n").encode())


def pattern(offset, length):
    begin = offset % len(_PATTERN)
    return memoryview(_TWO_PATTERNS)[begin : begin + length]


def trailer(length):
    """Follows a download of `length` bytes: without it the end is no end."""
    return b"godwit-demo-end " + length.to_bytes(8, "big")


_TRAILER_BYTES = len(trailer(0))


class DownloadCheck:
    """Whether bytes are those that the server sends, and the last one is the last."""

    def __init__(self):
        self.is_right = True
        self._offset = 0
        self._tail = b""

    def add(self, data):
        held = self._tail + data
        length = max(len(held) - _TRAILER_BYTES, 0)
        if memoryview(held)[:length] != pattern(self._offset, length):
            self.is_right = False
        self._offset += length
        self._tail = held[length:]

    def is_complete(self):
        return self.is_right and self._tail == trailer(self._offset)


class Meter:
    """Counts bytes by the time at which they came, and tells when a bin is over."""

    def __init__(self, tell):
        self._tell = tell
        self._bin = 0
        self._bytes = 0

    def add(self, at, count):
        current = int(at / BIN_SECONDS)
        if current > self._bin:
            self.flush()
            self._bin = current
        self._bytes += count

    def flush(self):
        if self._bytes:
            self._tell(self._bin, self._bytes)
        self._bytes = 0


def make_request(number):
    return hashlib.sha256(b"%d" % number).digest() * (REQUEST_BYTES // 32)


def make_answer(request):
    return hashlib.sha256(request).digest() * (ANSWER_BYTES // 32)


def make_socket(settings):
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if settings["congestion"]:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, settings["congestion"].encode())
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def make_listener(settings, port):
    made = make_socket(settings)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((os.path.expandvars(settings["listen"]), port))
    made.listen(1024)
    return made


def start_tunnel(settings):
    if not settings["tunnel"]:
        return None
    return subprocess.Popen([os.path.expandvars(word) for word in settings["tunnel"]], stdout=sys.stderr)


def tell_if_ended(tunnel, side):
    if tunnel is not None and tunnel.poll() is not None:
        emit(event="tunnel ended", side=side, code=tunnel.returncode)


# The server.


def send_until_asked(connection):
    """Sends the pattern until the client has sent its FIN, then says how much that was."""
    connection.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_BYTES)
    connection.setblocking(False)
    sent = 0
    while True:
        readable, writable, _ = select.select([connection], [connection], [])
        if readable and not connection.recv(CHUNK_BYTES):
            break
        if writable:
            try:
                sent += connection.send(pattern(sent, CHUNK_BYTES))
            except BlockingIOError:
                pass
    connection.setblocking(True)
    connection.sendall(trailer(sent))


def serve_downloads(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                send_until_asked(connection)
            except OSError:
                pass  # The client tells what it saw of that.


async def serve_request(reader, writer):
    try:
        request = await reader.readexactly(REQUEST_BYTES)
        writer.write(make_answer(request))
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def serve_requests(listener, tunnel):
    server = await asyncio.start_server(serve_request, sock=listener)
    async with server:
        while tunnel is None or tunnel.poll() is None:
            await asyncio.sleep(0.5)
        tell_if_ended(tunnel, "server")
        await server.serve_forever()


def run_server(settings):
    downloads = make_listener(settings, settings["download_port"])
    requests = make_listener(settings, settings["request_port"])
    # Two processes, so that the download does not make requests wait for Python's lock.
    if os.fork() == 0:
        requests.close()
        serve_downloads(downloads)
    downloads.close()
    asyncio.run(serve_requests(requests, start_tunnel(settings)))


# The client.


def seconds_since_process_began():
    with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


async def receive_exactly(loop, connection, count):
    data = b""
    while len(data) < count:
        piece = await loop.sock_recv(connection, count - len(data))
        if not piece:
            raise ConnectionError("the answer ended early")
        data += piece
    return data


async def exchange(settings, number):
    loop = asyncio.get_running_loop()
    with make_socket(settings) as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, (os.path.expandvars(settings["host"]), settings["request_port"]))
        request = make_request(number)
        await loop.sock_sendall(connection, request)
        if await receive_exactly(loop, connection, ANSWER_BYTES) != make_answer(request):
            raise ConnectionError("the answer is wrong")


async def request(settings, number, start):
    """Makes request `number` when it is due, and tells what came of it."""
    due = start + number * REQUEST_INTERVAL_SECONDS
    await asyncio.sleep(max(due - time.monotonic(), 0))
    began = time.monotonic()
    took, error = None, None
    try:
        await asyncio.wait_for(exchange(settings, number), PATIENCE_SECONDS)
        took = time.monotonic() - began
    except asyncio.TimeoutError:
        error = f"no answer in {PATIENCE_SECONDS} s"
    except OSError as failure:
        error = failure.strerror or str(failure)
    emit(event="request", at=round(began - start, 6), late=round(began - due, 6), took=took and round(took, 6), error=error)


async def request_all(settings, start):
    count = round(settings["seconds"] / REQUEST_INTERVAL_SECONDS)
    await asyncio.gather(*(request(settings, number, start) for number in range(count)))


def receive_download(settings, start, meter):
    """The outcome, a reason or None, and when the last byte came."""
    end = start + settings["seconds"]
    last = start
    check = DownloadCheck()
    try:
        with make_socket(settings) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect((os.path.expandvars(settings["host"]), settings["download_port"]))
            is_asked_to_end = False
            while True:
                now = time.monotonic()
                if now >= end and not is_asked_to_end:
                    is_asked_to_end = True
                    connection.shutdown(socket.SHUT_WR)
                if now - last >= PATIENCE_SECONDS:
                    return "broken", f"no byte in {PATIENCE_SECONDS} s", last
                if now >= end + DRAIN_SECONDS:
                    return "unfinished", f"bytes still came {DRAIN_SECONDS} s after its end", last
                if not select.select([connection], [], [], BIN_SECONDS if is_asked_to_end else min(end - now, BIN_SECONDS))[0]:
                    continue
                data = connection.recv(1 << 16)
                if not data:
                    if check.is_complete():
                        return "completed", None, last
                    return "broken", "it ended early", last
                last = time.monotonic()
                meter.add(last - start, len(data))
                check.add(data)
                if not check.is_right:
                    return "corrupt", "other bytes than the server sent", last
    except OSError as failure:
        return "broken", failure.strerror or str(failure), last


def download(settings, start):
    time.sleep(max(start - time.monotonic(), 0))
    meter = Meter(lambda number, count: emit(event="bytes", bin=number, count=count))
    outcome, reason, last = receive_download(settings, start, meter)
    meter.flush()
    emit(event="download", outcome=outcome, reason=reason, last_byte_at=round(last - start, 3))


def wait_until_ready(settings, tunnel):
    """Until a first request has been answered, which also is one for TCP's caches."""
    deadline = time.monotonic() + READY_SECONDS
    problem = "no time"
    while time.monotonic() < deadline:
        if tunnel is not None and tunnel.poll() is not None:
            raise SystemExit(f"the tunnel's client ended with exit code {tunnel.returncode}")
        try:
            asyncio.run(asyncio.wait_for(exchange(settings, -1), 2))
            return
        except (OSError, asyncio.TimeoutError) as failure:
            problem = str(failure) or "no answer"
        time.sleep(0.1)
    raise SystemExit(f"the server did not answer in {READY_SECONDS} s: {problem}")


def run_client(settings):
    process_began = time.monotonic() - seconds_since_process_began()
    tunnel = start_tunnel(settings)
    wait_until_ready(settings, tunnel)
    start = max(process_began + settings["warm_up"], time.monotonic())
    if os.fork() == 0:
        download(settings, start)
        os._exit(0)
    time.sleep(max(start - time.monotonic(), 0))
    emit(event="begin", at=round(start - process_began, 3))
    asyncio.run(request_all(settings, start))
    os.wait()
    tell_if_ended(tunnel, "client")
    emit(event="end")


if __name__ == "__main__":
    {"server": run_server, "client": run_client}[sys.argv[1]](json.loads(sys.argv[2]))
