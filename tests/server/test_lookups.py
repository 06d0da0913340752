"""No name is looked up while coloring and serving, neither by Python nor by native code.

glibc reads the file that RESOLV_HOST_CONF names when a process first looks up a name, by whatever
function, and complains of what it does not know in it (host.conf(5)).
"""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from server.conftest import upload

COMPLAINT = "bad command `a name is looked up'"
PATIENCE = 14  # seconds: ONNX Runtime's telemetry took 9


@pytest.fixture
def watched(tmp_path):
    """The environment of a process that complains on its standard error of a look-up."""
    (tmp_path / "host.conf").write_text("a name is looked up\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ORT")}
    return environment | {"RESOLV_HOST_CONF": str(tmp_path / "host.conf")}


@pytest.mark.parametrize("call", [
    "import socket; socket.getaddrinfo('localhost', 80)",
    "import ctypes; ctypes.CDLL(None).gethostbyname(b'localhost')",
])  # fmt: skip
def test_a_look_up_is_noticed(watched, call):
    done = subprocess.run(
        [sys.executable, "-c", call], env=watched, capture_output=True, text=True, check=True
    )
    assert COMPLAINT in done.stderr


def test_coloring_and_serving_look_up_no_name(watched, tintype_command, gray_file, tmp_path):
    began = time.monotonic()
    with subprocess.Popen(
        [tintype_command, "serve", "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=watched,
    ) as server:  # fmt: skip
        address = re.search(r"http://\S+", server.stdout.readline())[0]
        sent = upload(address, gray_file)
        headers = {"content-type": "application/json"}
        body = b'{"edits": [{"shift_hue": 90}]}'
        url = f"{address}v1/photos/{sent}/render"
        assert urllib.request.urlopen(urllib.request.Request(url, body, headers)).status == 200
        (tmp_path / "photo.jpg").write_bytes(gray_file)
        words = ["colorize", str(tmp_path / "photo.jpg"), "-o", str(tmp_path / "colored.jpg")]
        colored = subprocess.run(
            [tintype_command, *words], env=watched, capture_output=True, text=True, check=True
        )
        time.sleep(max(0, began + PATIENCE - time.monotonic()))
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=20)
    assert errors == ""
    assert COMPLAINT not in colored.stderr
