"""Requests from elsewhere are refused before they reach a route."""

import pytest
from fastapi.testclient import TestClient

from tintype.server.app import create_app
from tintype.server.security import COOKIE, allowed_host


@pytest.mark.parametrize(("header", "bound", "allowed"), [
    ("127.0.0.1:8420", "127.0.0.1", True),
    ("localhost:8420", "127.0.0.1", True),
    ("localhost", "127.0.0.1", True),
    ("[::1]:8420", "::1", True),
    ("[::1]", "127.0.0.1", True),
    ("127.9.9.9", "127.0.0.1", True),
    ("evil.example:8420", "127.0.0.1", False),
    ("evil.example", "0.0.0.0", False),
    ("localhost.evil.example", "127.0.0.1", False),
    ("192.168.1.5:8420", "127.0.0.1", False),
    ("192.168.1.5:8420", "0.0.0.0", True),
    ("192.168.1.5:8420", "192.168.1.5", True),
    ("192.168.1.6:8420", "192.168.1.5", False),
    ("photos.local:8420", "Photos.local", True),
    ("127.0.0.1:8420", "localhost", True),
    ("192.168.1.5:8420", "localhost", False),
    ("", "127.0.0.1", False),
    ("127.0.0.1@evil.example", "127.0.0.1", False),
])  # fmt: skip
def test_hosts(header, bound, allowed):
    assert allowed_host(header, bound) is allowed


def test_a_name_that_points_here_is_refused(client):
    for path in ("/", "/v1/health", "/openapi.json"):
        answer = client.get(path, headers={"host": "rebound.example"})
        assert answer.status_code == 400
        assert "rebound.example" in answer.json()["detail"]


@pytest.mark.parametrize("headers", [
    {"origin": "http://evil.example"},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
])  # fmt: skip
def test_other_pages_cannot_send(client, gray_file, headers):
    before = client.get("/v1/health").json()["photos"]
    answer = client.post("/v1/photos", files={"photo": gray_file}, headers=headers)
    assert answer.status_code == 403
    assert client.get("/v1/health").json()["photos"] == before


def test_the_own_page_can_send(client, gray_file):
    headers = {"origin": "http://127.0.0.1:8420", "sec-fetch-site": "same-origin"}
    answer = client.post("/v1/photos", files={"photo": gray_file}, headers=headers)
    assert answer.status_code == 201
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/main.js", "/v1/health", "/v1/photos/none/gray", "/none"])
def test_every_answer_is_secured(client, path):
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "/static/", "/%00"]
)
def test_only_the_pages_files_are_served(client, path):
    assert client.get(path).status_code in (400, 404)


def test_a_token_is_needed_where_one_is_set(colorizer):
    app = create_app(colorizer, host="0.0.0.0", token="secret")
    with TestClient(app, base_url="http://192.168.1.5:8420", follow_redirects=False) as client:
        for path in ("/", "/v1/health", "/main.js", "/?token=wrong"):
            assert client.get(path).status_code == 401
        bearer = {"authorization": "Bearer secret"}
        assert client.get("/v1/health", headers=bearer).status_code == 200
        assert client.post("/?token=secret").status_code == 401
        answer = client.get("/?token=secret")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert client.cookies[COOKIE] == "secret"
        assert client.get("/v1/health").status_code == 200


@pytest.mark.parametrize("length", ["x", "-1", "99999999999"])
def test_announced_lengths_are_checked(client, length):
    answer = client.post("/v1/photos", content=b"", headers={"content-length": length})
    assert answer.status_code == 413
