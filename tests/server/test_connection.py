"""Connections: how many there may be, how long a request may take to come, how a server ends."""

import contextlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
import uvicorn

from tintype.server import connection
from tintype.server.app import create_app
from tintype.server.run import configure
from tintype.server.service import Service
from tintype.server.work_queue import UnwantedError, check_wanted

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"  # where a client seems to be
HEALTH = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPLOAD = (
    b"POST /v1/photos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
)


@pytest.fixture
def connect(colorizer, monkeypatch):
    """Connect to a server in this process, which has three places and little patience."""
    monkeypatch.setattr(connection, "is_local", lambda host: host == HERE)
    monkeypatch.setattr(connection, "CLIENTS", 3)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.6)
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.9)
    listening = socket.create_server((HERE, 0))
    server = uvicorn.Server(configure(create_app(colorizer)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    with contextlib.ExitStack() as opened:

        def start(place=HERE):
            address, source = listening.getsockname(), (place, 0)
            return opened.enter_context(
                socket.create_connection(address, timeout=10, source_address=source)
            )

        yield start
    server.should_exit = True
    thread.join()


def read_all(client) -> str:
    """All that a server says until it closes; nothing where it just breaks off."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while more := client.recv(65536):
            said += more
    return said.decode()


def ask(client) -> str:
    """The status line of an answer, which is read to its end."""
    client.sendall(HEALTH)
    said = b""
    while not said.endswith(b"}"):
        said += client.recv(65536)
    return said.decode().splitlines()[0]


def test_the_body_of_an_answer_does_not_wait_for_its_head_to_be_confirmed(connect, monkeypatch):
    found = []
    take = connection.Connection.data_received

    def look(self, data):
        own = self.transport.get_extra_info("socket")
        found.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        take(self, data)

    monkeypatch.setattr(connection.Connection, "data_received", look)
    ask(connect())
    assert found[0]


def test_silent_connections_elsewhere_leave_the_places_here(connect):
    silent = [connect(ELSEWHERE) for _ in range(3)]
    answer = read_all(connect(ELSEWHERE))
    assert answer.startswith("HTTP/1.1 503 ")
    assert "default-src 'none'" in answer
    assert ask(connect()) == "HTTP/1.1 200 OK"
    assert [read_all(client) for client in silent] == ["", "", ""]  # after their time
    assert ask(connect(ELSEWHERE)) == "HTTP/1.1 200 OK"


@pytest.mark.parametrize("part", [b"", HEALTH[:9], HEALTH[:-2]])
def test_a_head_that_does_not_come_ends_its_connection(connect, part):
    client, began = connect(), time.monotonic()
    client.sendall(part)
    assert read_all(client) == ""
    assert 0.4 < time.monotonic() - began < 5


def test_a_body_that_does_not_come_ends_its_connection(connect):
    client, began = connect(), time.monotonic()
    client.sendall(UPLOAD)
    assert read_all(client).startswith("HTTP/1.1 408 ")
    assert 0.7 < time.monotonic() - began < 5


def test_a_body_that_drips_ends_its_connection(connect):
    client, began = connect(), time.monotonic()
    with contextlib.suppress(OSError):
        client.sendall(UPLOAD)
        for _ in range(100):
            client.sendall(b"x")
            time.sleep(0.05)
    assert time.monotonic() - began < 4


def test_a_request_after_another_has_its_own_time(connect):
    client = connect()
    for _ in range(4):
        assert ask(client) == "HTTP/1.1 200 OK"
        time.sleep(0.35)
    client.sendall(HEALTH[:20])
    assert read_all(client) == ""


def test_the_answer_to_head_has_no_body(connect):
    client, said = connect(), b""
    client.sendall(HEALTH.replace(b"GET", b"HEAD"))
    while b"\r\n\r\n" not in said:
        said += client.recv(65536)
    assert said.startswith(b"HTTP/1.1 200 OK")
    assert said.endswith(b"\r\n\r\n")
    assert ask(client) == "HTTP/1.1 200 OK"


def test_what_is_no_http_is_refused_with_every_header(connect):
    client = connect()
    client.sendall(b"hello\r\n\r\n")
    answer = read_all(client)
    assert answer.startswith("HTTP/1.1 400 ")
    assert "default-src 'none'" in answer
    assert "expected a request by HTTP" in answer


def test_a_server_ends_though_an_upload_is_open(tintype_command):
    with subprocess.Popen(
        [tintype_command, "serve", "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        port = int(re.search(r":(\d+)/", server.stdout.readline())[1])
        with socket.create_connection((HERE, port)) as client:
            client.sendall(UPLOAD)
            time.sleep(0.5)
            began = time.monotonic()
            server.send_signal(signal.SIGTERM)
            _, errors = server.communicate(timeout=20)
    assert time.monotonic() - began < 9
    assert errors == ""


def test_work_for_who_has_gone_ends(connect, monkeypatch):
    begun, ended = threading.Event(), threading.Event()

    def work(*_):
        begun.set()
        for _ in range(500):
            time.sleep(0.01)
            try:
                check_wanted()
            except UnwantedError:
                ended.set()
                raise

    monkeypatch.setattr(Service, "recipe", work)
    stranger = connect()
    head = b"POST /v1/recipes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    stranger.sendall(head + b"Content-Type: application/json\r\n\r\n{}")
    assert begun.wait(10)
    stranger.close()
    assert ended.wait(4)
    other = connect()
    other.sendall(HEALTH)
    assert other.recv(100).startswith(b"HTTP/1.1 200")
