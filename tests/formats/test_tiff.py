"""TIFF: the picture that is meant, with the values that tifffile wrote."""

import io
import logging
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import photos
import pytest
import tifffile
from PIL import Image

from tintype import photo
from tintype.errors import PhotoError
from tintype.formats import tiff

GRAY = photos.gradient(64, 48)
DEEP = GRAY.astype(np.uint16) * 257
RGB = photos.scene(64, 48)


def written(*pages: tuple[np.ndarray, dict[str, Any]], **options: Any) -> bytes:
    """A TIFF file by tifffile, gray where nothing else is said."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file, **options) as writer:
        for values, how in pages:
            writer.write(values, **({"photometric": "minisblack"} | how))
    return file.getvalue()


def test_the_largest_picture_is_read_and_said_to_be() -> None:
    small = (GRAY[::8, ::8], {"subfiletype": 1})
    files = {
        "a thumbnail first": written(small, (GRAY, {"subfiletype": 0})),
        "in a SubIFD": written((small[0], {"subfiletype": 1, "subifds": 1}), (GRAY, {})),
        "without a word": written((GRAY[::8, ::8], {}), (GRAY, {})),
    }
    for name, file in files.items():
        read = photo.read(file)
        np.testing.assert_array_equal(read.luma, GRAY, name)
        assert any("largest" in note and "64 x 48" in note for note in read.notes), name


def test_a_pyramid_and_a_single_page_need_no_word() -> None:
    pyramid = written((GRAY, {"subifds": 1}), (GRAY[::2, ::2], {"subfiletype": 1}))
    for file in (pyramid, written((GRAY, {}))):
        read = photo.read(file)
        np.testing.assert_array_equal(read.luma, GRAY)
        assert read.notes == ()


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}])
def test_each_page_can_be_asked_for(options: dict[str, Any]) -> None:
    pages = [np.roll(GRAY, 9 * i, 1) for i in range(3)]
    file = written(*((page, {}) for page in pages), **options)
    assert "has 3 pages" in photo.read(file).notes[0]
    for i, page in enumerate(pages):
        read = photo.read(file, page=i + 1)
        np.testing.assert_array_equal(read.luma, page)
        assert read.notes == ()
    with pytest.raises(PhotoError, match="expected page 1 to 3, found page 4"):
        photo.read(file, page=4)
    with pytest.raises(PhotoError, match="expected a TIFF for page 2"):
        photo.read(photos.encoded(Image.fromarray(GRAY), "PNG"), page=2)


def test_thumbnails_are_no_pages() -> None:
    file = written((GRAY[::8, ::8], {"subfiletype": 1}), (GRAY, {}), (GRAY[::-1], {}))
    np.testing.assert_array_equal(photo.read(file, page=2).luma, GRAY[::-1])


@pytest.mark.parametrize(
    ("values", "how"),
    [
        (GRAY.astype(np.uint32) * 16843009, {}),
        ((GRAY / 255).astype(np.float16), {}),
        (GRAY / 255, {}),
        ((GRAY / 255).astype(np.float32), {}),
        (65535 - DEEP, {"photometric": "miniswhite"}),
        ((GRAY.astype(np.uint32) * 16843009), {"compression": "lzw"}),
        ((GRAY / 255), {"compression": "zstd"}),
        ((GRAY / 255).astype(np.float32), {"compression": "deflate", "predictor": True}),
        (DEEP, {"tile": (16, 32)}),
    ],
)  # fmt: skip
def test_gray_of_every_depth(values: np.ndarray, how: dict[str, Any]) -> None:
    np.testing.assert_array_equal(photo.read(written((values, how))).luma, GRAY)


def test_signed_numbers_are_scaled_by_their_range() -> None:
    for values, wanted in (([[-32768, 32767]], [[0, 255]]), ([[0, 32767]], [[0, 255]]),
                           ([[-10, 0, 40]], [[0, 51, 255]])):  # fmt: skip
        assert photo.read(written((np.array(values, np.int16), {}))).luma.tolist() == wanted


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_rgb_of_every_depth_and_order(planar: str, compression: str, kind: type) -> None:
    scale = {np.uint16: 257, np.float32: 1 / 255}.get(kind, 1)
    values = (RGB.astype(float) * scale).astype(kind)
    values = np.moveaxis(values, 2, 0) if planar == "separate" else values
    how = {"photometric": "rgb", "planarconfig": planar, "compression": compression}
    file = written((values, how))
    np.testing.assert_array_equal(photo.read_rgb(file), RGB)


def test_what_else_lies_beside_gray_and_rgb() -> None:
    alpha = np.where(np.arange(64) > 30, 255, 128).astype(np.uint8)[None].repeat(48, 0)
    for top, kind in ((1, np.uint8), (257, np.uint16)):
        for colors in (GRAY[..., None], RGB):
            values = np.concatenate([colors, alpha[..., None]], -1).astype(kind) * top
            how = {"photometric": "minisblack" if colors.shape[2] == 1 else "rgb",
                   "planarconfig": "contig"}  # fmt: skip
            wanted = colors[..., 0] if colors.shape[2] == 1 else photos.luma_of(RGB)
            read = photo.read(written((values, how | {"extrasamples": ["unassalpha"]})))
            np.testing.assert_array_equal(read.luma, wanted)
            np.testing.assert_array_equal(read.alpha, alpha)
            infrared = photo.read(written((values, how | {"extrasamples": ["unspecified"]})))
            np.testing.assert_array_equal(infrared.luma, wanted)
            assert infrared.alpha is None
    shares = alpha[..., None] / 255
    values = np.concatenate([DEEP[..., None] * shares, alpha[..., None] * 257.0], -1)
    how = {"planarconfig": "contig", "extrasamples": ["assocalpha"]}
    read = photo.read(written((values.astype(np.uint16), how)))
    assert np.abs(read.luma.astype(int) - GRAY).max() <= 1


def test_color_maps_of_8_and_of_16_bits() -> None:
    colors = np.array([[10, 200, 30], [60, 20, 250], [5, 90, 140]], np.uint16)
    indexes = (np.arange(48 * 64).reshape(48, 64) % 3).astype(np.uint8)
    table = np.zeros((3, 256), np.uint16)
    for scale in (1, 257):
        table[:, :3] = colors.T * scale
        file = written((indexes, {"photometric": "palette", "colormap": table}))
        np.testing.assert_array_equal(photo.read_rgb(file), colors.astype(np.uint8)[indexes])


def test_a_stream_is_read_from_its_beginning() -> None:
    stream = io.BytesIO(written((GRAY, {}), (GRAY.repeat(2, 0), {})))
    stream.seek(0, io.SEEK_END)
    assert photo.read(stream).size == (GRAY.shape[1], 2 * GRAY.shape[0])


def test_metadata_of_what_tifffile_reads_are_kept() -> None:
    how = {"planarconfig": "separate", "photometric": "rgb", "resolution": (300, 300),
           "extratags": [(315, 2, 0, "Nadar", True), (274, 3, 1, 6, True)]}  # fmt: skip
    values = np.moveaxis(RGB.astype(np.uint16) * 257, 2, 0)
    for options in ({}, {"bigtiff": True}, {"byteorder": ">"}):
        read = photo.read(written((values, how), **options))
        np.testing.assert_array_equal(read.luma, photos.luma_of(np.rot90(RGB, -1)))
        assert read.format == "TIFF"
        assert read.metadata.dpi == (300, 300)
        assert read.metadata.exif.find(315).value == b"Nadar\0"


def test_a_camera_s_preview_is_read_only_where_it_is_large() -> None:
    bayer = {"photometric": "cfa", "subfiletype": 0}
    for step, raw in ((1, (GRAY, bayer)), (4, (GRAY.repeat(4, 0), bayer))):
        preview = GRAY[::step, ::step]
        file = written((preview, {"subfiletype": 1, "subifds": 1}), raw)
        if step == 1:
            read = photo.read(file)
            np.testing.assert_array_equal(read.luma, preview)
            assert "not its raw data" in read.notes[0]
        else:
            with pytest.raises(PhotoError, match="found a camera's raw data and a preview of 16"):
                photo.read(file)


def test_a_whole_jpeg_in_a_directory_is_read() -> None:
    """As Nikon keeps its previews: compression 6, with the place and length of a JPEG."""
    jpeg = photos.encoded(Image.fromarray(GRAY), "JPEG", quality=98)
    small = written((GRAY[::8, ::8], {"subfiletype": 1}))
    entries = {254: 1, 259: 6, 513: len(small), 514: len(jpeg)}
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, 4, 1, v) for tag, v in entries.items())
    whole = small + jpeg + bytes(len(jpeg) % 2)
    with tifffile.TiffFile(io.BytesIO(small)) as file:
        at = file.pages.first.offset
    end = at + 2 + 12 * struct.unpack_from("<H", whole, at)[0]
    whole = whole[:end] + struct.pack("<I", len(whole)) + whole[end + 4 :] + directory + bytes(4)
    np.testing.assert_array_equal(photo.read(whole).luma, photo.read(jpeg).luma)


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"compression": "lerc"}, "LERC"),
        ({"compression": "jpeg2000"}, "JPEG2000"),
        ({"photometric": "icclab", "planarconfig": "contig"}, "ICCLAB"),
    ],
)
def test_rare_kinds_are_named(how: dict[str, Any], found: str) -> None:
    values = RGB.astype(np.uint16) if "photometric" in how else GRAY
    with pytest.raises(PhotoError, match=f"expected a TIFF .*, found {found}; convert it"):
        photo.read(written((values, how)))


def test_compressions_of_the_extra_name_it_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tiff, "find_spec", lambda _: None)
    file = written((GRAY.astype(np.uint32), {"compression": "lzw"}))
    with pytest.raises(PhotoError, match=r"LZW; pip install 'tintype\[archival\]'"):
        photo.read(file)
    how = {"photometric": "rgb", "compression": "lzw", "predictor": True}
    read = photo.read(written((RGB.astype(np.uint16) * 257, how)))  # as before, in 8 bits
    np.testing.assert_array_equal(read.luma, photos.luma_of(RGB))
    assert read.deep is None


def test_claimed_sizes_are_refused_before_decoding() -> None:
    file = bytearray(written((GRAY.astype(np.uint32), {"metadata": None})))
    with tifffile.TiffFile(io.BytesIO(file)) as tiff:
        tags = {tag: tiff.pages.first.tags[tag].valueoffset for tag in (256, 257)}
    for offset in tags.values():
        struct.pack_into("<H", file, offset, 60_000)
    with pytest.raises(PhotoError, match="60000 x 60000"):
        photo.read(bytes(file))
    tiled = written((GRAY.astype(np.uint32), {"tile": (16, 16), "metadata": None}))
    with tifffile.TiffFile(io.BytesIO(tiled)) as tiff:
        place = tiff.pages.first.tags[322].valueoffset
    tiled = tiled[:place] + struct.pack("<H", 65_520) + tiled[place + 2 :]
    with pytest.raises(PhotoError, match="bytes of pixels"):
        photo.read(tiled, max_pixels=GRAY.size)


def test_directories_in_a_ring_and_broken_ones_end() -> None:
    file = bytearray(written((GRAY, {}), (GRAY[::2], {})))
    with tifffile.TiffFile(io.BytesIO(file)) as tiff:
        first, second = (page.offset for page in tiff.pages)
    end = second + 2 + 12 * struct.unpack_from("<H", file, second)[0]
    for target in (first, second, len(file) - 1, 2**31):
        struct.pack_into("<I", file, end, target)
        np.testing.assert_array_equal(photo.read(bytes(file)).luma, GRAY)


def bomb(*, directories: int, tags: int, values: int) -> bytes:
    """A TIFF whose tags each claim so many short numbers, all in the same bytes."""
    entry = struct.pack("<HHII", 273, 3, values, 8)
    file = bytearray(struct.pack("<2sHI", b"II", 42, 8 + 2 * values))
    file += bytes(2 * values)
    for number in range(directories):
        at = len(file)
        file += struct.pack("<H", tags) + entry * tags
        file += struct.pack("<I", at + 6 + len(entry) * tags if number < directories - 1 else 0)
    return bytes(file)


@pytest.mark.parametrize(
    ("directories", "tags", "values"), [(900, 100, 4), (1, 4000, 100_000), (40, 100, 50_000)]
)
def test_directories_that_claim_too_much_are_refused_at_once(
    directories: int, tags: int, values: int
) -> None:
    file = bomb(directories=directories, tags=tags, values=values)
    begin = time.process_time()
    with pytest.raises(PhotoError, match="expected a TIFF's usual directories"):
        photo.read(file)
    assert time.process_time() - begin < 2


def test_reading_many_files_leaves_no_trace_in_logging() -> None:
    file = written((GRAY, {}))
    for _ in range(3):
        photo.read(file)
    assert len(logging.getLogger("tifffile").handlers) == 1


def test_no_library_writes_to_standard_error(tmp_path: Path) -> None:
    whole = photos.encoded(Image.fromarray(GRAY), "TIFF", compression="tiff_lzw")
    (tmp_path / "cut.tif").write_bytes(whole[:8] + b"\xff" * 300 + whole[308:])
    deep = written((GRAY.astype(np.uint32), {}), (GRAY, {}))
    (tmp_path / "cut2.tif").write_bytes(deep[: len(deep) - 60])
    many = bytearray(written((GRAY, {"metadata": None})))
    with tifffile.TiffFile(io.BytesIO(many)) as file:
        struct.pack_into("<H", many, file.pages.first.tags[277].valueoffset, 166)
    (tmp_path / "many.tif").write_bytes(many)
    (tmp_path / "ring.tif").write_bytes(b"II*\0\x08\0\0\0" + b"\xff" * 40)
    code = (
        "import sys\nfrom tintype import photo\nfor path in sys.argv[1:]:\n"
        " try: photo.read(path)\n except photo.PhotoError as error: print(error)"
    )
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.count("expected") >= 2
