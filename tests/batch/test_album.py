"""Albums: one palette for many photos, or a walk from one to another."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import opened, tintype
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tiny import draw, files, lines

from tintype import Bins, Colorizer, Palette, PaletteError, Recipe
from tintype.batch.album import (
    Album,
    Interpolation,
    average,
    measure_each,
)
from tintype.batch.folder import Target
from tintype.batch.location import spread_places
from tintype.batch.one_photo import make_method
from tintype.bins import OKLAB
from tintype.photo import read

SHARES = arrays.arrays(np.float64, OKLAB.count, elements=st.floats(0, 1), fill=st.just(0.0)).filter(
    lambda shares: shares.sum() > 1e-3
)
PALETTE = SHARES.map(lambda shares: Palette(OKLAB, shares))
PALETTES = st.lists(PALETTE, min_size=1, max_size=6)


# --- palettes -------------------------------------------------------------------------------------


@given(PALETTES, st.randoms())
def test_the_mean_is_a_palette_whatever_the_order(palettes: list[Palette], random: Any) -> None:
    one = average(palettes)
    assert one.shares.sum() == pytest.approx(1)
    low, high = (f([p.shares for p in palettes], axis=0) for f in (np.min, np.max))
    assert (low - 1e-12 <= one.shares).all()
    assert (one.shares <= high + 1e-12).all()
    random.shuffle(palettes)
    np.testing.assert_allclose(average(palettes).shares, one.shares, atol=1e-12)


@given(PALETTE)
def test_the_mean_of_one_kind_of_photo_is_its_palette(palette: Palette) -> None:
    np.testing.assert_allclose(average([palette] * 3).shares, palette.shares, atol=1e-12)


@given(PALETTE, PALETTES, st.floats(0, 1))
def test_cohesion_goes_from_each_photos_own_to_one_for_all(
    album: Palette, owns: list[Palette], cohesion: float
) -> None:
    for own in owns:
        alone, alike, between = (Album(album, x).start(own, 0.0) for x in (0, 1, cohesion))
        np.testing.assert_allclose(alone.shares, own.shares, atol=1e-12)
        np.testing.assert_array_equal(alike.shares, Album(album, 1).start(owns[0], 1.0).shares)
        gap = np.abs(between.shares - album.shares).sum()
        whole = np.abs(own.shares - album.shares).sum()
        assert gap == pytest.approx((1 - cohesion) * whole, abs=1e-9)


@given(PALETTE, PALETTE, PALETTE, st.integers(2, 50))
def test_a_walk_begins_and_ends_at_its_palettes(
    first: Palette, last: Palette, own: Palette, count: int
) -> None:
    walk = Interpolation(first, last)
    steps = [walk.start(own, place) for place in spread_places(count)]
    np.testing.assert_array_equal(steps[0].shares, Palette(OKLAB, first.shares).shares)
    np.testing.assert_array_equal(steps[-1].shares, Palette(OKLAB, last.shares).shares)
    away = [np.abs(step.shares - first.shares).sum() for step in steps]
    assert away == sorted(away) or np.allclose(np.diff(away), 0, atol=1e-9)


def test_tones_go_through_albums_and_walks() -> None:
    """A photo whose tones are not told apart has its colors in each of them."""
    rng = np.random.default_rng(0)
    toned, plain = (Palette(OKLAB, rng.random(OKLAB.count)) for _ in range(2))
    toned = replace(toned, tones=rng.random((3, OKLAB.count)))
    assert average([plain, plain]).tones is None
    expected = (toned.tones + plain.shares) / 2
    for palette in (average([toned, plain]), Interpolation(toned, plain).start(plain, 0.5)):
        assert palette.tones is not None
        np.testing.assert_allclose(palette.tones, expected, atol=1e-12)
    assert set(toned.to_json(fine=True)["tones"]) == {"shadows", "midtones", "highlights"}


def test_places() -> None:
    assert spread_places(0) == []
    assert spread_places(1) == [0]
    assert spread_places(3) == [0, 0.5, 1]


def test_what_has_no_mean_is_refused() -> None:
    with pytest.raises(PaletteError, match="one photo at least"):
        average([])
    other = Bins(12, (0.1,))
    with pytest.raises(PaletteError, match="same bins"):
        average([Palette(bins, np.ones(bins.count)) for bins in (OKLAB, other)])


def test_an_albums_palette_is_a_palettes_file(colorizer: Colorizer, astronaut: np.ndarray) -> None:
    palette = colorizer.encode(astronaut).palette.ban("blue")
    about = json.loads(json.dumps(palette.to_json(fine=True)))
    back = Palette.from_json(palette.bins, about)
    assert palette.distance(back) < 0.001
    assert palette.distance(Palette.from_json(palette.bins, palette.to_json())) > 0.001
    assert back.banned == pytest.approx(palette.banned, abs=1)


# --- photos ---------------------------------------------------------------------------------------


def test_photos_are_colored_from_an_albums_palettes(
    colorizer: Colorizer, astronaut: np.ndarray
) -> None:
    encoded = colorizer.encode(astronaut)
    warm, cold = (encoded.palette.towards(color, 0.5) for color in ("orange", "blue"))
    plain = colorizer.decode(encoded).chroma
    for start, place, palette in (
        (Album(warm, 0).start, None, encoded.palette),
        (Album(warm, 1).start, None, warm),
        (Album(warm, 0.5).start, None, encoded.palette.blend(warm, 0.5)),
        (Interpolation(warm, cold).start, 0.0, warm),
        (Interpolation(warm, cold).start, 1.0, cold),
    ):
        color = make_method(colorizer, Recipe(), start=start)
        ((result, reached),) = color(encoded.photo, Target("x.jpg", "y.jpg", "x.jpg", place))
        same = palette is encoded.palette
        written = None if same else palette.to_json(fine=True)  # as in the recipe that it keeps
        wanted = colorizer.decode(encoded, Recipe(written, vividness=colorizer.model.vividness))
        np.testing.assert_array_equal(result.chroma, wanted.chroma)
        assert reached is None
        again = colorizer.decode(encoded, Recipe.from_json(result.recipe.to_json()))
        np.testing.assert_array_equal(again.chroma, result.chroma)
        assert (np.abs(result.chroma - plain).max() < 1e-3) == same


def test_edits_come_after_an_albums_palette(colorizer: Colorizer, astronaut: np.ndarray) -> None:
    photo = read(astronaut)
    recipe = Recipe().shift_hue(120)
    album = Album(colorizer.encode(photo).palette.towards("orange", 0.5), 1)
    ((result, reached),) = make_method(colorizer, recipe, start=album.start)(
        photo, Target("x", "y")
    )
    vivid = colorizer.model.vividness
    written = album.palette.to_json(fine=True)
    wanted = colorizer.colorize(photo, Recipe(written, edits=recipe.edits, vividness=vivid))
    np.testing.assert_array_equal(result.chroma, wanted.chroma)
    assert reached is not None
    assert reached > 0.3


def test_palettes_of_photos_come_in_their_order_and_failures_are_said() -> None:
    palettes = {str(k): Palette(OKLAB, np.eye(OKLAB.count)[k]) for k in range(20)}
    for workers in (1, 4):
        found, (line,) = measure_each(palettes.__getitem__, [*palettes, "gone"], workers=workers)
        assert [palette is palettes[str(k)] for k, palette in enumerate(found)] == [True] * 20
        assert line.startswith("gone: expected")


# --- by command -----------------------------------------------------------------------------------


@pytest.fixture
def roll(tmp_path: Path) -> Path:
    """Where a folder `scans` with four small photos lies."""
    for number in range(4):
        draw(tmp_path / "scans" / f"{number}.png", 50 * number, (96, 64 + 8 * number))
    return tmp_path


def test_an_album_by_command(roll: Path) -> None:
    def made(out: str, *options: object) -> dict[str, str]:
        tintype("colorize", "scans", "-o", out, "--no-provenance", *options, cwd=roll)
        return {name: hash for name, hash in files(roll / out).items() if name.endswith("png")}

    plain, own = made("plain"), made("own", "--album", "--cohesion", 0)
    assert plain == own
    half, one = made("half", "--album"), made("one", "--album", "--cohesion", 1)
    assert all(len({plain[name], half[name], one[name]}) == 3 for name in plain)
    about = json.loads((roll / "one" / "album.json").read_text())
    assert about["photos"] == 4
    assert about == json.loads((roll / "half" / "album.json").read_text())
    shown = json.loads(tintype("palette", "scans", "--json", cwd=roll).stdout)
    assert shown["neutral"] == pytest.approx(about["neutral"], abs=0.001)


def test_an_albums_palette_is_kept_and_may_be_edited(roll: Path) -> None:
    options = ("scans", "-o", "out", "--album")
    tintype("colorize", *options, cwd=roll)
    first = files(roll / "out")
    draw(roll / "scans" / "new.png", 200)
    done = tintype("colorize", *options, cwd=roll)
    assert b"1 colored into out, 4 were done before" in done.stderr
    assert files(roll / "out")["album.json"] == first["album.json"]
    palette = {"version": 1, "colors": [{"color": "#4060c0", "share": 1}], "neutral": 1}
    (roll / "out" / "album.json").write_text(json.dumps(palette))
    assert b"5 colored into out" in tintype("colorize", *options, cwd=roll).stderr
    (roll / "out" / "album.json").write_text("{}")
    done = tintype("colorize", *options, cwd=roll, status=1)
    assert done.stderr.startswith(b"tintype: out/album.json: expected a palette")


def test_a_walk_by_command(roll: Path) -> None:
    for name, color in (("a", "#c07040"), ("b", "#4060c0")):
        palette = {"version": 1, "colors": [{"color": color, "share": 1}], "neutral": 1}
        (roll / f"{name}.json").write_text(json.dumps(palette))
    options = ("scans", "-o", "out", "--interpolate", "a.json", "b.json")
    tintype("colorize", *options, cwd=roll)
    recipes = [line["recipe"].partition("@")[2] for line in lines(roll / "out", "ok")]
    assert sorted(recipes) == ["0.000000", "0.333333", "0.666667", "1.000000"]
    chroma = [read_chroma(roll / "out" / f"{k}.color.png") for k in range(4)]
    assert chroma[0] < -5 < 5 < chroma[3]
    assert chroma == sorted(chroma)
    assert b"4 were done" in tintype("colorize", *options, cwd=roll).stderr
    draw(roll / "scans" / "z.png")
    done = tintype("colorize", *options, cwd=roll)
    assert b"4 colored" in done.stderr  # only the first keeps its place


def read_chroma(path: Path) -> float:
    """How much bluer a photo is than yellow: the mean of Cb, centered on 0."""
    return float(np.asarray(opened(path).convert("YCbCr"))[..., 1].mean() - 128)


def test_the_palette_of_a_folder(roll: Path) -> None:
    (roll / "scans" / "bad.jpg").write_bytes(b"no photo")
    draw(roll / "scans" / "more" / "c.png", 200)
    options = ("--json", "--plot", "p.png", "--overwrite")
    done = tintype("palette", "scans", *options, cwd=roll, status=1)
    assert done.stderr.startswith(b"tintype: scans/bad.jpg: expected an image")
    (roll / "scans" / "bad.jpg").unlink()
    assert tintype("palette", "scans", *options, cwd=roll).stdout == done.stdout
    more = tintype("palette", "scans", "--recursive", *options, cwd=roll)
    assert more.stdout != done.stdout
    own = json.loads(tintype("palette", "scans", "--own", "--json", cwd=roll).stdout)
    assert own["neutral"] == pytest.approx(1, abs=0.01)
    (roll / "none").mkdir()
    done = tintype("palette", "none", cwd=roll, status=1)
    assert done.stderr.startswith(b"tintype: none: expected photos, found none")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scans/0.png", "--album"), "expected a folder with --album"),
        (("scans/0.png", "--interpolate", "a", "b"), "expected a folder with --interpolate"),
        (("scans", "-o", "out", "--cohesion", "1"), "expected --album with --cohesion"),
        (("scans", "-o", "out", "--album", "--cohesion", "2"), "--cohesion"),
        (("scans", "-o", "out", "--album", "--interpolate", "a", "b"), "--album and --interpolate"),
        (("scans", "-o", "out", "--album", "--palette", "a"), "--album and --palette"),
        (("scans", "-o", "out", "--album", "--like", "a"), "--album and --like"),
        (("scans", "-o", "out", "--album", "--alternatives", "2"), "--album and --alternatives"),
        (
            ("scans", "-o", "out", "--album", "--like", "a", "--method", "welsh2002"),
            "expected no choices of the model with --method welsh2002, found --album",
        ),
    ],
)
def test_usage_errors_write_nothing(roll: Path, arguments: tuple[str, ...], message: str) -> None:
    done = tintype("colorize", *arguments, cwd=roll, status=2)
    assert message in done.stderr.decode()
    assert not (roll / "out").exists()


def test_a_recipe_with_a_palette_does_not_go_with_an_album(roll: Path) -> None:
    palette = {"version": 1, "colors": [{"color": "#4060c0", "share": 1}]}
    recipe = {"version": 1, "palette": palette}
    (roll / "r.json").write_text(json.dumps(recipe))
    options = ("-o", "out", "--album", "--recipe", "r.json")
    done = tintype("colorize", "scans", *options, cwd=roll, status=1)
    assert done.stderr.startswith(b"tintype: r.json: expected edits alone beside an album's")
