"""Albums by the server: what photos begin with that belong together."""

import pytest
from PIL import Image
from skimage import data

from server.test_app import render
from tintype.batch import Request, colorize


def test_photos_of_an_album_are_those_of_the_command(client, tmp_path, monkeypatch):
    """Byte for byte, where nothing else is changed."""
    (tmp_path / "scans").mkdir()
    pictures = {"a": data.coffee(), "b": data.chelsea(), "c": data.astronaut()}
    sent = {}
    for name, picture in pictures.items():
        small = Image.fromarray(picture).convert("L").resize((160, 120))
        file = tmp_path / "scans" / f"{name}.png"
        small.save(file)
        answer = client.post("/v1/photos", files={"photo": file.read_bytes()})
        sent[name] = answer.json()
    monkeypatch.chdir(tmp_path)
    request = Request("scans", "out", album=True, cohesion=0.7)
    assert colorize(request).failures == []
    ids = [one["id"] for one in sent.values()]
    answer = client.post("/v1/albums", json={"photos": ids, "cohesion": 0.7})
    assert answer.status_code == 200, answer.text
    begun = answer.json()
    for (name, photo), variant in zip(sent.items(), begun["variants"], strict=True):
        asked = {"palette": variant["palette"], "vividness": begun["vividness"]}
        saved = render(client, photo, size="full", **asked)
        assert saved.content == (tmp_path / "out" / f"{name}.color.png").read_bytes()
        assert variant["palette"] != photo["palette"]
    alike = client.post("/v1/albums", json={"photos": ids, "cohesion": 1}).json()["variants"]
    assert alike[0]["palette"] == alike[1]["palette"] == alike[2]["palette"]
    own = client.post("/v1/albums", json={"photos": ids, "cohesion": 0}).json()["variants"]
    assert own[0]["palette"] != alike[0]["palette"]


@pytest.mark.parametrize("asked", [
    {"photos": []}, {"photos": ["x"] * 65}, {"photos": "x"}, {"photos": ["x"], "cohesion": 1.1},
    {"cohesion": 0.5},
])  # fmt: skip
def test_albums_that_make_no_sense_are_refused(client, asked):
    answer = client.post("/v1/albums", json=asked)
    assert answer.status_code == 422, answer.text


def test_an_albums_photos_that_the_server_has_forgotten_are_named(client, sent):
    asked = {"photos": ["gone", sent["id"], "lost"]}
    answer = client.post("/v1/albums", json=asked)
    assert answer.status_code == 404
    detail = "expected photos that were sent, not gone, lost; send them again"
    assert answer.json() == {
        "type": "urn:tintype:problem:not-sent",
        "status": 404,
        "detail": detail,
        "values": {"photos": [0, 2]},
    }
