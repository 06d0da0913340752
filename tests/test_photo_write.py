"""Writing photo files: what must be kept, and what must never be lost."""

import io
import os
import stat
from pathlib import Path

import numpy as np
import photos
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from skimage import data

from tintype import photo
from tintype.errors import PhotoError

GRAY = photos.gradient()
SCENE = Image.fromarray(photos.scene())


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".tif", ".tiff", ".webp", ".avif"])
def test_format_follows_the_extension(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"photo{suffix}"
    photo.write(SCENE, path)
    with Image.open(path) as image:
        assert image.format == photo.format_of(path)
        assert image.size == SCENE.size
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["photo", "photo.bmp", "photo.jp2", ".png"])
def test_other_extensions_are_refused(name: str) -> None:
    with pytest.raises(PhotoError, match=r"\.jpg, .*\.avif"):
        photo.format_of(name)


def test_an_explicit_format_wins_over_the_extension(tmp_path: Path) -> None:
    photo.write(SCENE, tmp_path / "photo.bin", format="PNG")
    assert photo.read(tmp_path / "photo.bin").format == "PNG"


@given(arrays.arrays(np.uint8, (9, 7, 3)), st.sampled_from(["PNG", "TIFF"]))
def test_lossless_round_trip(rgb: np.ndarray, format: str) -> None:
    buffer = io.BytesIO()
    photo.write(Image.fromarray(rgb), buffer, format=format)
    np.testing.assert_array_equal(photo.read_rgb(buffer), rgb)


def test_jpeg_takes_ycbcr_planes_directly() -> None:
    planes = SCENE.convert("YCbCr")
    buffer = io.BytesIO()
    photo.write(planes, buffer, format="JPEG", quality=100)
    with Image.open(buffer) as image:
        assert image.layer[0][1:3] == image.layer[1][1:3]  # 4:4:4
        image.draft("YCbCr", image.size)
        assert np.abs(np.asarray(image).astype(int) - np.asarray(planes)).max() <= 2


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "AVIF"])
def test_ycbcr_is_written_as_rgb_elsewhere(format: str) -> None:
    buffer = io.BytesIO()
    photo.write(SCENE.convert("YCbCr"), buffer, format=format)
    difference = photo.read_rgb(buffer).astype(int) - photos.scene()
    assert np.abs(difference).mean() < 4


def test_default_jpeg_keeps_luma_better_than_a_low_quality() -> None:
    image = Image.fromarray(data.coffee())
    luma = photos.luma_of(data.coffee()).astype(int)
    shares = []
    for quality in (75, None, 100):
        buffer = io.BytesIO()
        photo.write(image, buffer, format="JPEG", quality=quality)
        shares.append(float((np.abs(photo.read(buffer).luma - luma) <= 1).mean()))
    assert shares[0] < 0.6 < 0.98 < shares[1] < 0.999 < shares[2]


def test_a_jpeg_made_from_a_jpeg_keeps_its_luma() -> None:
    gray = Image.fromarray((50 + 0.6 * data.camera()).astype(np.uint8))  # room for any chroma
    like = photo.read(photos.encoded(gray, "JPEG", quality=85))
    y, x = np.mgrid[0:512, 0:512] / 512
    waves = (np.sin(5 * x) * np.cos(4 * y), np.cos(4 * x + 1) * np.sin(6 * y))
    chroma = [Image.fromarray((128 + 25 * wave).astype(np.uint8)) for wave in waves]
    planes = Image.merge("YCbCr", [Image.fromarray(like.luma), *chroma])
    files = {}
    for quality in (None, 90, 95):
        files[quality] = io.BytesIO()
        photo.write(planes, files[quality], like=like, format="JPEG", quality=quality)
    difference = photo.read(files[None]).luma.astype(int) - like.luma
    assert (np.abs(difference) <= 1).mean() >= 0.995
    with Image.open(files[None]) as fine, Image.open(files[90]) as usual:
        assert set(fine.quantization[0]) == {2}
        assert fine.quantization[1] == usual.quantization[1]
        assert fine.layer == usual.layer


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "AVIF"])
def test_alpha_of_the_photo_is_attached(format: str) -> None:
    like = photo.read(Image.merge("LA", [Image.fromarray(GRAY)] * 2))
    image = Image.fromarray(GRAY).convert("RGB")
    buffer = io.BytesIO()
    photo.write(image, buffer, like=like, format=format)
    assert image.mode == "RGB"
    alpha = photo.read(buffer).alpha
    assert alpha is not None
    assert np.abs(alpha.astype(int) - GRAY).max() <= (0 if format in ("PNG", "TIFF") else 9)
    if format == "PNG":
        with pytest.raises(PhotoError, match=r"\.png or \.webp"):
            photo.write(image, buffer, like=like, format="JPEG")
        with pytest.raises(PhotoError, match="24 x 16"):
            photo.write(SCENE, buffer, like=like, format=format)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_nothing_of_another_file_slips_into_the_output(format: str) -> None:
    image = SCENE.copy()
    image.info = {"icc_profile": photos.icc("GRAY", 1.8), "comment": b"secret", "xmp": b"secret"}
    buffer = io.BytesIO()
    photo.write(image, buffer, format=format)
    assert b"secret" not in buffer.getvalue()
    with Image.open(buffer) as written:
        assert not written.info.get("icc_profile")
    assert len(image.info) == 3


def test_an_existing_file_is_only_overwritten_on_request(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"precious")
    with pytest.raises(PhotoError, match="overwriting"):
        photo.write(SCENE, path)
    assert path.read_bytes() == b"precious"
    photo.write(SCENE, path, overwrite=True)
    assert photo.read(path).format == "PNG"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    path = tmp_path / "photo.png"
    link = os.link

    def late(source: Path, target: Path) -> None:
        path.write_bytes(b"precious")
        if not links:
            raise OSError(95, "Operation not supported")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(PhotoError, match="overwriting"):
        photo.write(SCENE, path)
    assert path.read_bytes() == b"precious"
    assert len(list(tmp_path.iterdir())) == 1


def test_file_systems_without_links_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", unsupported)
    photo.write(SCENE, tmp_path / "photo.png")
    assert [p.name for p in tmp_path.iterdir()] == ["photo.png"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    old = tmp_path / "old.png"
    old.write_bytes(b"precious")
    for path in (tmp_path / "new.png", old):
        with pytest.raises(PhotoError, match="No space left") as caught:
            photo.write(SCENE, path, overwrite=True)
        assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["old.png"]
    assert old.read_bytes() == b"precious"


def test_what_an_encoder_cannot_hold_is_one_error(tmp_path: Path) -> None:
    wide = Image.new("RGB", (70_000, 1))
    for suffix in (".jpg", ".webp"):
        with pytest.raises(PhotoError, match="size"):
            photo.write(wide, tmp_path / f"wide{suffix}")
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for path in ("none/photo.png", "folder.png", "file/photo.png"):
        with pytest.raises(PhotoError) as caught:
            photo.write(SCENE, tmp_path / path, overwrite=True)
        assert str(tmp_path / path) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(PhotoError, match="expected a file"):
        photo.write(SCENE, "/dev/null", format="PNG", overwrite=True)


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real.png", tmp_path / "link.png"
    link.symlink_to(real)
    with pytest.raises(PhotoError, match="overwriting"):
        photo.write(SCENE, link)
    photo.write(SCENE, link, overwrite=True)
    assert link.is_symlink()
    assert photo.read(real).format == "PNG"


def test_file_mode_follows_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        photo.write(SCENE, tmp_path / "photo.png")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "photo.png").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("image", "options", "match"),
    [
        (Image.fromarray(GRAY), {"format": "PNG"}, "RGB or YCbCr, found L"),
        (SCENE, {}, "pass format"),
        (SCENE, {"format": "GIF"}, "found GIF"),
        (SCENE, {"format": "JPEG", "quality": 0}, "found 0"),
        (SCENE, {"format": "JPEG", "quality": 101}, "found 101"),
    ],
)
def test_wrong_arguments_are_refused(
    image: Image.Image, options: dict[str, object], match: str
) -> None:
    buffer = io.BytesIO()
    with pytest.raises(PhotoError, match=match):
        photo.write(image, buffer, **options)  # type: ignore[arg-type]
    assert not buffer.getvalue()


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".mpo", ".JPG"])
def test_other_names_of_jpeg_keep_their_kind(suffix: str, tmp_path: Path) -> None:
    photo.write(Image.new("RGB", (8, 8)), tmp_path / f"photo{suffix}")
    with Image.open(tmp_path / f"photo{suffix}") as image:
        assert image.format == "JPEG"
