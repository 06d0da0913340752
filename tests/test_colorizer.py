"""The flow on the bundled model: encode once, decode for any palette, luma kept."""

import hashlib
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

import tintype
from tintype.bins import Bins, hue_of
from tintype.color import hue_degrees, oklab_of_luma, oklab_to_rgb, rgb_to_lab, rgb_to_oklab
from tintype.colorizer import Colorizer
from tintype.palette import Palette
from tintype.recipe import Recipe

WEIGHTS = Path(tintype.__file__).parent / "weights"
VIVID = Recipe(vividness=1.0)


def luma_kept(result: tintype.Result, luma: np.ndarray) -> float:
    """Share of pixels whose luma is within 1/255 once the result is turned gray."""
    gray = np.asarray(result.image.convert("RGB").convert("L")).astype(int)
    return float((np.abs(gray - luma) <= 1).mean())


def chroma(result: tintype.Result) -> np.ndarray:
    rgb = np.asarray(result.image.convert("RGB")).astype(np.float32) / 255
    return np.asarray(rgb_to_oklab(rgb)[..., 1:])


@pytest.fixture(scope="module")
def encoded(colorizer: Colorizer, astronaut: np.ndarray) -> tintype.Encoded:
    return colorizer.encode(astronaut)


def test_a_gray_photo_gets_colors_and_keeps_its_luma(
    colorizer: Colorizer, astronaut: np.ndarray
) -> None:
    result = colorizer.colorize(astronaut)
    assert result.image.mode == "RGB"
    assert result.image.size == (512, 512)
    assert np.linalg.norm(chroma(result), axis=-1).mean() > 0.01
    assert luma_kept(result, astronaut) >= 0.999
    assert result.recipe == Recipe().complete(colorizer.model)
    assert Recipe().reached(colorizer, colorizer.encode(astronaut), result) is None


@pytest.mark.parametrize(
    "recipe",
    [
        VIVID.saturate(10),
        VIVID.towards("lime", 1.0),
        VIVID.towards("#0000ff", 1.0).saturate(10),
        VIVID.shift_hue(180).saturate(5),
        VIVID.boost("magenta", 1.0),
        VIVID.saturate(0),
    ],
)
def test_luma_survives_saturated_edits(
    colorizer: Colorizer, encoded: tintype.Encoded, recipe: Recipe
) -> None:
    result = colorizer.decode(encoded, recipe)
    assert luma_kept(result, encoded.photo.luma) >= 0.999


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    spikes=st.integers(1, 4),
    shape=st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_luma_survives_any_palette_on_any_photo(
    colorizer: Colorizer, seed: int, spikes: int, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    luma = rng.integers(0, 256, shape, dtype=np.uint8)
    shares = np.zeros(colorizer.bins.count)
    shares[rng.integers(0, colorizer.bins.count, spikes)] = 1
    photo = colorizer.encode(luma)
    recipe = Recipe(Palette(colorizer.bins, shares), vividness=1.0)
    result = colorizer.decode(photo, recipe)
    assert luma_kept(result, luma) >= 0.999


def test_an_edit_does_not_run_the_encoder_again(
    encoded: tintype.Encoded, monkeypatch: pytest.MonkeyPatch
) -> None:
    colorizer = tintype.load()

    def refuse(*_: object) -> None:
        raise AssertionError("the encoder ran")

    monkeypatch.setattr(colorizer.model, "_encoder", type("Refusing", (), {"run": refuse})())
    assert colorizer.decode(encoded, Recipe().towards("red")).image.size == (512, 512)


def test_towards_red_and_towards_blue_go_there(
    colorizer: Colorizer, encoded: tintype.Encoded
) -> None:
    for name in ("red", "blue"):
        ab = chroma(colorizer.decode(encoded, Recipe().towards(name, 0.64))).mean(axis=(0, 1))
        away = abs((hue_degrees(ab) - tintype.palette.hue_of(name) + 180) % 360 - 180)
        assert away < 45


def test_no_saturation_is_gray(colorizer: Colorizer, encoded: tintype.Encoded) -> None:
    assert colorizer.decode(encoded).chroma.any()
    assert np.abs(colorizer.decode(encoded, Recipe().saturate(0)).chroma).max() < 1e-3
    banned = colorizer.decode(encoded, Recipe().ban("gray").saturate(0))  # which a ban outdoes
    assert np.linalg.norm(chroma(banned), axis=-1).mean() > 0.01


@pytest.mark.parametrize("name", ["red", "orange", "green", "blue"])
def test_a_banned_color_is_gone(colorizer: Colorizer, encoded: tintype.Encoded, name: str) -> None:
    rgb = np.asarray(colorizer.decode(encoded, VIVID.towards(name, 0.5).ban(name)).image) / 255
    banned = hue_of(name, colorizer.bins)
    strong = np.linalg.norm(rgb_to_lab(rgb)[..., 1:], axis=-1) > 8
    away = np.abs((hue_degrees(rgb_to_oklab(rgb)[..., 1:]) - banned + 180) % 360 - 180)
    assert (strong & (away < 15)).mean() < 0.01


def test_vividness_is_monotone(colorizer: Colorizer, encoded: tintype.Encoded) -> None:
    amounts = [
        np.linalg.norm(chroma(colorizer.decode(encoded, Recipe(vividness=v))), axis=-1).mean()
        for v in (0.0, 0.5, 1.0)
    ]
    assert amounts[0] < amounts[1] < amounts[2]


def test_alternatives_are_four_distinct_palettes(
    colorizer: Colorizer, encoded: tintype.Encoded
) -> None:
    palettes = [encoded.palette, *encoded.alternatives]
    assert len(encoded.alternatives) == 4
    gaps = [palettes[i].distance(palettes[j]) for i in range(5) for j in range(i)]
    assert min(gaps) > 0.005
    pictures = [
        np.asarray(colorizer.decode(encoded, Recipe(alternative=k)).image) for k in range(5)
    ]
    assert (
        min(
            np.abs(pictures[i].astype(int) - pictures[j]).mean() for i in range(5) for j in range(i)
        )
        > 0.5
    )


def test_reached_is_one_for_what_came_out_and_zero_for_no_move(
    colorizer: Colorizer, encoded: tintype.Encoded
) -> None:
    wanted = encoded.palette.shift_hue(180)
    recipe = Recipe(wanted)
    result = colorizer.decode(encoded, recipe)
    calm = Recipe(vividness=colorizer.model.vividness_given)
    automatic = colorizer.decode(encoded, calm)
    assert recipe.reached(colorizer, encoded, automatic) == pytest.approx(0)
    before = automatic.palette.distance(wanted)
    after = result.palette.distance(wanted)
    assert recipe.reached(colorizer, encoded, result) == pytest.approx(1 - after / before)


def test_a_measured_edit_costs_one_decode(
    colorizer: Colorizer, encoded: tintype.Encoded, monkeypatch: pytest.MonkeyPatch
) -> None:
    album = replace(encoded, palette=encoded.alternatives[0])
    assert (encoded.automatic is album.automatic, album.automatic) == (False, {})
    plain = Recipe().shift_hue(60)
    edits = [plain, plain.at(0.5, 0.3, "navy"), plain.ban("red"), Recipe(vividness=0.7).saturate(2)]
    colorizer.decode(encoded, edits[1])  # so that the pin's region is known
    decode, calls = type(colorizer.model).decode, []

    def count(model: Any, *arguments: Any) -> Any:
        calls.append(arguments)
        return decode(model, *arguments)

    monkeypatch.setattr(type(colorizer.model), "decode", count)

    def measure(photo: tintype.Encoded, recipe: Recipe) -> tuple[float | None, int]:
        before = len(calls)
        reached = recipe.reached(colorizer, photo, colorizer.decode(photo, recipe))
        return reached, len(calls) - before

    for photo in (replace(encoded), album):
        first = [measure(replace(photo), recipe) for recipe in edits]
        assert [count for _, count in first] == [2, 2, 2, 2]
        assert first[0] == first[1]  # pins are no part of it
        assert [measure(photo, recipe)[0] for recipe in edits] == [share for share, _ in first]
        assert [measure(photo, recipe)[1] for recipe in edits] == [1, 1, 1, 1]
        for k in range(50):
            measure(photo, Recipe(vividness=k / 50).saturate(2))
        assert len(photo.automatic) <= 32
        assert measure(photo, plain) == (first[0][0], 2)  # which was forgotten


def test_every_kind_of_source_gives_the_same(colorizer: Colorizer, tmp_path: Path) -> None:
    gray = data.camera()
    path = tmp_path / "photo.png"
    Image.fromarray(gray).save(path)
    content = path.read_bytes()
    sources = [gray, Image.fromarray(gray), path, str(path), content, io.BytesIO(content)]
    pictures = [colorizer.colorize(source).image.tobytes() for source in sources]
    assert len(set(pictures)) == 1


def test_alpha_comes_back(colorizer: Colorizer) -> None:
    rgba = np.full((40, 30, 4), 128, np.uint8)
    rgba[..., 3] = np.arange(30)
    image = colorizer.colorize(Image.fromarray(rgba)).image
    assert image.mode == "RGBA"
    assert (np.asarray(image)[..., 3] == rgba[..., 3]).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (33, 31), (700, 500)])
def test_any_size_works(colorizer: Colorizer, shape: tuple[int, int]) -> None:
    luma = np.tile(np.arange(shape[1], dtype=np.uint8), (shape[0], 1))
    assert colorizer.colorize(luma).image.size == shape[::-1]


def test_a_palette_comes_from_json_a_file_or_a_photo(colorizer: Colorizer, tmp_path: Path) -> None:
    about = {"version": 1, "colors": [{"color": "#a05030", "share": 0.6}], "neutral": 0.4}
    file = tmp_path / "palette.json"
    file.write_text(json.dumps(about))
    photo = tmp_path / "coffee.png"
    Image.fromarray(data.coffee()).save(photo)
    written = Palette.from_json(colorizer.bins, about)
    assert written.distance(Palette.load(file)) == written.distance(Palette.load(str(file))) == 0
    own = Palette.load(photo)
    assert own.distance(Palette.measure(data.coffee())) == 0
    result = colorizer.colorize(data.camera(), Recipe(own))
    automatic = colorizer.colorize(data.camera())
    assert result.palette.distance(own) < automatic.palette.distance(own)
    encoded = colorizer.encode(data.camera())
    calmer = colorizer.decode(encoded, Recipe(own, vividness=colorizer.model.vividness_given))
    assert (chroma(result) == chroma(calmer)).all()


def split_toned() -> np.ndarray:
    """(120, 180, 3) uint8: a ramp from black over gray to white, dark yellow and light blue."""
    light = np.tile(np.linspace(0, 1, 180), (120, 1))
    yellow, blue = (rgb_to_oklab(np.array(c))[1:] for c in ((0.8, 0.7, 0.2), (0.2, 0.3, 0.8)))
    part = np.abs(2 * light - 1)[..., None]
    ab = np.where(light[..., None] < 0.5, part * yellow, part * blue)
    rgb = oklab_to_rgb(oklab_of_luma(light, ab))
    return (255 * rgb.clip(0, 1)).round().astype(np.uint8)


def test_tones_get_the_colors_that_they_have(colorizer: Colorizer) -> None:
    """Against what a photo would take by itself: it wears blue in its shadows."""
    rgb = split_toned()
    true = Palette.measure(rgb)
    encoded = colorizer.encode(Image.fromarray(rgb).convert("L"))

    def warmer_shadows(palette: Palette | dict[str, Any]) -> float:
        """How much more yellow the shadows are than the highlights, in OKLab's b."""
        b = chroma(colorizer.decode(encoded, Recipe(palette)))[..., 1]
        light = encoded.photo.luma / 255
        dark, bright = ((light > low) & (light < low + 0.3) for low in (0.1, 0.6))
        return float(b[dark].mean() - b[bright].mean())

    plain = warmer_shadows(replace(true, tones=None))
    for palette in (true, true.to_json()):
        assert warmer_shadows(palette) > max(0, plain) + 0.03


def test_a_palette_without_tones_takes_the_photos_moved_as_the_whole(
    colorizer: Colorizer, encoded: tintype.Encoded
) -> None:
    estimate = encoded.palette
    assert estimate.tones is not None
    wanted = replace(estimate.towards("red"), tones=None)
    moved = estimate.tones * (wanted.shares + 1e-3) / (estimate.shares + 1e-3)
    plain, same, other = (
        colorizer.decode(encoded, Recipe(palette)).chroma
        for palette in (
            wanted,
            replace(wanted, tones=moved),
            replace(wanted, tones=np.tile(wanted.shares, (3, 1))),
        )
    )
    np.testing.assert_allclose(same, plain, atol=1e-2)
    assert np.abs(other - plain).max() > 1


def test_a_photos_palette_is_by_tone_and_stays_so() -> None:
    """Blue where it is dark, and orange where it is light, whatever it is asked through."""
    rgb = np.zeros((128, 128, 3), np.uint8)
    rgb[:64], rgb[64:] = (10, 20, 90), (250, 200, 140)
    palette, other = Palette.measure(rgb), Bins(16, (0.02, 0.05, 0.1, 0.2, 0.3))
    assert palette.tones is not None
    for found in (palette, Palette.from_json(other, palette.to_json()), palette.over(other)):
        hues = hue_degrees(found.by_tone[[0, 2]] @ found.bins.centers)
        np.testing.assert_allclose(hues, [hue_of("#0a145a"), hue_of("#fac88c")], atol=8)


def test_threads_do_not_change_the_picture(astronaut: np.ndarray) -> None:
    one, two = (tintype.load(threads=n).colorize(astronaut) for n in (1, 2))
    assert one.image.tobytes() == two.image.tobytes()


def test_broken_models_are_refused_in_one_line(tmp_path: Path) -> None:
    def complaint(folder: Path) -> str:
        with pytest.raises(tintype.ModelError) as caught:
            tintype.load(folder)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "found none" in complaint(tmp_path / "nowhere")
    shutil.copytree(WEIGHTS, tmp_path / "model")
    encoder = tmp_path / "model" / "encoder.onnx"
    content = encoder.read_bytes()
    encoder.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "sha256" in complaint(tmp_path / "model")
    about = tmp_path / "model" / "model.json"
    about.write_text(about.read_text().replace('"format": 3', '"format": 1'))
    said = complaint(tmp_path / "model")
    assert "expected model format 3, found 1; make it anew from its run by tintype export" in said
    about.write_text("{}")
    assert "description" in complaint(tmp_path / "model")
    encoder.unlink()
    assert "encoder.onnx" in complaint(tmp_path / "model")


def test_weights_outside_the_file_are_refused(tmp_path: Path) -> None:
    shutil.copytree(WEIGHTS, tmp_path / "model")
    model = onnx.load(WEIGHTS / "decoder.onnx")
    file = tmp_path / "model" / "decoder.onnx"
    onnx.save(model, file, save_as_external_data=True, location="weights.bin")
    description = tmp_path / "model" / "model.json"
    about = json.loads(description.read_text())
    about["sha256"]["decoder.onnx"] = hashlib.sha256(file.read_bytes()).hexdigest()
    description.write_text(json.dumps(about))
    with pytest.raises(tintype.ModelError, match="elsewhere"):
        tintype.load(tmp_path / "model")


def test_the_bundled_model_is_small_and_says_where_it_comes_from() -> None:
    sizes = [file.stat().st_size for file in WEIGHTS.iterdir()]
    assert sum(sizes) < 25e6
    about = json.loads((WEIGHTS / "model.json").read_text())
    assert {"license", "sha256", "trained", "bins", "vividness"} <= set(about)


def test_public_names_exist() -> None:
    for name in tintype.__all__:
        assert getattr(tintype, name).__doc__
    with pytest.raises(AttributeError):
        tintype.nothing  # noqa: B018
