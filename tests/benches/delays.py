"""Peers that are late by a known time, each in a process of its own: a name server, a network, and a TLS server that is a proxy, too.
What they write down of each delay is how long it really was, from the moment at which they had the question until they began to
answer."""

import json
import multiprocessing
import os
import socket
import ssl
import struct
import threading
import time

NAMES = "127.0.0.54"
HOME = "10.99.0.1"
FAR = "10.99.1."
BODY = b"twenty-five bytes of body"


class Record:
    """Where the delays are written down: a name, when it began by the wall clock, and how long it was."""

    def __init__(self, path):
        self.file = open(path, "a", buffering=1)
        self.lock = threading.Lock()

    def delay(self, name, seconds):
        at, begun = time.time(), time.monotonic()
        if seconds:
            time.sleep(seconds)
        lasted = time.monotonic() - begun
        with self.lock:
            self.file.write(json.dumps([name, at, lasted]) + "\n")


def start(folder, hosts, servers):
    """The name server knows `hosts` (name: address, delay); `servers` are (port, name, phase, delay)."""
    # A device outlives nobody who has it open, so that it is opened before the others start.
    device = open_device()
    roles = [
        (serve_names, (folder, hosts)),
        (carry, (folder, device, {address: (name, delay) for name, (address, delay) in hosts.items() if address.startswith(FAR)})),
        (serve_tls, (folder, servers)),
    ]
    processes = [multiprocessing.Process(target=on_time, args=role, daemon=True) for role in roles]
    for process in processes:
        process.start()
    return processes


def on_time(serve, arguments):
    """Beside the other servers, and before them: what is late here is known, but makes everything later."""
    os.sched_setaffinity(0, {0})
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except PermissionError:
        pass
    serve(*arguments)


def serve_names(folder, hosts):
    record = Record(folder / "delays-dns")
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((NAMES, 53))

    def late(name, delay, reply, client):
        record.delay(name, delay)
        listener.sendto(reply, client)

    def answer(question):
        end = question.index(0, 12)
        name = question[13 : 13 + question[12]].decode().lower()
        address, delay = hosts.get(name, ("127.0.0.1", 0))
        is_address = question[end + 2] == 1
        head = question[:2] + struct.pack(">HHHHH", 0x8580, 1, int(is_address), 0, 0)
        reply = head + question[12 : end + 5]
        if is_address:
            reply += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
        return name, delay, reply

    while True:
        question, client = listener.recvfrom(512)
        name, delay, reply = answer(question)
        if name.startswith("dns-"):
            threading.Thread(target=late, args=(name, delay, reply, client), daemon=True).start()
        else:
            listener.sendto(reply, client)


def open_device():
    import fcntl

    device = os.open("/dev/net/tun", os.O_RDWR)
    # A tun without packet information.
    fcntl.ioctl(device, 0x400454CA, struct.pack("16sH", b"far", 0x0001 | 0x1000))
    for command in (f"addr add {HOME}/24 dev far", "link set far up", f"route add {FAR}0/24 dev far src {HOME}"):
        if os.system(f"ip {command}"):
            raise SystemExit(f"ip {command} failed")
    return device


def carry(folder, device, far):
    """A network in which every far host is this one: source and destination change places, which leaves the checksums right.
    Only the first packet of a connection is late."""
    record = Record(folder / "delays-connect")

    def late(packet, name, delay):
        record.delay(name, delay)
        os.write(device, packet)

    while True:
        packet = os.read(device, 65536)
        if packet[0] >> 4 != 4:
            continue
        source, destination = packet[12:16], packet[16:20]
        turned = packet[:12] + destination + source + packet[20:]
        # The flags of TCP: SYN without ACK.
        opens = packet[9] == 6 and packet[(packet[0] & 15) * 4 + 13] & 0x12 == 0x02
        known = far.get(socket.inet_ntoa(destination)) if opens else None
        if known:
            threading.Thread(target=late, args=(turned, *known), daemon=True).start()
        else:
            os.write(device, turned)


def serve_tls(folder, servers):
    record = Record(folder / "delays-tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "leaf.key")
    context.num_tickets = 0

    def serve(port, name, phase, delay):
        def wait(in_phase):
            if in_phase == phase:
                record.delay(name, delay)

        listener = socket.create_server(("127.0.0.1", port), backlog=16)
        while True:
            stream, _ = listener.accept()
            try:
                stream.settimeout(10)
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if phase == "proxy":
                    head(stream)
                    wait("proxy")
                    stream.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                stream.recv(1, socket.MSG_PEEK)
                wait("tls")
                with context.wrap_socket(stream, server_side=True) as secured:
                    head(secured)
                    wait("request")
                    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\nConnection: close\r\n\r\n"
                    secured.sendall(answer.encode() + BODY[:1])
                    wait("response")
                    secured.sendall(BODY[1:])
            except OSError:
                stream.close()

    threads = [threading.Thread(target=serve, args=server, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def head(stream):
    text = b""
    while b"\r\n\r\n" not in text:
        piece = stream.recv(4096)
        if not piece:
            raise ConnectionError
        text += piece


def written(folder):
    """What was written down, by name: when each delay began, and how long it was."""
    delays = {}
    for file in ("delays-dns", "delays-connect", "delays-tls"):
        for line in (folder / file).read_text().splitlines():
            name, at, lasted = json.loads(line)
            delays.setdefault((file, name), []).append((at, lasted))
    return delays
