"""Pins through the API: regions, colors of things, and what is refused of places and masks."""

import base64
import io
import zlib

import bombs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from server.conftest import coffee
from server.test_app import opened, render
from tintype.pins import write_mask
from tintype.recipe import Recipe
from tintype.server.schemas import LIGHT_PINS, PlaceIn, RecipeIn, RegionIn, Render
from tintype.server.service import Limits, Service
from tintype.server.store import Sizes

NAVY = {"at": [0.3, 0.4], "color": "navy"}
HALF = write_mask(Image.fromarray(np.repeat(np.uint8([[0] * 8 + [255] * 8]), 12, 0)))
RED = {"mask": HALF, "color": "red"}


@pytest.fixture(scope="module")
def sent(client, gray_file):
    """A photo that the server has, the same for all tests of this file."""
    return client.post("/v1/photos", files={"photo": gray_file}).json()


def region(client, sent, **asked):
    return client.post(f"/v1/photos/{sent['id']}/region", json=asked)


def base64_of(content):
    return base64.b64encode(content).decode()


# --- regions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reach", [None, 0, 0.7])
def test_a_region_is_the_librarys_as_a_gray_png(client, sent, colorizer, gray_file, reach):
    found = opened(region(client, sent, at=[0.3, 0.4], reach=reach))
    assert (found.format, found.mode) == ("PNG", "L")
    expected = colorizer.encode(gray_file).region(0.3, 0.4, reach)
    np.testing.assert_allclose(np.asarray(found) / 255, expected, atol=0.5 / 255 + 1e-6)
    width, height = found.size
    assert width / height == pytest.approx(sent["width"] / sent["height"], rel=0.05)
    assert found.getpixel((int(0.3 * width), int(0.4 * height))) == 255


def test_a_region_of_a_place_in_pixels_is_that_of_its_middle(client, sent):
    middle = [(96 + 0.5) / sent["width"], (85 + 0.5) / sent["height"]]
    in_pixels, in_shares = (region(client, sent, at=at) for at in (["96px", "85px"], middle))
    assert in_pixels.content == in_shares.content


@pytest.mark.parametrize("asked", [
    {}, {"at": None}, {"at": [0.5]}, {"at": [0.5, 0.5, 0.5]}, {"at": [0.5, 1.5]},
    {"at": [-0.1, 0.5]}, {"at": ["812", 0.5]}, {"at": ["320px", "0px"]}, {"at": ["-1px", "0px"]},
    {"at": [0.5, 0.5], "reach": 2}, {"at": [0.5, 0.5], "reach": "far"},
    {"at": [0.5, 0.5], "color": "red"}, {"at": "0.5,0.5"}, {"at": [[0], 0]},
])  # fmt: skip
def test_bad_places_are_refused_in_one_line(client, sent, asked):
    for route in ("region", "suggestions"):
        answer = client.post(f"/v1/photos/{sent['id']}/{route}", json=asked)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("expected ")
        assert "\n" not in answer.json()["detail"]


def test_a_region_of_a_photo_that_was_not_sent_is_none(client):
    assert region(client, {"id": "none"}, at=[0.5, 0.5]).status_code == 404


def test_the_api_says_that_a_region_is_a_png(client):
    route = client.get("/openapi.json").json()["paths"]["/v1/photos/{photo_id}/region"]["post"]
    assert "image/png" in route["responses"]["200"]["content"]


# --- in recipes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("edits", [[NAVY], [{"towards": "red", "amount": 0.2}, NAVY, RED]])
def test_a_full_render_with_pins_is_the_file_that_the_library_saves(
    client, sent, colorizer, gray_file, edits
):
    answer = render(client, sent, edits=edits, size="full")
    expected = io.BytesIO()
    recipe = Recipe.from_json({"version": 2, "edits": edits})
    colorizer.colorize(gray_file, recipe).save(expected, format="JPEG")
    assert answer.content == expected.getvalue()


@pytest.fixture
def large(client):
    """A photo that is larger than its preview."""
    file = bombs.save(coffee(1600).convert("L").resize((1600, 1064)), "PNG")
    return client.post("/v1/photos", files={"photo": file}).json()


@pytest.mark.parametrize("size", ["preview", "thumbnail"])
def test_pixels_are_those_of_the_photo_whatever_size_is_shown(client, large, size):
    shares = [(1200 + 0.5) / 1600, (500 + 0.5) / 1064]
    pins = [{"at": at, "color": "navy", "reach": 0.2} for at in (["1200px", "500px"], shares)]
    one, other = (render(client, large, edits=[pin], size=size, format="PNG") for pin in pins)
    assert one.content == other.content
    outside = {"at": ["1600px", "0px"], "color": "navy"}
    answer = render(client, large, edits=[outside], size=size)
    assert answer.status_code == 422
    assert "1600 x 1064" in answer.json()["detail"]


def test_a_pin_colors_its_place_and_a_mask_its_half(client, sent):
    picture = opened(render(client, sent, edits=[NAVY], format="PNG")).convert("YCbCr")
    x, y = int(0.3 * picture.width), int(0.4 * picture.height)
    _, cb, cr = picture.getpixel((x, y))
    assert cb > 132 > 128 > cr - 4  # bluer
    covered = opened(render(client, sent, edits=[RED], format="PNG")).convert("YCbCr")
    plain = opened(render(client, sent, format="PNG")).convert("YCbCr")
    gap = np.abs(np.asarray(covered, int) - np.asarray(plain, int)).mean(axis=(0, 2))
    quarter = len(gap) // 4
    assert gap[: quarter + quarter // 2].max() <= 1
    assert gap[-quarter:].min() > 5


def test_the_palette_route_leaves_pins_out(client, sent):
    path = f"/v1/photos/{sent['id']}/palette"
    white = {"protect": write_mask(Image.new("L", (4, 4), 255))}
    shift = {"shift_hue": 90}
    edits = [NAVY, shift, {"at": ["20px", "30px"], "color": "keep"}, white]
    answers = [client.post(path, json={"edits": some}) for some in (edits, [shift])]
    assert answers[0].json() == answers[1].json()


def test_pins_are_no_part_of_what_was_reached(client, sent):
    shift = {"shift_hue": 90}
    reached = [
        render(client, sent, edits=edits).headers.get("x-tintype-reached")
        for edits in ([NAVY, RED], [shift], [NAVY, shift, RED])
    ]
    assert reached[0] is None
    assert reached[1] == reached[2] is not None


def test_suggestions_are_the_librarys(client, sent, colorizer, gray_file):
    asked = {"at": ["96px", "85px"], "edits": [{"towards": "blue", "amount": 0.3}, NAVY]}
    answer = client.post(f"/v1/photos/{sent['id']}/suggestions", json=asked)
    assert answer.status_code == 200
    recipe = Recipe().towards("blue", 0.3)
    expected = colorizer.encode(gray_file).suggest("96px", "85px", recipe, count=5)
    found = answer.json()["colors"]
    assert [one["color"] for one in found] == [one.color for one in expected]
    assert [one["share"] for one in found] == pytest.approx([one.share for one in expected])
    assert 1 < len(found) <= 5


def test_a_recipes_pins_come_back_as_they_were(client):
    edits = [
        NAVY,
        RED,
        {"at": ["812px", "640px"], "color": "keep", "reach": 0.5},
        {"protect": HALF},
    ]
    assert client.post("/v1/recipes", json={"edits": edits}).json()["edits"] == edits


# --- what is refused ------------------------------------------------------------------------------


MASKS = {
    "no base64": "***",
    "cut base64": HALF[:-1],
    "text": base64_of(b"white"),
    "a JPEG": base64_of(bombs.save(Image.new("L", (8, 8), 255), "JPEG")),
    "a color": base64_of(bombs.save(Image.new("RGB", (8, 8), "red"), "PNG")),
    "large": base64_of(bombs.save(Image.new("L", (600, 600), 255), "PNG")),
    "warned of": base64_of(bombs.make_png_that_claims(12_000)),
    "a bomb": base64_of(bombs.make_png_that_claims(60_000)),
    "text that expands": base64_of(bombs.make_png_of_text(100)),
    "a profile that expands": base64_of(
        bombs.make_png_with(bombs.make_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(99_000_000))))
    ),
    "chunks": base64_of(bombs.make_png_of_chunks(1000)),
    "cut": base64_of(bombs.save(Image.new("L", (64, 64), 255), "PNG")[:50]),
    "a list": [1],
    "null": None,
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("kind", ["mask", "protect"])
def test_what_is_no_mask_is_refused_in_one_line(client, sent, name, kind):
    edit = {kind: MASKS[name]} | ({"color": "red"} if kind == "mask" else {})
    for path in ("/v1/recipes", f"/v1/photos/{sent['id']}/render"):
        answer = client.post(path, json={"edits": [edit]})
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("expected a mask")


@pytest.mark.parametrize("edit", [
    {"at": [0.5, 0.5]}, {"at": [2, 0.5], "color": "red"}, {"at": [0.5, 0.5], "color": "reddish"},
    {"at": [0.5, 0.5], "color": None}, {"at": [0.5, 0.5], "color": ["red"]},
    {"at": [0.5, 0.5], "color": "red", "reach": -1}, {"at": None, "color": "red"},
    {"at": [0.5, 0.5], "color": "red", "size": 1}, {"mask": HALF}, {"mask": HALF, "color": 5},
])  # fmt: skip
def test_bad_pins_are_refused_in_one_line(client, sent, edit):
    for path in ("/v1/recipes", f"/v1/photos/{sent['id']}/render"):
        answer = client.post(path, json={"edits": [edit]})
        assert answer.status_code == 422
        assert "\n" not in answer.json()["detail"]


def test_pins_and_masks_are_bounded(client, sent):
    for edits in ([NAVY] * 33, [{"protect": HALF}] * 5 + [RED] * 4):
        for path in ("/v1/recipes", f"/v1/photos/{sent['id']}/render"):
            answer = client.post(path, json={"edits": edits})
            assert answer.status_code == 422
            assert "at most 32 and masks at most 8" in answer.json()["detail"]


@pytest.fixture
def noise():
    """A mask as large as can be, which nothing makes smaller."""
    pixels = np.random.default_rng(0).integers(0, 256, (512, 512), np.uint8)
    return write_mask(Image.fromarray(pixels))


def test_a_mask_in_many_chunks_is_taken(client):
    chunks = base64_of(bombs.make_png_of_chunks(900))
    answer = client.post("/v1/recipes", json={"edits": [{"protect": chunks}]})
    assert answer.status_code == 200


def test_the_largest_masks_are_taken_and_their_recipe_comes_back(client, sent, noise):
    edits = [{"mask": noise, "color": "red"}] * 8
    answer = client.post("/v1/recipes", json={"edits": edits})
    assert answer.status_code == 200
    assert answer.json()["edits"] == edits
    assert render(client, sent, edits=edits).status_code == 200


places = st.lists(st.floats(-0.5, 1.5) | st.integers(-1, 2) | st.sampled_from(["5px", "x"]))
values = st.none() | st.booleans() | st.floats(-1, 2) | st.text(max_size=4) | places
pins = st.one_of(
    st.fixed_dictionaries({"at": st.lists(st.floats(0, 1), min_size=2, max_size=2) | values,
                           "color": st.sampled_from(["red", "keep", "hue:60"]) | values},
                          optional={"reach": values}),
    st.fixed_dictionaries({"mask": st.just(HALF) | st.binary().map(base64_of) | values,
                           "color": st.just("gray") | values}),
)  # fmt: skip


@settings(max_examples=60)
@given(edit=pins, flip=st.integers(0, 8 * 100))
def test_no_pin_breaks_the_server(client, edit, flip):
    if edit.get("mask") == HALF:  # and no damage to a mask
        content = bytearray(base64.b64decode(HALF))
        content[flip // 8 % len(content)] ^= 1 << flip % 8
        edit = edit | {"mask": base64_of(bytes(content))}
    assert client.post("/v1/recipes", json={"edits": [edit]}).status_code in (200, 422)


# --- where they wait ------------------------------------------------------------------------------


def test_new_pins_wait_apart_until_their_regions_are_known(colorizer, gray_file):
    service = Service(colorizer, Limits(), None)
    service.full, service.renders, service.regions = (object() for _ in range(3))
    sizes = Sizes.of(colorizer.encode(gray_file))
    few = [{"at": [k / 10, 0.5], "color": "red"} for k in range(LIGHT_PINS)]
    few[0]["at"] = ["96px", "85px"]
    many = Render(edits=[*few, NAVY])
    assert service.queue_for(Render(edits=few), sizes) is service.regions
    assert service.queue_for(RecipeIn(edits=few), sizes) is service.renders
    assert service.queue_for(PlaceIn(at=few[1]["at"], edits=few), sizes) is service.regions
    assert service.queue_for(many, sizes) is service.full
    for pin in few:
        service.region(sizes, RegionIn(at=pin["at"]))
    assert service.queue_for(Render(edits=few), sizes) is service.renders
    assert service.queue_for(PlaceIn(at=few[1]["at"], edits=few), sizes) is service.renders
    assert service.queue_for(Render(edits=[*few[1:], NAVY]), sizes) is service.regions
    assert service.queue_for(Render(edits=few, size="full"), sizes) is service.full
    assert service.queue_for(RecipeIn(edits=[RED]), sizes) is service.renders
    assert service.queue_for(RecipeIn(edits=[RED, RED]), sizes) is service.full
