"""The planes that a page enlarges: a file of safetensors that makes the library's own photo."""

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageColor
from safetensors import deserialize
from safetensors.numpy import load
from skimage import data

from server.conftest import coffee
from server.test_app import opened, render
from tintype.border import fade
from tintype.layers import Layer
from tintype.pins import write_mask
from tintype.recipe import Recipe
from tintype.server.schemas import Render
from tintype.server.service import Limits, Service
from tintype.server.store import Sizes
from tintype.upsample import upsample

PINS = [
    {"at": [0.3, 0.4], "color": "navy"},
    {"at": ["200px", "90px"], "color": "#c03020", "reach": 0.7},
]
OVAL = np.hypot(*np.mgrid[-1:1:90j, -1:1:120j]) < 0.6
MASK = {"mask": write_mask(Image.fromarray(np.uint8(255 * OVAL))), "color": "#4040c0"}
KEPT = [{"at": [0.8, 0.8], "color": "keep"}, {"protect": MASK["mask"]}]


def with_border():
    """A photo on white paper."""
    page = Image.new("L", (400, 300), 245)
    page.paste(coffee().convert("L"), (40, 40))
    return page


def send(client, image):
    file = io.BytesIO()
    image.save(file, "PNG")
    answer = client.post("/v1/photos", files={"photo": file.getvalue()})
    return answer.json(), file.getvalue()


def read_about(content):
    """The strings of a file of safetensors."""
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]


def paint(content, luma):
    """Cb and Cr, (H, W) uint8, from the answer and the luma alone."""
    tensors, about = load(content), read_about(content)
    layers = [
        Layer(
            np.float32(tensors[f"layers.{k}.shares"]) / 255,
            np.float32(tensors[f"layers.{k}.tints"]),
            tuple(map(tuple, layer["places"])), tuple(layer["levels"]), layer["fine"],
        )
        for k, layer in enumerate(json.loads(about["layers"]))
    ]  # fmt: skip
    planes = upsample(np.float32(tensors["chroma"]), luma, layers=layers)
    border = tensors.get("border")
    return planes if border is None else tuple(fade(plane, border > 127) for plane in planes)


@pytest.mark.parametrize(("image", "edits", "border"), [
    (coffee(1200).convert("L"), [], False),
    (coffee().convert("L"), [{"saturation": 1.5}, *PINS], False),
    (Image.fromarray(data.camera()), [MASK, *PINS, *KEPT], False),
    (with_border(), [{"towards": "red", "amount": 0.2}, PINS[0]], True),
], ids=["no pins", "two pins", "masks", "a border"])  # fmt: skip
def test_the_planes_and_the_luma_make_the_librarys_photo(client, colorizer, image, edits, border):
    sent, file = send(client, image)
    answer = render(client, sent, size="planes", edits=edits)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.safetensors"
    assert "decode;dur=" in answer.headers["server-timing"]
    assert int(answer.headers["content-length"]) < 12_000  # as gzip
    tensors = dict(deserialize(answer.content))
    assert ("border" in tensors) == border
    assert tensors["chroma"]["shape"][1:] == sent["planes"]
    luma = np.asarray(opened(client.get(f"/v1/photos/{sent['id']}/luma")))
    np.testing.assert_array_equal(luma, np.asarray(image))
    recipe = Recipe.from_json({"version": 2, "edits": edits})
    expected = np.asarray(colorizer.colorize(file, recipe).planes, int)[..., 1:]
    gap = np.abs(np.stack(paint(answer.content, luma), -1) - expected)
    assert (gap > 1).mean() < 0.001  # where 1 more or less decides what is scaled into gamut
    assert np.abs(expected - 128).mean() > 2


def test_luma_comes_with_the_photos_alpha_if_it_has_any(client):
    photo = coffee().convert("LA")
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    sent, _ = send(client, photo)
    assert sent["alpha"]
    luma = opened(client.get(f"/v1/photos/{sent['id']}/luma"))
    assert luma.mode == "LA"
    np.testing.assert_array_equal(np.asarray(luma), np.asarray(photo))


def test_pins_come_with_their_places_and_the_photos_own_luma_there(client):
    noise = np.random.default_rng(0).integers(0, 256, (700, 1000), np.uint8)  # beyond a preview
    sent, _ = send(client, Image.fromarray(noise))
    about = read_about(render(client, sent, size="planes", edits=PINS).content)
    [layer] = json.loads(about["layers"])
    assert layer == {
        "places": [[0.3, 0.4], [200.5 / 1000, 90.5 / 700]],
        "levels": [int(noise[280, 300]), int(noise[90, 200])],
        "fine": False,
    }


def test_planes_without_pins_are_small_and_say_what_pictures_say_in_headers(client, sent):
    asked = {"edits": [{"shift_hue": 90}]}
    plain = {"accept-encoding": "gzip;q=0, br"}
    path = f"/v1/photos/{sent['id']}/render"
    answer = client.post(path, json=asked | {"size": "planes"}, headers=plain)
    assert "content-encoding" not in answer.headers
    content = answer.content
    assert len(content) == int(answer.headers["content-length"]) < 12_000
    assert content == render(client, sent, size="planes", **asked).content
    about, picture = read_about(content), render(client, sent, **asked).headers
    assert about["reached"] == picture["x-tintype-reached"]
    assert json.loads(about["colors"]) == json.loads(picture["x-tintype-colors"])
    plain = read_about(render(client, sent, size="planes").content)
    assert not {"reached", "asked"} & set(plain)
    assert "colors" in plain
    unmeasured = read_about(render(client, sent, size="planes", measure=False, **asked).content)
    assert unmeasured == {"layers": "[]"}


def test_planes_say_what_came_out_of_a_color_that_was_asked_for(client, sent):
    edits = [{"boost": "navy", "share": 0.2}, {"at": [0.5, 0.5], "color": "lime"}]
    content = render(client, sent, size="planes", edits=edits).content
    [found] = json.loads(read_about(content)["asked"])
    assert (found["color"], found["asked"]) == ("navy", "#000080")
    unmeasured = render(client, sent, size="planes", edits=edits, measure=False).content
    assert "asked" not in read_about(unmeasured)
    cb, cr = load(content)["chroma"].astype(int)
    blue = (cb > 8) & (np.abs(cr) < cb)  # of that hue, or near it
    assert found["share"] == pytest.approx(blue.mean(), abs=0.1)
    red, green, blue = ImageColor.getrgb(found["got"])
    assert blue > max(red, green)


def test_planes_are_no_picture(client, sent):
    answer = render(client, sent, size="planes", format="PNG")
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith("planes have no format, found PNG; leave it out")
    assert client.get("/v1/photos/none/luma").status_code == 404


def test_no_full_size_work_is_done_for_planes(colorizer, gray_file, monkeypatch):
    service = Service(colorizer, Limits(), None)
    service.full, service.renders = object(), object()
    sizes = Sizes.of(colorizer.encode(gray_file))
    asked = Render(size="planes", edits=[MASK, {"shift_hue": 30}])
    assert service.queue_for(asked, sizes) is service.renders
    monkeypatch.setattr("tintype.result.upsample", None)
    monkeypatch.setattr("tintype.colorizer.upsample_shares", None)
    assert service.render(sizes, asked).content[8:].startswith(b'{"__metadata__"')


def test_the_api_says_how_planes_are_laid_out(client, sent):
    """Every tensor and every string of an answer that has all of them."""
    edits = [MASK, *PINS, {"boost": "blue", "share": 0.1}]
    content = render(client, sent, size="planes", edits=edits).content
    paths = client.get("/openapi.json").json()["paths"]
    answers = paths["/v1/photos/{photo_id}/render"]["post"]["responses"]["200"]["content"]
    text = answers["application/vnd.safetensors"]["schema"]["description"]
    names = {name.replace(".0.", ".K.").replace(".1.", ".K.") for name in load(content)}
    names |= {f"__metadata__.{name}" for name in read_about(content)} | {"border"}
    assert {name for name in names if f"`{name}`" not in text} == set()
    assert "image/png" in paths["/v1/photos/{photo_id}/luma"]["get"]["responses"]["200"]["content"]
