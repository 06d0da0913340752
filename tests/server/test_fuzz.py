"""The API under requests made from its own description: never a 5xx."""

import hypothesis
import schemathesis

from tintype.colorizer import load
from tintype.server.app import create_app

app = create_app(load(threads=1), host="testserver")  # the Host that schemathesis sends
schema = schemathesis.openapi.from_asgi("/openapi.json", app)


@schema.parametrize()
@hypothesis.settings(
    max_examples=40, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
def test_no_request_breaks_the_server(case):
    assert case.call().status_code < 500
