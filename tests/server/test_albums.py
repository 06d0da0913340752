"""Albums by the server: what photos begin with that belong together."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from server.test_app import render
from tintype.batch import Request, colorize
from tintype.palette import Palette


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


def test_an_album_blends_what_photos_begin_with_now(client, sent, colorizer):
    """By hand: half of each one's own, and half of the mean of the three."""
    bins = colorizer.bins
    red, blue = np.zeros((2, bins.count))
    red[[0, 99]], blue[[0, 115]] = (0.25, 0.75), (0.5, 0.5)  # which #rrggbb can say
    palettes = [Palette(bins, shares).to_json() for shares in (blue, red)]
    starts = [{"palette": 1}, {"palette": 0, "alternative": 1}, {"alternative": 2}]
    other = read_shares(bins, sent["alternatives"][1])
    asked = {"photos": 3 * [sent["id"]], "palettes": palettes, "starts": starts}
    blended = client.post("/v1/albums", json={**asked, "cohesion": 0.5}).json()
    mean = (red + blue + other) / 3
    for variant, own in zip(blended["variants"], (red, blue, other), strict=True):
        assert read_shares(bins, variant) == pytest.approx((own + mean) / 2, abs=0.02)
    look = Palette.from_json(bins, blended["variants"][0]["palette"])
    largest = max(look.colors(), key=lambda one: one[1])
    assert blended["variants"][0]["groups"][0]["color"] == largest[0]
    assert blended["vividness"] == client.get("/v1/health").json()["vividness"]
    back = client.post("/v1/albums", json={**asked, "cohesion": 0}).json()
    for variant, own in zip(back["variants"], (red, blue, other), strict=True):
        assert read_shares(bins, variant) == pytest.approx(own, abs=0.02)
    own, plain = (
        client.post("/v1/albums", json={"photos": 2 * [sent["id"]], **starts}).json()
        for starts in ({"starts": [{}, {}]}, {})
    )
    assert own == plain


def test_an_albums_starts_are_one_for_each_photo_and_no_flood(client, sent):
    two, many = 2 * [sent["id"]], [{"color": "#a05030", "share": 0.001}] * 1001
    answer = client.post("/v1/albums", json={"photos": two, "starts": [{}]})
    assert answer.status_code == 422
    assert "starts should be one for each photo, 2, or none, found 1" in answer.json()["detail"]
    answer = client.post("/v1/albums", json={"photos": two, "starts": [{}, {"palette": 0}]})
    assert answer.status_code == 422
    assert "of 0 palettes, found 0" in answer.json()["detail"]
    flood = {"photos": two, "palettes": [{"version": 1, "colors": many}]}
    answer = client.post("/v1/albums", json=flood)
    assert answer.status_code == 422
    assert "at most 1000, found 1001" in answer.json()["detail"]
    odd = {"photos": two, "palettes": [{"version": 2}]}
    assert client.post("/v1/albums", json=odd).status_code == 422
    looks = [{"version": 1, "colors": many[:130], "neutral": 0.01 * k} for k in range(64)]
    asked = {"photos": 64 * [sent["id"]], "starts": [{"palette": k} for k in range(64)]}
    assert client.post("/v1/albums", json={**asked, "palettes": looks}).status_code == 200


def read_shares(bins, variant) -> np.ndarray:
    return Palette.from_json(bins, variant["palette"]).shares


@pytest.mark.parametrize("asked", [
    {"photos": []}, {"photos": ["x"] * 65}, {"photos": "x"}, {"photos": ["x"], "cohesion": 1.1},
    {"cohesion": 0.5}, {"photos": ["x"], "starts": [{"alternative": 5}]},
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
