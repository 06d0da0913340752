"""The API under requests made from its own description: never a 5xx."""

import hypothesis
import pytest
import schemathesis
from fastapi.testclient import TestClient
from photos import encoded

from server.conftest import coffee
from tintype.colorizer import load
from tintype.server import security
from tintype.server.app import create_app

app = create_app(load(threads=1), host="testserver")  # the Host that schemathesis sends
schema = schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.fixture(scope="module")
def sent():
    """One photo, so that requests get past "no such photo", of an app that stays open."""
    with TestClient(app) as client:
        yield client.post("/v1/photos", files={"photo": encoded(coffee(64), "PNG")}).json()["id"]


@schema.parametrize()
@hypothesis.settings(max_examples=40, suppress_health_check=list(hypothesis.HealthCheck))
def test_no_request_breaks_the_server(sent, case, monkeypatch):
    monkeypatch.setattr(security, "PAUSE", 0)  # most requests are refused
    if "photo_id" in case.path_parameters and case.method != "DELETE":
        case.path_parameters["photo_id"] = sent
    assert case.call().status_code < 500
