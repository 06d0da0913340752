"""Photos colored like a reference: in Python, and by `tintype colorize --like`."""

import json
from pathlib import Path

import numpy as np
import pytest
from command import opened, tintype
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from tintype import PhotoError, Result, welsh2002
from tintype.color import rgb_to_oklab, ycbcr_to_rgb
from tintype.photo import read
from tintype.welsh2002 import Swatch, colorize
from tintype.working_size import shrink

WELSH = ("--method", "welsh2002")


def gray_of(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).convert("L"))


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / ((one.astype(float) - other) ** 2).mean()))


def chroma(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(rgb_to_oklab(rgb / 255)[..., 1:])


def luma_kept(path: Path, luma: np.ndarray) -> float:
    """Share of pixels whose luma is within 1/255 once a file is turned gray."""
    gray = np.asarray(opened(path).convert("RGB").convert("L")).astype(int)
    return float((np.abs(gray - luma) <= 1).mean())


@pytest.fixture
def colors(folder: Path) -> Path:
    """The folder with two gray photos, and two references in color."""
    Image.fromarray(data.coffee()).save(folder / "colors.png")
    halves = np.zeros((40, 80, 3), dtype=np.uint8)
    halves[:, :40], halves[:, 40:] = (180, 40, 40), (40, 60, 200)
    Image.fromarray(halves).save(folder / "halves.png")
    return folder


# --- in Python ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_a_photo_gets_its_colors_back_from_itself(name: str) -> None:
    rgb = getattr(data, name)()
    result = colorize(gray_of(rgb), rgb)
    plain = np.repeat(gray_of(rgb)[..., None], 3, axis=2)
    assert psnr(np.asarray(result.image), rgb) > psnr(plain, rgb) + 3
    assert result.palette.shares.sum() == pytest.approx(1, abs=1e-5)


def in_gamut(result: Result) -> bool:
    """Whether the small colors fit the small luma, and the full-size ones the full-size luma."""
    small = shrink(Image.fromarray(result.photo.luma), welsh2002.SIDE).reduce(welsh2002.MEAN_OF)
    planes = np.concatenate([np.asarray(small, dtype=np.float32)[None], result.chroma])
    rgb = ycbcr_to_rgb(np.moveaxis(planes, 0, -1))
    full = ycbcr_to_rgb(np.asarray(result.planes).astype(float) - [0, 128, 128])
    fits = -0.01 <= rgb.min() <= rgb.max() <= 255.01
    return bool(fits and -1.5 <= full.min() <= full.max() <= 256.5)  # give or take rounding


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    other=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    swatched=st.booleans(),
)
def test_luma_is_kept_and_every_chroma_is_in_gamut(
    seed: int, shape: tuple[int, int], other: tuple[int, int], swatched: bool
) -> None:
    rng = np.random.default_rng(seed)
    luma = rng.integers(0, 256, shape, dtype=np.uint8)
    rgb = rng.choice(np.array([0, 90, 255], dtype=np.uint8), (*other, 3))
    rgb[0, 0] = 255, 0, 255
    swatches = [Swatch((0, 0, 0.5, 0.5), (0.2, 0.3, 1, 1))] if swatched else []
    result = colorize(luma, rgb, swatches)
    gray = np.asarray(result.image.convert("L")).astype(int)
    assert (np.abs(gray - luma) <= 1).mean() >= 0.999
    assert in_gamut(result)


def test_saturated_references_stay_in_gamut() -> None:
    y, x = np.mgrid[0:200, 0:300]
    luma = (y + x / 6).astype(np.uint8)
    rgb = np.zeros((60, 90, 3), dtype=np.uint8)
    rgb[:, :30, 0], rgb[:, 30:60, 1], rgb[:, 60:, 2] = 255, 255, 255
    result = colorize(luma, rgb)
    assert np.linalg.norm(chroma(np.asarray(result.image)), axis=-1).max() > 0.2
    assert in_gamut(result)


def test_a_reference_is_read_once_for_many_photos(folder: Path) -> None:
    Image.fromarray(data.chelsea()).save(folder / "colors.png")
    photo = read(folder / "cat.jpg")
    small = welsh2002.read_reference(folder / "colors.png")
    assert small.dtype == np.uint8
    assert min(small.shape[:2]) == welsh2002.SIDE
    one, two = (colorize(photo, source) for source in (folder / "colors.png", small))
    assert one.photo is photo
    np.testing.assert_array_equal(one.chroma, two.chroma)


def test_a_photo_shrunk_as_a_reference_is_not_shrunk_again() -> None:
    wide = np.random.default_rng(0).integers(0, 256, (20, 3000, 3), dtype=np.uint8)
    small = welsh2002.read_reference(wide)
    np.testing.assert_array_equal(welsh2002.read_reference(small), small)


def test_transparency_is_kept() -> None:
    rgba = np.dstack([data.astronaut(), np.full((512, 512), 90, dtype=np.uint8)])
    image = colorize(rgba, data.astronaut()).image
    assert image.mode == "RGBA"
    assert np.unique(np.asarray(image)[..., 3]) == [90]


def test_gray_references_and_large_photos_are_refused() -> None:
    small, rgb = np.zeros((4, 4), dtype=np.uint8), data.coffee()
    with pytest.raises(PhotoError, match="the reference: expected a photo with colors, found"):
        colorize(small, gray_of(rgb))
    for photo, other in ((small, rgb), (gray_of(rgb), rgb[:9, :9])):
        with pytest.raises(PhotoError, match="expected 1 to 1,000 pixels"):
            colorize(photo, other, max_pixels=1000)


# --- by command -----------------------------------------------------------------------------------


def test_one_photo_gets_the_references_colors_and_keeps_its_luma(colors: Path) -> None:
    done = tintype("colorize", "coffee.png", "--like", "colors.png", *WELSH, cwd=colors)
    assert done.stderr == b"tintype: coffee.png -> coffee.color.png\n"
    rgb = np.asarray(opened(colors / "coffee.color.png"))
    gray = read(colors / "coffee.png").luma
    plain = np.repeat(gray[..., None], 3, axis=2)
    assert psnr(rgb, data.coffee()) > psnr(plain, data.coffee()) + 6
    assert luma_kept(colors / "coffee.color.png", gray) == 1


def test_it_has_the_commands_other_options(colors: Path) -> None:
    like = ("--like", "colors.png", *WELSH)
    exif = Image.Exif()
    exif[0x0110] = "Kodak Brownie"
    opened(colors / "cat.jpg").save(colors / "dated.jpg", exif=exif)
    tintype("colorize", "dated.jpg", *like, "--compare", "--threads", "1", cwd=colors)
    assert opened(colors / "dated.color.jpg").getexif()[0x0110] == "Kodak Brownie"
    assert opened(colors / "dated.compare.jpg").width > 2 * 451
    done = tintype("colorize", "dated.jpg", *like, cwd=colors, status=1)
    assert b"--overwrite" in done.stderr
    large = (colors / "dated.color.jpg").stat().st_size
    options = ("--overwrite", "--quality", "20", "--strip-metadata")
    tintype("colorize", "dated.jpg", *like, *options, cwd=colors)
    assert not opened(colors / "dated.color.jpg").getexif()
    assert (colors / "dated.color.jpg").stat().st_size < large / 2
    options = ("-o", "new.jpg", "--max-megapixels", "0.1")
    done = tintype("colorize", "cat.jpg", *like, *options, cwd=colors, status=1)
    assert b"expected 1 to 100,000 pixels" in done.stderr
    assert not (colors / "new.jpg").exists()


def test_it_reads_and_writes_pipes(colors: Path) -> None:
    photo = (colors / "cat.jpg").read_bytes()
    done = tintype("colorize", "-", "--like", "colors.png", *WELSH, cwd=colors, input=photo)
    assert done.stdout.startswith(b"\xff\xd8")


def test_of_several_photos_a_bad_one_stops_none(colors: Path) -> None:
    (colors / "broken.jpg").write_bytes((colors / "cat.jpg").read_bytes()[:2000])
    done = tintype(
        "colorize", "broken.jpg", "cat.jpg", "gone.jpg", "coffee.png",
        "--like", "colors.png", *WELSH, "-o", "out", cwd=colors, status=1,
    )  # fmt: skip
    made = sorted(path.name for path in (colors / "out").iterdir())
    assert made == ["cat.color.jpg", "coffee.color.png"]
    for name in ("broken.jpg", "gone.jpg"):
        (line,) = [line for line in done.stderr.decode().splitlines() if name in line]
        assert line.startswith(f"tintype: {name}: expected")


def test_swatches_take_colors_from_their_boxes_only(colors: Path) -> None:
    """The left of the photo from the reference's blue right half, the right from its red one."""
    swatches = ("--swatch", "0,0,.5,1=.55,0,1,1", "--swatch", "0.5,0,1,1=0,0,0.45,1")
    options = ("--like", "halves.png", *WELSH, *swatches, "-o", "x.png")
    tintype("colorize", "coffee.png", *options, cwd=colors)
    ab = chroma(np.asarray(opened(colors / "x.png")))
    light = (read(colors / "coffee.png").luma > 60)[..., None]  # dark pixels have no room
    left, right = (np.where(light, ab, 0)[:, part] for part in (np.s_[:280], np.s_[320:]))
    assert left[..., 1].max() < 0.01  # no yellow, as red has,
    assert left[..., 1].min() < -0.1  # but blue
    assert right[..., 1].min() > -0.01
    assert right[..., 0].max() > 0.1


def test_a_swatch_may_be_gray(colors: Path) -> None:
    """The left of the photo is gray, the right the reference's red."""
    swatches = ("--swatch", "0,0,.5,1=gray", "--swatch", "0.5,0,1,1=0,0,0.45,1")
    options = ("--like", "halves.png", *WELSH, *swatches, "-o", "x.png")
    tintype("colorize", "coffee.png", *options, cwd=colors)
    rgb = np.asarray(opened(colors / "x.png").convert("RGB")).astype(int)
    assert np.ptp(rgb[:, :280], axis=-1).max() <= 2
    assert np.ptp(rgb[:, 320:], axis=-1).mean() > 20


def test_a_swatch_colors_what_looks_like_it(colors: Path) -> None:
    options = ("--like", "halves.png", *WELSH, "-o", "x.png")
    tintype("colorize", "cat.jpg", *options, "--swatch", ".3,.3,.6,.6=.6,0,1,1", cwd=colors)
    ab = chroma(np.asarray(opened(colors / "x.png")))
    assert ab[..., 1].max() < 0.01
    assert np.median(ab[..., 1]) < -0.03


def test_by_default_it_is_the_references_palette(colors: Path) -> None:
    for name, option in (("one.png", "--like"), ("two.png", "--palette")):
        tintype("colorize", "cat.jpg", option, "colors.png", "-o", name, cwd=colors)
    assert (colors / "one.png").read_bytes() == (colors / "two.png").read_bytes()


def test_a_references_tones_are_kept_by_recipes_and_palettes(colors: Path) -> None:
    """The light of the cat is as blue as its reference's, and its shadows are as red."""
    light = np.linspace(0, 255, 200)[None].repeat(100, axis=0).astype(np.uint8)
    reference = np.where(light[..., None] < 128, (110, 30, 20), (190, 210, 250))
    Image.fromarray(reference.astype(np.uint8)).save(colors / "toned.png")
    like = ("cat.jpg", "--like", "toned.png", "-o", "one.png", "--save-recipe", "r.json")
    tintype("colorize", *like, cwd=colors)
    tintype("colorize", "cat.jpg", "--recipe", "r.json", "-o", "two.png", cwd=colors)
    assert (colors / "one.png").read_bytes() == (colors / "two.png").read_bytes()
    recipe = json.loads((colors / "r.json").read_text())
    own = tintype("palette", "toned.png", "--own", "--json", cwd=colors)
    assert json.loads(own.stdout) == recipe["palette"]
    del recipe["palette"]["tones"]
    (colors / "plain.json").write_text(json.dumps(recipe))
    tintype("colorize", "cat.jpg", "--recipe", "plain.json", "-o", "plain.png", cwd=colors)
    dark = read(colors / "cat.jpg").luma < 110
    by_tone, plain = (chroma(np.asarray(opened(colors / n))) for n in ("one.png", "plain.png"))
    gap = [(ab[dark].mean(0) - ab[~dark].mean(0))[0] for ab in (by_tone, plain)]
    assert gap[0] > gap[1] + 0.01


LIKE = ("--like", "colors.png")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((*LIKE, "--palette", "colors.png"), "expected --like or --palette, found both"),
        ((*LIKE, *WELSH, "--palette", "p.json"), "expected --like or --palette, found both"),
        (WELSH, "expected --like REFERENCE with --method welsh2002, found none"),
        ((*LIKE, "--method", "welsh"), "'welsh' is not one of 'tintype', 'welsh2002'"),
        (("--swatch", "0,0,1,1=0,0,1,1"), "--swatch, found --method tintype"),
        ((*LIKE, "--swatch", "0,0,1,1=0,0,1,1"), "--swatch, found --method tintype"),
        ((*LIKE, *WELSH, "--swatch", "0,0,1,1"), "found '0,0,1,1'"),
        ((*LIKE, *WELSH, "--swatch", "0,0,1,1=grayish"), "found '0,0,1,1=grayish'"),
        ((*LIKE, *WELSH, "--swatch", "gray=0,0,1,1"), "found 'gray=0,0,1,1'"),
        ((*LIKE, *WELSH, "--swatch", "0,0,1=0,0,1,1"), "found '0,0,1=0,0,1,1'"),
        ((*LIKE, *WELSH, "--swatch", "0,0,1,1=0,0,1,x"), "found '0,0,1,1=0,0,1,x'"),
        ((*LIKE, *WELSH, "--swatch", "0,0,1,1=0,0,1,2"), "found '0,0,1,1=0,0,1,2'"),
        ((*LIKE, *WELSH, "--swatch", "0,0,nan,1=0,0,1,1"), "found '0,0,nan,1=0,0,1,1'"),
        ((*LIKE, "--alternatives", "2"), "--alternatives start from the photo"),
        ((*LIKE, "--recipe", "r.json"), "--recipe already says"),
        ((*LIKE, *WELSH, "--towards", "red", "--ban", "blue"), "found --towards, --ban; leave"),
        ((*LIKE, *WELSH, "--saturation", "2"), "found --saturation; leave"),
        ((*LIKE, *WELSH, "--shift-hue", "0"), "found --shift-hue; leave"),
        ((*LIKE, *WELSH, "--vividness", "0"), "found --vividness; leave"),
        ((*LIKE, *WELSH, "--alternatives", "2"), "found --alternatives; leave"),
        ((*LIKE, *WELSH, "--save-recipe", "r.json"), "found --save-recipe; leave"),
        ((*LIKE, *WELSH, "--recipe", "r.json"), "found --recipe; leave"),
        ((*LIKE, *WELSH, "--model", "mine"), "found --model; leave"),
    ],
)
def test_usage_errors_say_what_was_found_and_write_nothing(
    colors: Path, options: tuple[str, ...], message: str
) -> None:
    before = sorted(colors.iterdir())
    done = tintype("colorize", "cat.jpg", *options, cwd=colors, status=2)
    (line,) = [line for line in done.stderr.decode().splitlines() if line.startswith("Error: ")]
    assert message in line
    assert done.stderr.decode().endswith(f"{line}\n")
    assert sorted(colors.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.png", "expected an image"),
        ("notes.txt", "expected an image"),
        ("short.png", "expected an image"),
        ("", "expected an image"),
        ("coffee.png", "expected a photo with colors, found a gray one"),
    ],
)
def test_a_bad_reference_is_one_line(colors: Path, name: str, message: str) -> None:
    (colors / "notes.txt").write_text("blue sky, green grass")
    (colors / "short.png").write_bytes((colors / "colors.png").read_bytes()[:3000])
    done = tintype("colorize", "cat.jpg", "--like", name, *WELSH, cwd=colors, status=1)
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"tintype: {name}")
    assert message in line
    assert not (colors / "cat.color.jpg").exists()
