"""Reading photo files: what comes in, and what must be refused."""

import contextlib
import io
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import photos
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tintype import photo
from tintype.errors import PhotoError, ProfileError

GRAY = photos.gradient()
SCENE = Image.fromarray(photos.scene())
READABLE = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP")

gray_planes = arrays.arrays(
    np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
)


def refused(source: object, **options: int) -> str:
    with pytest.raises(PhotoError) as caught:
        photo.read(source, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    assert "expected" in message
    assert "found" in message
    return message


# What comes in


@given(
    plane=gray_planes,
    mode=st.sampled_from(["L", "RGB", "RGBA", "LA"]),
    format=st.sampled_from(["PNG", "TIFF"]),
    orientation=st.integers(1, 8),
)
def test_lossless_files_give_back_every_luma_value_in_every_orientation(
    plane: np.ndarray, mode: str, format: str, orientation: int
) -> None:
    stored = Image.fromarray(plane).convert(mode)
    read = photo.read(photos.encoded(stored, format, exif=photos.exif(orientation)))
    turns = {
        1: plane, 2: plane[:, ::-1], 3: plane[::-1, ::-1], 4: plane[::-1], 5: plane.T,
        6: np.rot90(plane, -1), 7: plane[::-1, ::-1].T, 8: np.rot90(plane),
    }  # fmt: skip
    np.testing.assert_array_equal(read.luma, turns[orientation])
    assert read.size == (read.luma.shape[1], read.luma.shape[0])
    assert (read.alpha, read.colorful, read.format) == (None, False, format)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_lossy_files_are_turned_upright(format: str, orientation: int) -> None:
    file = photos.encoded(
        Image.fromarray(GRAY).convert("RGB"), format, quality=95, exif=photos.exif(orientation)
    )
    wanted = photo.read(photos.encoded(Image.fromarray(GRAY), "PNG", exif=photos.exif(orientation)))
    got = photo.read(file)
    assert np.abs(got.luma.astype(int) - wanted.luma).max() < 12


@pytest.mark.parametrize("format", READABLE)
def test_all_kinds_of_sources_read_the_same(format: str, tmp_path: Path) -> None:
    file = photos.encoded(SCENE, format)
    path = tmp_path / "photo.bin"
    path.write_bytes(file)

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    read = photo.read(file)
    with path.open("rb") as stream, Image.open(path) as image:
        for source in (path, str(path), io.BytesIO(file), Pipe(file), stream, image):
            again = photo.read(source)
            np.testing.assert_array_equal(again.luma, read.luma)
            assert again.format == format


def test_an_mpo_is_a_jpeg_of_its_first_picture() -> None:
    second = Image.new("RGB", SCENE.size)
    read = photo.read(photos.encoded(SCENE, "MPO", save_all=True, append_images=[second]))
    assert read.format == "JPEG"
    assert read.luma.mean() > 50


@pytest.mark.parametrize("format", ["GIF", "TIFF", "PNG", "WEBP", "AVIF"])
def test_only_the_first_frame_is_read(format: str) -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("white", "black")]
    file = photos.encoded(frames[0], format, save_all=True, append_images=frames[1:])
    read = photo.read(file)
    assert read.luma.min() >= 250
    assert ("2 pages" if format == "TIFF" else "is an animation") in read.notes[0]
    assert photo.read(photos.encoded(frames[0], format)).notes == ()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK",
                                  "YCbCr", "HSV", "La", "RGBa", "I;16", "I", "F"])  # fmt: skip
def test_pil_images_of_every_mode_are_read(mode: str) -> None:
    stripes = np.repeat(np.array([[0, 255]], np.uint8), 8, axis=0).repeat(8, axis=1)
    if mode in ("I;16", "I"):
        image = Image.fromarray(stripes.astype(np.uint16) * 257)
        image = Image.fromarray(np.asarray(image).astype(np.int32)) if mode == "I" else image
    elif mode == "F":
        image = Image.fromarray(stripes.astype(np.float32) / 255)
    else:
        via = {"La": "LA", "RGBa": "RGBA", "PA": "P", "HSV": "RGB"}.get(mode, "L")
        image = Image.fromarray(stripes).convert(via).convert(mode)
    assert image.mode == mode
    np.testing.assert_array_equal(photo.read(image).luma, stripes)
    assert photo.read(image).format is None


def test_lab_is_read() -> None:
    lab = Image.merge("LAB", [Image.new("L", (8, 8), v) for v in (255, 128, 128)])
    for source in (lab, photos.encoded(lab, "TIFF")):
        assert photo.read(source).luma.min() >= 252


def test_sixteen_bit_gray_is_scaled_not_clipped() -> None:
    deep = np.linspace(0, 65535, 256 * 4).astype(np.uint16).reshape(4, 256)
    wanted = np.rint(deep / 257)
    image = Image.fromarray(deep)
    sources = [deep, image, photos.tiff(deep, 1, big_endian=True), photos.tiff(deep, 1)]
    for source in [*sources, photos.encoded(image, "PNG"), deep.astype(">u2")]:
        np.testing.assert_array_equal(photo.read(source).luma, wanted)


def test_sixteen_bit_transparency_is_kept() -> None:
    deep = np.array([[100, 65535]], np.uint16)
    read = photo.read(photos.encoded(Image.fromarray(deep), "PNG", transparency=100))
    assert read.alpha is not None
    assert read.alpha.tolist() == [[0, 255]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_min_is_white_tiff_is_not_a_negative(dtype: type) -> None:
    top = np.iinfo(dtype).max
    read = photo.read(photos.tiff(np.array([[0, top]] * 4, dtype), 0))
    assert read.luma[0].tolist() == [255, 0]


def test_float_tiff_is_scaled_by_its_range_unless_it_fits_zero_to_one() -> None:
    half = Image.fromarray(np.array([[0.0, 0.5]], np.float32))
    assert photo.read(photos.encoded(half, "TIFF")).luma.tolist() == [[0, 128]]
    wide = Image.fromarray(np.array([[-10.0, np.nan, 40.0]], np.float32))
    assert photo.read(photos.encoded(wide, "TIFF")).luma.tolist() == [[0, 51, 255]]


def test_palette_transparency_becomes_alpha() -> None:
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    image.putpalette([200, 10, 10, 255, 255, 255])
    for transparency in (0, b"\x00\xff"):
        read = photo.read(photos.encoded(image, "PNG", transparency=transparency))
        assert read.alpha is not None
        assert read.alpha.tolist() == [[0, 255]]
        assert read.luma[0, 1] == 255


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_color_key_becomes_alpha(mode: str) -> None:
    image = Image.new(mode, (2, 1))
    image.putpixel((1, 0), (255, 255, 255) if mode == "RGB" else 255)
    key = (255, 255, 255) if mode == "RGB" else 255
    read = photo.read(photos.encoded(image, "PNG", transparency=key))
    assert read.alpha is not None
    assert read.alpha.tolist() == [[255, 0]]


def test_alpha_is_a_plane_of_its_own_and_opaque_alpha_is_none() -> None:
    image = Image.fromarray(GRAY).convert("RGBA")
    assert photo.read(image).alpha is None
    image.putalpha(Image.fromarray(GRAY))
    read = photo.read(photos.encoded(image, "PNG", exif=photos.exif(6)))
    np.testing.assert_array_equal(read.alpha, np.rot90(GRAY, -1))
    np.testing.assert_array_equal(read.luma, np.rot90(GRAY, -1))


def test_planes_are_read_only_and_not_the_callers() -> None:
    mine = GRAY.copy()
    read = photo.read(mine)
    mine[:] = 0
    np.testing.assert_array_equal(read.luma, GRAY)
    assert not read.luma.flags.writeable


@given(plane=gray_planes, kind=st.sampled_from(["uint8", "uint16", "float32", "float64"]))
def test_arrays_are_read(plane: np.ndarray, kind: str) -> None:
    scale = {"uint8": 1.0, "uint16": 257.0}.get(kind, 1 / 255)
    np.testing.assert_array_equal(photo.read((plane * scale).astype(kind)).luma, plane)


def test_color_arrays_are_read() -> None:
    rgb = photos.scene()
    rgba = np.dstack([rgb, np.full(rgb.shape[:2], 9, np.uint8)])
    for source in (rgb, rgb / 255, rgba, rgba[::1].astype(np.float32) / 255):
        np.testing.assert_array_equal(photo.read(source).luma, photos.luma_of(rgb))
    read = photo.read(rgba)
    assert read.alpha is not None
    assert set(read.alpha.ravel()) == {9}


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.int64),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4, 3), np.uint16),
        np.zeros((0, 4), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.full((2, 2), 255.0),
        np.full((2, 2), np.nan),
        np.zeros((2, 2), bool),
    ],
)
def test_other_arrays_are_refused_with_what_came(array: np.ndarray) -> None:
    assert str(array.dtype) in refused(array)


# Colors of a reference photo


def test_read_rgb_shares_decoding_and_shrinks() -> None:
    file = photos.encoded(SCENE, "PNG", exif=photos.exif(6))
    np.testing.assert_array_equal(photo.read_rgb(file), np.rot90(photos.scene(), -1))
    assert photo.read_rgb(file, max_side=48).shape == (48, 40, 3)
    assert photo.read_rgb(GRAY, max_side=1000).shape == (*GRAY.shape, 3)
    with pytest.raises(PhotoError, match="pixels"):
        photo.read_rgb(file, max_pixels=10)


def test_read_rgb_refuses_unknown_colors_if_strict() -> None:
    rgb = Image.fromarray(photos.scene())
    unknown = {
        "none": photos.encoded(rgb.convert("CMYK"), "JPEG"),
        "one that does not": photos.encoded(rgb, "PNG", icc_profile=photos.icc("CMYK")),
    }
    for found, file in unknown.items():
        assert photo.read_rgb(file).shape == (80, 96, 3)
        with pytest.raises(ProfileError, match=f"expected a profile .*, found {found}; convert"):
            photo.read_rgb(file, strict=True)
    known = [
        photos.encoded(rgb.convert("CMYK"), "JPEG", icc_profile=photos.icc("CMYK")),
        photos.encoded(rgb, "PNG", icc_profile=photos.icc("RGB", 1.8)),
        photos.encoded(rgb.convert("L"), "PNG", icc_profile=b"nonsense"),  # gray is gray
        photos.encoded(rgb, "PNG"),
    ]
    for file in known:
        assert photo.read_rgb(file, strict=True).shape == (80, 96, 3)


# Bad input


def test_bad_files_are_refused_in_one_line(tmp_path: Path) -> None:
    good = photos.encoded(SCENE, "JPEG")
    for name, content in {
        "empty.jpg": b"",
        "words.jpg": b"once upon a time\n" * 9,
        "cut.jpg": good[: len(good) // 2],
        "head.jpg": good[:20],
        "page.pdf": b"%PDF-1.7\n",
        "phone.heic": b"\0\0\0\x18ftypheic" + bytes(99),
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert str(path) in refused(path)
        refused(content)
    assert "0 bytes" in refused(b"")
    assert "No such file" in refused(tmp_path / "none.jpg")
    assert "directory" in refused(tmp_path)
    refused("a\0b.jpg")
    assert "int" in refused(3) or "3" in refused(3)
    refused(io.StringIO("text"))


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    assert "Permission denied" in refused(tmp_path / "photo.jpg")


@pytest.mark.parametrize("format", ["EPS", "TGA", "ICO", "PCX"])
def test_other_formats_are_refused(format: str) -> None:
    assert "JPEG, PNG, TIFF, WebP or AVIF" in refused(photos.encoded(SCENE, format))


@given(format=st.sampled_from(READABLE), where=st.floats(0, 1), junk=st.binary(max_size=40))
def test_damaged_files_raise_nothing_but_photo_errors(
    format: str, where: float, junk: bytes
) -> None:
    file = photos.encoded(SCENE, format)
    at = int(where * len(file))
    for damaged in (file[:at], file[:at] + junk + file[at + len(junk) :]):
        with contextlib.suppress(PhotoError):
            photo.read(damaged, max_pixels=1_000_000)


def test_bombs_are_refused_before_decoding() -> None:
    bomb = bytearray(photos.encoded(Image.new("L", (8, 8)), "PNG"))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    message = refused(bytes(bomb))
    assert "60000 x 60000" in message
    assert f"{photo.DEFAULT_MAX_PIXELS:,}" in message
    refused(GRAY, max_pixels=GRAY.size - 1)
    assert photo.read(GRAY, max_pixels=GRAY.size).size == (24, 16)


@pytest.mark.parametrize("format", READABLE)
def test_the_limit_is_ours_and_not_pillows(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = photos.encoded(SCENE, format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert photo.read(file).size == SCENE.size


def test_decoding_holds_up_no_other_thread() -> None:
    class Slow(io.BytesIO):
        waited = False

        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 1000 and not self.waited:  # past the header
                self.waited = True
                pool.submit(photo.read, GRAY).result(timeout=20)
            return super().read(size)

    noise = np.random.default_rng(0).integers(0, 256, (400, 400), np.uint8)
    slow = Slow(photos.encoded(Image.fromarray(noise), "JPEG"))
    with ThreadPoolExecutor(1) as pool:
        assert photo.read(slow).size == (400, 400)
    assert slow.waited


def test_reading_in_threads_leaves_the_process_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    file = photos.encoded(SCENE, "TIFF", exif=photos.exif(6))
    with ThreadPoolExecutor(4) as pool:
        sizes = {read.size for read in pool.map(photo.read, [file] * 40)}
    assert sizes == {(80, 96)}
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


# --- previews -------------------------------------------------------------------------------------


def test_shrunk_photos_are_area_means_and_keep_their_shape():
    luma = np.random.default_rng(0).integers(0, 255, (60, 120), dtype=np.uint8)
    small = photo.read(luma).shrunk(40)
    assert small.size == (40, 20)
    means = luma.reshape(20, 3, 40, 3).mean((1, 3))
    assert np.abs(small.luma - means).max() <= 1  # Pillow rounds after rows and after columns


def test_photos_are_never_enlarged_and_never_vanish():
    small = photo.read(np.full((1, 900), 7, np.uint8))
    assert small.shrunk(1000) is small
    assert small.shrunk(30).size == (30, 1)


def test_transparency_is_shrunk_with_the_photo():
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[:, :20, 3] = 200
    small = photo.read(rgba).shrunk(10)
    assert small.alpha.shape == (10, 10)
    assert (small.alpha[0, 0], small.alpha[0, 9]) == (200, 0)
