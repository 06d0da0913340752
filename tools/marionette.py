"""Firefox, driven by its own protocol: a few commands in JSON over a socket, without geckodriver.

Source: firefox-source-docs.mozilla.org/testing/marionette/Protocol.html; commands: W3C WebDriver.
"""

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START = 60.0  # seconds
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver 12, "web element identifier"
SCRIPT = """const done = arguments[arguments.length - 1];
    (%s)(...[...arguments].slice(0, -1)).then((value) => done({ value }),
        (error) => done({ error: `${error}\\n${error.stack}` }));"""
QUIET = {
    "app.update.enabled": False,
    "browser.download.alwaysOpenPanel": False,
    "browser.download.folderList": 2,  # that of browser.download.dir
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
}


class Firefox:
    """A browser with one page; `log` is what it prints, scripts' errors among it."""

    def __init__(self, connection: socket.socket, log: Path) -> None:
        self.log = log
        self._connection, self._answers = connection, connection.makefile("rb")
        self._number = 0
        self._read()  # whom we speak to
        timeouts = {"script": 180_000}
        about = self.ask("NewSession", capabilities={"alwaysMatch": {"timeouts": timeouts}})
        self.version = about["capabilities"]["browserVersion"]

    def ask(self, command: str, **values: Any) -> Any:
        """One of WebDriver's commands. Raises RuntimeError."""
        self._number += 1
        text = json.dumps([0, self._number, f"WebDriver:{command}", values]).encode()
        self._connection.sendall(b"%d:%s" % (len(text), text))
        _, _, error, answer = self._read()
        if error:
            raise RuntimeError(f"{command}: {error['error']}: {error['message']}")
        alone = isinstance(answer, dict) and answer.keys() == {"value"}
        return answer["value"] if alone else answer

    def _read(self) -> Any:
        size = b""
        while (letter := self._answers.read(1)) != b":":
            if not letter:
                raise RuntimeError(f"expected an answer, found Firefox gone; see {self.log}")
            size += letter
        return json.loads(self._answers.read(int(size)))

    def run(self, script: str, *values: Any) -> Any:
        """What an asynchronous function of JavaScript gives."""
        answer = self.ask("ExecuteAsyncScript", script=SCRIPT % script, args=values, sandbox=None)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer.get("value")

    def wait(self, script: str, what: str) -> None:
        """Wait until an expression of JavaScript holds."""
        end = time.monotonic() + START
        while not self.run(f"async () => Boolean({script})"):
            if time.monotonic() > end:
                raise RuntimeError(f"expected {what} within {START:g} s, found none")
            time.sleep(0.1)

    def find(self, selector: str) -> str:
        """An element, once it is there."""
        self.wait(f"document.querySelector({json.dumps(selector)})", selector)
        return str(self.ask("FindElement", using="css selector", value=selector)[ELEMENT])

    def click(self, selector: str) -> None:
        self.ask("ElementClick", id=self.find(selector))

    def type(self, selector: str, text: str) -> None:
        """Type letters or keys; into an input of files, a path."""
        self.ask("ElementSendKeys", id=self.find(selector), text=text)

    def take_picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.ask("TakeScreenshot", full=False)))


@contextmanager
def start(program: str, folder: Path, size: tuple[int, int] = (1280, 900)) -> Iterator[Firefox]:
    """Start Firefox with a new profile in a folder, to which it also saves what it downloads."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    profile, log = folder / "profile", folder / "firefox.log"
    profile.mkdir()
    own = QUIET | {"marionette.port": port, "browser.download.dir": str(folder)}
    lines = [f"user_pref({json.dumps(key)}, {json.dumps(own[key])});\n" for key in own]
    (profile / "user.js").write_text("".join(lines))
    sides = [f"--width={size[0]}", f"--height={size[1]}"]
    command = [program, "--headless", "--marionette", "--no-remote", "--profile", profile, *sides]
    with log.open("w") as said:
        home = os.environ | {"HOME": str(folder)}  # where it keeps more than the profile
        process = subprocess.Popen(command, stdout=said, stderr=said, env=home)
    try:
        with _connect(port, process) as connection:
            yield Firefox(connection, log)
    finally:
        process.terminate()
        process.wait()


def _connect(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    """A connection to Firefox, once it listens."""
    end = time.monotonic() + START
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=4 * START)
        except OSError:
            if time.monotonic() > end or process.poll() is not None:
                raise
            time.sleep(0.1)
