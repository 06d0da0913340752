"""HEIC and JPEG XL, where their extras are installed and where they are not."""

import io
import sys

import numpy as np
import photos
import pillow_heif
import pillow_jxl  # noqa: F401, registers its format
import pytest
from PIL import Image

from tintype import photo
from tintype.errors import PhotoError
from tintype.formats import extras

SCENE = Image.fromarray(photos.scene())


def heic(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=-1, **options)
    return file.getvalue()


def jxl(image: Image.Image, **options: object) -> bytes:
    return photos.encoded(image, "JXL", lossless=True, **options)


def test_heic_is_read_upright_with_its_metadata() -> None:
    read = photo.read(heic(SCENE))
    assert np.abs(read.luma.astype(int) - photos.luma_of(photos.scene())).max() <= 3
    assert read.format == "HEIF"
    turned = photo.read(heic(SCENE, exif=photos.exif(6)))
    assert turned.size == (80, 96)
    assert turned.metadata.exif.find(315).value == b"Nadar\0"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_jpeg_xl_is_read(mode: str) -> None:
    read = photo.read(jxl(SCENE.convert(mode)))
    np.testing.assert_array_equal(read.luma, photos.luma_of(photos.scene()))
    assert read.format == "JXL"


@pytest.mark.parametrize("size", [(8, 8), (256, 256), (96, 80), (600, 400), (1, 3000), (513, 37)])
@pytest.mark.parametrize("boxed", [False, True])
def test_the_claimed_size_of_jpeg_xl_is_found(size: tuple[int, int], boxed: bool) -> None:
    file = jxl(Image.new("L", size), use_container=boxed)
    assert file.startswith(b"\0\0\0\x0cJXL") == boxed
    with pytest.raises(PhotoError, match=f"{size[0]} x {size[1]} = "):
        photo.read(file, max_pixels=1)
    assert photo.read(file).size == size


def test_too_large_heic_is_refused() -> None:
    with pytest.raises(PhotoError, match="96 x 80"):
        photo.read(heic(SCENE), max_pixels=1000)


@pytest.mark.parametrize(("make", "plugin", "extra"), [(heic, "pillow_heif", "heif"),
                                                       (jxl, "pillow_jxl", "jxl")])  # fmt: skip
def test_without_the_extra_it_is_named(
    make: object, plugin: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make(SCENE)  # type: ignore[operator]
    monkeypatch.setitem(sys.modules, plugin, None)
    with pytest.raises(PhotoError, match=rf"pip install 'tintype\[{extra}\]' to read it"):
        photo.read(file)


@pytest.mark.parametrize("make", [heic, jxl])
def test_damaged_ones_are_refused(make: object) -> None:
    file = make(SCENE)  # type: ignore[operator]
    for damaged in (file[: len(file) // 2], file[:40], file[:40] + b"\xff" * 90 + file[130:]):
        with pytest.raises(PhotoError, match="expected") as caught:
            photo.read(damaged)
        assert "pip" not in str(caught.value)


def test_suffixes_of_extras_that_are_missing_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert extras.list_suffixes() == {".heic", ".heif", ".hif", ".jxl"}
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "pillow_heif" else name)
    assert extras.list_suffixes() == {".jxl"}
