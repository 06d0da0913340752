"""Listening: the address is said, a taken port is explained, Ctrl-C is no error."""

import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
import uvicorn
from click.testing import CliRunner

from server.conftest import coffee, upload
from tintype.cli import cli
from tintype.server.address import Server
from tintype.server.run import run


def test_a_taken_port_is_explained_in_one_line(tintype_command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [tintype_command, "serve", "--no-browser", "--port", port],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"port {port}" in done.stderr
    assert "choose another --port" in done.stderr


def test_ctrl_c_ends_a_server_without_an_error(tintype_command):
    with subprocess.Popen(
        [tintype_command, "serve", "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        address = re.search(r"http://\S+", server.stdout.readline())[0]
        assert urllib.request.urlopen(f"{address}v1/health").status == 200
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=20)
    assert server.returncode == 0
    assert errors == ""


def test_ctrl_c_ends_a_study_with_its_rates(tintype_command, tmp_path):
    for method in ("real", "ours"):
        (tmp_path / method).mkdir()
        coffee(60).save(tmp_path / method / "a.png")
    fields = "time,participant,photo,left,right,chosen,seconds,milliseconds"
    (tmp_path / "answers.csv").write_text(f"{fields}\nnow,p,a,ours,real,left,1.0,700\n")
    with subprocess.Popen(
        [tintype_command, "study", str(tmp_path), "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert "http://" in server.stdout.readline()
        server.send_signal(signal.SIGINT)
        said, _ = server.communicate(timeout=20)
    assert server.returncode == 0
    assert said.startswith("ours: fooled 100.0% (95 %: ")
    assert said.endswith("1 of 1, 1.0 s)\n")


def test_other_machines_need_a_token_that_is_printed(serving):
    address = serving("serve", "--host", "0.0.0.0", "--allow-remote")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{20,}", address)


def test_other_machines_are_let_in_only_on_purpose():
    result = CliRunner().invoke(cli, ["serve", "--host", "0.0.0.0"])
    assert result.exit_code == 2
    assert "--allow-remote" in result.output


def test_a_broken_model_is_explained_before_anything_listens(tmp_path):
    result = CliRunner().invoke(cli, ["serve", "--model", str(tmp_path)])
    assert result.exit_code == 1
    assert "model.json" in str(result.exception)


def test_how_long_an_upload_is_read_is_an_option(serving, gray_file):
    address = serving("serve", "--read-seconds", "0.0001")
    with pytest.raises(urllib.error.HTTPError) as refused:
        upload(address, gray_file)
    assert refused.value.code == 422
    assert "read in 0.0001 s" in refused.value.read().decode()


def test_threads_let_each_other_go_on_sooner_than_by_default(monkeypatch):
    """Else an edit waits 5 ms for every step of another's, each time that it left Python."""
    found = []
    before = sys.getswitchinterval()

    def serve(_, sockets):
        sockets[0].close()
        found.append(sys.getswitchinterval())

    monkeypatch.setattr(uvicorn.Server, "run", serve)
    try:
        run(None, Server("127.0.0.1", 0, None, browser=False), say=str)
    finally:
        sys.setswitchinterval(before)
    assert found[0] == pytest.approx(0.0005)
    assert before == pytest.approx(0.005)
