"""The app in this process for its routes; the real command and a real browser for the editor."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from photos import encoded
from PIL import Image
from skimage import data

from tintype.server.app import create_app
from tintype.server.service import Limits

HERE = {"base_url": "http://127.0.0.1:8420"}  # what a browser on this machine would send as Host


def coffee(side: int = 320) -> Image.Image:
    """scikit-image's cup of coffee, in color."""
    image = Image.fromarray(data.coffee())
    image.thumbnail((side, side))
    return image


@pytest.fixture(scope="session")
def gray_file() -> bytes:
    """A gray photo's JPEG with EXIF."""
    exif = Image.Exif()
    exif[0x010F] = "Kodak"
    return encoded(coffee().convert("L"), "JPEG", exif=exif)


@pytest.fixture(scope="module")
def client(colorizer) -> Iterator[TestClient]:
    """A client of one server for all tests of a file."""
    with TestClient(create_app(colorizer), **HERE) as client:
        yield client


@pytest.fixture(scope="module")
def sent(client, gray_file) -> dict:
    """A photo that the server has, for all tests of a file."""
    answer = client.post("/v1/photos", files={"photo": gray_file})
    assert answer.status_code == 201
    return answer.json()


def limited(colorizer, **limits: float) -> TestClient:
    """A client of a server that takes on less."""
    return TestClient(create_app(colorizer, limits=Limits(**limits)), **HERE)


def upload(address: str, content: bytes) -> str:
    """Send a photo; its id."""
    body = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="p"\r\n\r\n'
    body += content + b"\r\n--x--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    request = urllib.request.Request(f"{address}v1/photos", body, headers)
    return json.load(urllib.request.urlopen(request))["id"]


@pytest.fixture(scope="session")
def tintype_command() -> str:
    """The installed command."""
    found = shutil.which("tintype", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def serving(tintype_command) -> Iterator:
    """Start a command that serves, and give its address; all are ended at last."""
    running = []

    def start(*words: str) -> str:
        process = subprocess.Popen(
            [tintype_command, *words, "--no-browser", "--port", "0"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        return found[0]

    yield start
    for process in running:
        process.terminate()
        process.wait(20)
        process.stdout.close()
