"""What no server can expect is answered in one line, by the right status, with every header."""

import contextlib
import json

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from photos import encoded
from PIL import Image

from server.conftest import HERE, coffee
from tintype.server import problems, study
from tintype.server.app import create_app
from tintype.server.problems import JsonError, parse_json
from tintype.server.service import Service
from tintype.server.study import Study

EDIT = '{"edits": [{"shift_hue": %s}]}'
ODD = {
    "not a number": '{"vividness": NaN}',
    "infinite": EDIT % "-Infinity",
    "too large a number": EDIT % "1e999",
    "too long a number": '{"alternative": %s}' % ("9" * 5000),
    "half a character as a name": r'{"\ud800": 1}',
    "half a character": r'{"format": "\udc00"}',
    "lists in lists": '{"edits": ' + "[" * 900 + "]" * 900 + "}",
    "objects in objects": '{"palette": ' + '{"a":' * 900 + "1" + "}" * 901,
    "unending lists": "[" * 60_000,
    "no UTF-8": b'{"edits": "\xff"}',
    "UTF-16": "{}".encode("utf-16"),
    "cut": '{"edits": [',
    "null": "null",
    "a list": "[]",
}


@pytest.fixture(scope="module")
def patient(colorizer):
    """A client that sees a 500 as a browser would."""
    app = create_app(colorizer)
    with TestClient(app, raise_server_exceptions=False, **HERE) as client:
        yield client


@pytest.fixture(scope="module")
def photo(patient, gray_file) -> str:
    """The id of a photo that the server has."""
    return patient.post("/v1/photos", files={"photo": gray_file}).json()["id"]


@pytest.mark.parametrize("path", ["/v1/recipes", "/v1/photos/{}/render", "/v1/photos/{}/palette"])
@pytest.mark.parametrize("name", ODD)
def test_odd_json_is_refused_in_one_line(patient, photo, path, name):
    headers = {"content-type": "application/json"}
    answer = patient.post(path.format(photo), content=ODD[name], headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("expected ")
    assert len(answer.json()["detail"]) <= 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_what_nobody_expected_is_answered_with_every_header(patient, monkeypatch):
    monkeypatch.setattr(Service, "health", lambda self: self.none)
    answer = patient.get("/v1/health")
    assert answer.status_code == 500
    assert "expected to answer" in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_long_words_are_cut_before_they_are_looked_at(patient, photo, monkeypatch):
    found = []

    def answer(status, kind, detail, headers=None, **values):
        found.append(detail)
        return problems.JSONResponse({"type": kind} | values, status, headers)

    monkeypatch.setattr(problems, "answer", answer)
    long, change = "a " * 500_000, {"from": "red", "to": "blue", "scale": 1}
    for asked in (
        {"edits": [{"ban": long}]},
        {"edits": [{"towards": long, "amount": 0.2}]},
        {"edits": [{"at": [0.5, 0.5], "color": long}]},
        {"edits": [{"recolor": [change | {"from": long}]}]},
        {"edits": [{"recolor": [{long: 1}]}]},
        {"edits": [{long: 1}]},
        {"palette": {"version": 1, "colors": [{"color": long, "share": 1}]}},
        {"palette": {"version": 1, "neutral": long}},
    ):
        answer = patient.post(f"/v1/photos/{photo}/render", json=asked)
        assert answer.status_code == 422
        assert len(found.pop()) < 1000


@pytest.mark.parametrize(("content", "kind", "values"), [
    (encoded(Image.new("L", (8000, 7000)), "PNG"), "pixels",
     {"width": 8000, "height": 7000, "most": 50.0}),
    (encoded(coffee().convert("L"), "JPEG")[:4000], "cut", {}),
    (b"%PDF-1.4", "no-image", {}),
    (bytes(70 << 20), "size", {"megabytes": 64.0}),
])  # fmt: skip
def test_what_is_refused_has_a_kind_and_its_numbers(patient, content, kind, values):
    answer = patient.post("/v1/photos", files={"photo": content})
    assert answer.headers["content-type"] == "application/problem+json"
    about = answer.json()
    assert about.pop("detail")
    assert about == {
        "type": f"urn:tintype:problem:{kind}", "status": answer.status_code, "values": values
    }  # fmt: skip
    document = patient.get("/openapi.json").json()["paths"]["/v1/photos"]["post"]["responses"]
    assert list(document["422"]["content"]) == ["application/problem+json"]
    assert patient.get("/v1/nothing").json()["type"] == "urn:tintype:problem:not-found"


def test_of_a_long_answer_only_the_start_is_looked_at():
    class Words(str):
        def encode(self, *_):
            raise AssertionError(f"looked at all {len(self)}")

    body = problems.answer(422, "request", Words("a " * 5000)).body
    assert json.loads(body)["detail"] == ("a " * 100)[:197] + "..."


usual = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(usual)
def test_usual_json_is_read_as_python_reads_it(value):
    text = json.dumps(value).encode()
    assert parse_json(text) == json.loads(text)


@given(st.binary() | usual.map(lambda value: json.dumps(value).encode()[:-1]))
def test_other_bytes_are_refused_by_one_error(body):
    with contextlib.suppress(JsonError):
        assert parse_json(body) == json.loads(body)


# --- numbers and HEAD, of all routes --------------------------------------------------------------


@pytest.fixture(scope="module")
def studying(tmp_path_factory):
    """A client of a study of one pair."""
    folder = tmp_path_factory.mktemp("study")
    for method in ("real", "ours"):
        (folder / method).mkdir()
        Image.new("RGB", (8, 8)).save(folder / method / "a.png")
    with TestClient(
        study.create_app(Study(folder, folder / "answers.csv", None)), **HERE
    ) as client:
        yield client


def list_numbers(schema):
    """The ways to the numbers that a field may be, each a list of indices."""
    for kind in (schema, *schema.get("anyOf", [])):
        whole = any(isinstance(value, int) for value in kind.get("enum", []))
        if whole or kind.get("type") in ("number", "integer"):
            yield []
    for index, item in enumerate(schema.get("prefixItems", [])):
        yield from ([index, *way] for way in list_numbers(item))


def put(value, way, number):
    if not way:
        return number
    return [put(v, way[1:], number) if i == way[0] else v for i, v in enumerate(value)]


def test_numbers_are_numbers_in_every_field_of_every_route(patient, studying, gray_file):
    sent = patient.post("/v1/photos", files={"photo": gray_file}).json()["id"]
    needed = {"at": [0.5, 0.5], "photos": [sent], "trial": "x", "choice": "left", "milliseconds": 1}
    fields = set()
    for client in (patient, studying):
        about = client.get("/openapi.json").json()
        for path, verbs in about["paths"].items():
            content = verbs.get("post", {}).get("requestBody", {}).get("content", {})
            if "application/json" not in content:
                continue
            name = content["application/json"]["schema"]["$ref"].split("/")[-1]
            schema = about["components"]["schemas"][name]
            body = {key: needed[key] for key in schema.get("required", [])}
            address = path.format(photo_id=sent)
            assert client.post(address, json=body).status_code in (200, 404), path
            for field, kind in schema["properties"].items():
                for way in list_numbers(kind):
                    fields.add(f"{name}.{field}")
                    for number in ("1", "8", True, False):
                        odd = body | {field: put(body.get(field), way, number)}
                        answer = client.post(address, json=odd)
                        assert answer.status_code == 422, (path, odd)
                        assert answer.json()["detail"].startswith("expected "), (path, odd)
    assert fields >= {
        "Render.alternative", "Render.vividness", "Render.depth", "RecipeFile.version",
        "RegionIn.at", "RegionIn.reach", "PlaceIn.at", "Answer.milliseconds",
    }  # fmt: skip


@pytest.mark.parametrize("edit", [
    {"towards": "red", "amount": True}, {"shift_hue": True}, {"saturation": False},
    {"boost": "red", "share": True}, {"towards": "red", "amount": "0.5"}, {"saturation": "1"},
    {"recolor": [{"from": "red", "to": "blue", "scale": True}]},
    {"at": [True, 0], "color": "red"}, {"at": [0.5, 0.5], "color": "red", "reach": True},
])  # fmt: skip
def test_numbers_are_numbers_in_edits(patient, edit):
    answer = patient.post("/v1/recipes", json={"edits": [edit]})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("expected ")


def test_head_is_answered_as_get_is_by_every_route_and_page(patient, studying, gray_file):
    sent = patient.post("/v1/photos", files={"photo": gray_file}).json()["id"]
    picture = studying.post("/v1/study").json()["trials"][0]["left"]
    asked = 0
    for client, pages in ((patient, "/ /index.html /docs.html /none"), (studying, "/ /study.js")):
        paths = client.get("/openapi.json").json()["paths"]
        routes = [p.format(photo_id=sent, name=picture) for p in paths if "get" in paths[p]]
        for path in (*routes, *pages.split(), "/openapi.json", "/v1/photos/none/gray"):
            head, full = client.head(path), client.get(path)
            assert (head.status_code, head.headers) == (full.status_code, full.headers), path
            assert head.content == b"", path
            asked += head.status_code == 200
    assert asked >= 3 + 4 + 4
    assert patient.head("/", headers={"host": "rebound.example"}).status_code == 400
