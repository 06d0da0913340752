"""The routes: a photo sent once, colored by many recipes, and what is refused."""

import asyncio
import io
import json
import time

import httpx2
import numpy as np
import pytest
from photos import encoded
from PIL import Image

from server.conftest import HERE, coffee, limited
from tintype import Ban
from tintype.bins import Bins
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.server import problems, security
from tintype.server.app import create_app
from tintype.server.schemas import RecipeIn
from tintype.server.service import Limits, Service

JSON = {"content-type": "application/json"}


def opened(answer):
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def render(client, sent, **asked):
    return client.post(f"/v1/photos/{sent['id']}/render", json=asked)


def test_a_sent_photo_comes_with_its_palette(sent):
    assert (sent["width"], sent["height"]) == (320, 213)
    assert sent["format"] == "JPEG"
    assert not sent["colorful"]
    assert len(sent["alternatives"]) == 4
    for variant in (sent, *sent["alternatives"]):
        assert Palette.from_json(Bins(), variant["palette"]).shares.sum() == pytest.approx(1)
        *colors, last = (group["color"] for group in variant["groups"])
        assert "#989898" not in colors  # what is neutral stands last, where there is enough of it
        assert 1 <= len(colors) + (last != "#989898") <= 7
    assert sent["groups"][-1]["color"] == "#989898"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_full_render_is_the_file_that_the_library_saves(client, sent, colorizer, gray_file, kind):
    edits = [{"towards": "red", "amount": 0.16}]
    answer = render(client, sent, edits=edits, size="full", format=kind)
    assert opened(answer).format == kind
    expected = io.BytesIO()
    result = colorizer.colorize(gray_file, Recipe().towards("red", 0.16))
    result.save(expected, format=kind)
    assert answer.content == expected.getvalue()


def test_a_full_render_has_16_bits_where_the_photo_has_them(client):
    deep = np.random.default_rng(0).integers(0, 65536, (64, 80), np.uint16)
    file = {"photo": encoded(Image.fromarray(deep), "PNG")}
    sent = client.post("/v1/photos", files=file).json()
    for asked, wanted in (({}, 16), ({"depth": 8}, 8), ({"depth": 16, "format": "PNG"}, 16)):
        answer = render(client, sent, size="full", **asked)
        assert answer.content[24] == wanted  # of IHDR
    refused = render(client, sent, size="full", format="JPEG", depth=16)
    assert refused.status_code == 422
    assert "expected TIFF or PNG for 16 bits, found JPEG" in refused.json()["detail"]
    assert render(client, sent, depth=12).status_code == 422


def test_metadata_is_kept_in_a_full_render_unless_it_is_stripped(client, sent):
    assert opened(render(client, sent, size="full")).getexif()[0x010F] == "Kodak"
    assert 0x010F not in opened(render(client, sent, size="full", strip_metadata=True)).getexif()
    assert 0x010F not in opened(render(client, sent, size="preview")).getexif()


def test_previews_are_small_and_keep_the_luma(client):
    large = encoded(coffee(600).resize((1600, 1066)).convert("L"), "PNG")
    sent = client.post("/v1/photos", files={"photo": large}).json()
    preview = opened(render(client, sent, format="PNG", edits=[{"saturation": 2}]))
    assert preview.size == (768, 512)
    assert opened(render(client, sent, size="thumbnail")).size == (192, 128)
    gray = opened(client.get(f"/v1/photos/{sent['id']}/gray"))
    assert gray.size == (768, 512)
    shrunk = Image.open(io.BytesIO(large)).resize((768, 512), Image.Resampling.BOX)
    gap = np.abs(np.asarray(preview.convert("L"), int) - np.asarray(shrunk, int))
    assert (gap <= 1).mean() > 0.999


def test_transparency_is_kept_in_previews(client):
    image = coffee()
    image.putalpha(Image.new("L", image.size, 90))
    sent = client.post("/v1/photos", files={"photo": encoded(image, "PNG")}).json()
    assert opened(render(client, sent)).getpixel((5, 5))[3] == 90
    assert sent["format"] == "PNG"


def test_a_shift_of_hues_is_followed_and_said_to_be_reached(client, sent):
    before = np.asarray(opened(render(client, sent)).convert("RGB"), float)
    answer = render(client, sent, edits=[{"shift_hue": 180}])
    after = np.asarray(opened(answer).convert("RGB"), float)
    warm = (before[..., 0] - before[..., 2]).mean(), (after[..., 0] - after[..., 2]).mean()
    assert warm[0] > 2
    assert warm[1] < -2
    assert float(answer.headers["x-tintype-reached"]) > 0.5
    assert json.loads(answer.headers["x-tintype-colors"])["version"] == 1
    assert "decode;dur=" in answer.headers["server-timing"]


def test_without_edits_nothing_was_reached(client, sent):
    assert "x-tintype-reached" not in render(client, sent).headers
    assert "x-tintype-reached" not in render(client, sent, alternative=2).headers
    unmeasured = render(client, sent, edits=[{"saturation": 2}], measure=False)
    assert "x-tintype-colors" not in unmeasured.headers


def test_a_recipe_comes_back_with_all_that_it_takes(client, colorizer):
    edits = [{"ban": "#3060c0"}]
    about = client.post("/v1/recipes", json={"edits": edits, "alternative": 1}).json()
    recipe = Recipe.from_json(json.dumps(about))
    assert recipe.model == colorizer.model.fingerprint
    assert recipe.vividness == colorizer.model.vividness
    assert (recipe.alternative, recipe.edits) == (1, (Ban("#3060c0"),))
    old = {"version": 1, "model": "x", "edits": [{"towards": "red", "amount": 0.5}]}
    assert client.post("/v1/recipes", json=old).json()["edits"][0]["amount"] == 0.25


def test_the_wanted_palette_can_be_kept_and_asked_for(client, sent):
    recipe = {"edits": [{"shift_hue": 120}]}
    found = client.post(f"/v1/photos/{sent['id']}/palette", json=recipe).json()
    wanted = Palette.from_json(Bins(), sent["palette"]).shift_hue(120)
    assert Palette.from_json(Bins(), found["palette"]).distance(wanted) < 0.02
    again = client.post("/v1/palettes", files={"file": json.dumps(found["palette"])}).json()
    assert again["groups"]
    assert opened(render(client, sent, palette=again["palette"])).size == (320, 213)


def test_the_palette_of_a_photo_is_its_own(client):
    answer = client.post("/v1/palettes", files={"file": encoded(coffee(), "PNG")}).json()
    own = Palette.measure(coffee())
    assert Palette.from_json(Bins(), answer["palette"]).distance(own) < 0.02


def test_tones_go_through_the_server_both_ways(client, sent):
    """From a reference, through a render, an edit and a recipe; a palette's file is as good."""
    answer = client.post("/v1/palettes", files={"file": encoded(coffee(), "PNG")}).json()
    own = answer["palette"]
    assert set(own["tones"]) == {"shadows", "midtones", "highlights"}
    again = client.post("/v1/palettes", files={"file": json.dumps(own)}).json()["palette"]
    assert set(again["tones"]) == set(own["tones"])
    plain = {name: value for name, value in own.items() if name != "tones"}
    by_tone, without = (render(client, sent, palette=p, format="PNG") for p in (own, plain))
    assert "tones" not in json.loads(by_tone.headers["x-tintype-colors"])
    gap = np.asarray(opened(by_tone), int) - np.asarray(opened(without), int)
    assert np.abs(gap).mean() > 0.2
    recipe = {"palette": own, "edits": [{"shift_hue": 90}]}
    wanted = client.post(f"/v1/photos/{sent['id']}/palette", json=recipe).json()["palette"]
    shifted = Palette.from_json(Bins(), own).shift_hue(90)
    for tone, expected in zip(
        Palette.from_json(Bins(), wanted).by_tone, shifted.by_tone, strict=True
    ):
        assert Palette(Bins(), tone).distance(Palette(Bins(), expected)) < 0.02
    assert client.post("/v1/recipes", json=recipe).json()["palette"] == own


def test_photos_are_forgotten_when_asked(client, gray_file):
    sent = client.post("/v1/photos", files={"photo": gray_file}).json()
    path = f"/v1/photos/{sent['id']}"
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404
    answer = render(client, sent)
    assert answer.status_code == 404
    assert "send it again" in answer.json()["detail"]


def test_health_names_the_model(client, colorizer):
    about = client.get("/v1/health").json()
    assert about["status"] == "ok"
    assert about["model"] == colorizer.model.fingerprint


# --- what is refused ------------------------------------------------------------------------------

BOMB = encoded(Image.new("1", (8000, 8000)), "PNG")
HOSTILE = {
    "empty": b"",
    "text": b"not a photo at all",
    "truncated": encoded(coffee(), "JPEG")[:2000],
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
    "photoshop": b"8BPS\x00\x01" + bytes(40),
    "bomb": BOMB,
    "script": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(("path", "field"), [("/v1/photos", "photo"), ("/v1/palettes", "file")])
def test_hostile_uploads_are_refused_in_one_line(client, name, path, field):
    before = client.get("/v1/health").json()["photos"]
    answer = client.post(path, files={field: HOSTILE[name]})
    assert answer.status_code == 422
    assert "expected" in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]
    assert client.get("/v1/health").json()["photos"] == before


@pytest.mark.parametrize("asked", [
    {"edits": [{"magic": 1}]},
    {"edits": [{"towards": "grayish", "amount": 0.5}]},
    {"edits": [{"recolor": [{"from": "red", "to": "blue", "scale": -1}]}]},
    {"palette": {"version": 2}},
    {"palette": {"version": 1}, "alternative": 1},
    {"alternative": 5},
    {"vividness": 2},
    {"size": "huge"},
    {"format": "EPS"},
    {"model": "../../etc/passwd"},
])  # fmt: skip
def test_recipes_that_make_no_sense_are_refused(client, sent, asked):
    answer = render(client, sent, **asked)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_body_that_is_too_large_is_refused_while_it_streams(colorizer):
    with limited(colorizer, megabytes=0.5) as client:
        large = {"photo": bytes(600_000)}
        assert client.post("/v1/photos", files=large).status_code == 413

        def stream():
            yield b'--b\r\nContent-Disposition: form-data; name="photo"; filename="x"\r\n\r\n'
            for _ in range(100):
                yield bytes(10_000)

        kind = {"content-type": "multipart/form-data; boundary=b"}
        answer = client.post("/v1/photos", content=stream(), headers=kind)
        assert answer.status_code == 413
        assert "0.5 MB" in answer.json()["detail"]
        assert client.get("/v1/health").status_code == 200


def test_recipes_have_a_limit_of_their_own(client, sent):
    text = json.dumps({"edits": [{"ban": "x" * 5_000_000}]})
    answer = client.post(f"/v1/photos/{sent['id']}/render", content=text)
    assert answer.status_code == 413


@pytest.mark.parametrize("edits", [[{"saturation": "x"}], [{"shift_hue": None}], [{"x": 1}]])
def test_recipes_that_cannot_be_replayed_are_not_made(client, edits):
    assert client.post("/v1/recipes", json={"edits": edits}).status_code == 422


def test_lists_are_bounded(client, sent):
    many = [{"color": "#a05030", "share": 1}] * 1001
    change = {"from": "red", "to": "blue", "scale": 1}
    for asked in (
        {"palette": {"version": 1, "colors": many}},
        {"palette": {"version": 1, "neutral": 1, "banned": ["red"] * 1001}},
        {"edits": [{"recolor": [change] * 1001}]},
    ):
        answer = render(client, sent, **asked)
        assert answer.status_code == 422
        assert len(answer.json()["detail"]) < 200
    large = json.dumps({"version": 1, "colors": many * 50}).encode()
    answer = client.post("/v1/palettes", files={"file": large})
    assert answer.status_code == 422
    assert "bytes" in answer.json()["detail"]


def test_the_work_of_a_request_is_bounded_not_only_its_bytes(client, sent):
    change = {"from": "red", "to": "blue", "scale": 1}
    edits = [{"recolor": [change] * 15}] * 64
    for path in ("/v1/recipes", f"/v1/photos/{sent['id']}/render"):
        began = time.monotonic()
        answer = client.post(path, json={"edits": edits})
        assert answer.status_code == 422
        assert "at most 1000, found 4096" in answer.json()["detail"]
        assert time.monotonic() - began < 2
    assert render(client, sent, edits=[{"recolor": [change] * 200}]).status_code == 200


def test_too_many_values_are_refused_before_they_are_parsed(client, sent, monkeypatch):
    text = json.dumps({"edits": [[]] * 6000})
    monkeypatch.setattr(problems, "json", None)
    answer = client.post(f"/v1/photos/{sent['id']}/render", content=text, headers=JSON)
    assert answer.status_code == 422
    assert "more than 5000 values" in answer.json()["detail"]


def test_refusals_take_their_time_and_answers_do_not(client, sent, monkeypatch):
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(security, "sleep", sleep)
    path = f"/v1/photos/{sent['id']}/render"
    for content, status in ((b"x" * 4_200_000, 413), (b"{", 422), (b"{}", 200)):
        assert client.post(path, content=content, headers=JSON).status_code == status
    assert pauses == [security.PAUSE] * 2


@pytest.mark.parametrize(("changes", "apart"), [(1, False), (24, False), (25, True)])
def test_edits_that_take_long_wait_apart_from_the_others(colorizer, changes, apart):
    service = Service(colorizer, Limits(), None)
    service.full, service.renders = object(), object()
    change = {"from": "red", "to": "blue", "scale": 1}
    color = {"color": "red", "share": 1}
    palette = {"version": 1, "colors": [color] * 499, "neutral": 1}  # as many as of an album's
    asked = RecipeIn(palette=palette, edits=[{"recolor": [change] * changes}])
    assert service.queue_for(asked) is (service.full if apart else service.renders)
    more = RecipeIn(palette=palette | {"colors": [color] * 510})
    assert service.queue_for(more) is service.full


def test_client_file_names_are_not_used(client, gray_file, tmp_path):
    name = f"../../{tmp_path}/evil.jpg"
    answer = client.post("/v1/photos", files={"photo": (name, gray_file)})
    assert answer.status_code == 201
    assert "evil" not in answer.text
    assert not list(tmp_path.iterdir())


def test_twenty_photos_at_once_are_taken_or_put_off(colorizer, gray_file):
    app = create_app(colorizer, limits=Limits(waiting=3))

    async def send(client, content):
        answer = await client.post("/v1/photos", files={"photo": ("photo", content)})
        return answer.status_code, answer.headers.get("retry-after")

    async def main():
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app), **HERE) as client,
        ):
            files = [gray_file, *HOSTILE.values()] * 3
            answers = await asyncio.gather(*(send(client, content) for content in files[:20]))
            after = await send(client, gray_file)
        return answers, after

    answers, after = asyncio.run(main())
    assert after == (201, None)
    assert {status for status, _ in answers} <= {201, 422, 429}
    put_off = [retry for status, retry in answers if status == 429]
    assert len(put_off) >= 10
    assert set(put_off) == {"1"}
