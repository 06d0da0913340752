"""Names of what is refused, and one line that no terminal obeys."""

import io
import struct

import numpy as np
import photos
import pytest
from PIL import Image

from tintype import photo
from tintype.errors import PhotoError, explain

SCENE = Image.fromarray(photos.scene())


def ftyp(*brands: bytes) -> bytes:
    box = brands[0] + bytes(4) + b"".join(brands)
    return struct.pack(">I", len(box) + 8) + b"ftyp" + box + bytes(200)


@pytest.mark.parametrize(
    ("content", "found", "advice"),
    [
        (b"", "0 bytes", "check"),
        (bytes(99), "zeros", "copy"),
        (b"once upon a time\n", "text", "check"),
        (b"\x1b[31mred", "text", "check"),
        (b"%PDF-1.7\n\x93", "PDF", "extract"),
        (b"8BPS\0\1" + bytes(40), "Photoshop", "convert"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript", "convert"),
        (b"SIMPLE  =                    T", "FITS", "convert"),
        (b"<!DOCTYPE html><html>", "web page", "save"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG", "convert"),
        (b"FUJIFILMCCD-RAW 0201", "raw data", "develop"),
        (ftyp(b"crx ", b"isom"), "raw data", "develop"),
        (ftyp(b"isom", b"mp42"), "video", "export"),
        (ftyp(b"heic", b"mif1") , "HEIC", r"pip install 'tintype\[heif\]'|another copy"),
        (bytes(128) + b"DICM" + bytes(9), "DICOM", "convert"),
        (b"PK\x03\x04" + bytes(30), "ZIP", "unpack"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 60, "damaged", "copy"),
        (bytes(range(1, 99)), "no image", "check"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named_with_what_to_do(content: bytes, found: str, advice: str) -> None:
    with pytest.raises(PhotoError, match=f"found .*{found}.*; .*({advice})"):
        photo.read(content)


def test_odd_jpegs_are_named() -> None:
    jpeg = bytearray(photos.encoded(SCENE, "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 4] = 12
    with pytest.raises(PhotoError, match="a JPEG of 12 bits"):
        photo.read(bytes(jpeg))
    jpeg[frame + 1] = 0xC3
    with pytest.raises(PhotoError, match="lossless or arithmetic"):
        photo.read(bytes(jpeg))
    jpeg[frame + 1], jpeg[frame + 4], jpeg[frame + 9] = 0xC0, 8, 2
    with pytest.raises(PhotoError, match="a JPEG of 2 channels"):
        photo.read(bytes(jpeg))


def test_a_jpeg_that_is_cut_is_of_no_rare_kind() -> None:
    """At any length, in front of its frame, in it and behind it, with Photoshop's block too."""
    values = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)
    plain = photos.encoded(Image.fromarray(values), "JPEG", comment=b"by hand")
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x0a" + b"\x1c\x02\x05\0\x05title"
    whole = plain[:2] + b"\xff\xed" + struct.pack(">H", len(block) + 2) + block + plain[2:]
    luma = photo.read(whole).luma
    scan = whole.index(b"\xff\xda")
    for length in (*range(2, scan + 12), *range(len(whole) - 50, len(whole))):
        if (found := message_of(whole[:length])) == "":
            np.testing.assert_array_equal(photo.read(whole[:length]).luma, luma)
        assert "found a JPEG of" not in found


def message_of(source: bytes) -> str:
    """What a refusal says; nothing if there is none."""
    try:
        photo.read(source)
    except PhotoError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "JPEG2000"])
def test_damage_shows_nothing_of_libraries(format: str) -> None:
    whole = photos.encoded(SCENE, format)
    cuts = (whole[: len(whole) // 2], whole[:60] + b"\xff" * 200 + whole[260:])
    for damaged in cuts:
        message = message_of(damaged)
        for word in ("decoder", "bytes not processed", "\\x", "stream", "buffer", "NoneType"):
            assert word not in message


def test_names_do_not_steer_the_terminal() -> None:
    for name, shown in (("a\x1b[2Jb.jpg", r"a\x1b[2Jb.jpg"), ("a\u202egpj.exe", r"a\u202egpj.exe"),
                        ("a\nb.jpg", "a b.jpg"), ("é ü 写真.jpg", "é ü 写真.jpg"),
                        ("a\udcffb.jpg", r"a\udcffb.jpg")):  # fmt: skip
        with pytest.raises(PhotoError) as caught:
            photo.read(name)
        assert str(caught.value).startswith(f"{shown}: expected")
        assert "free space" not in str(caught.value)


def test_errors_of_the_system_say_what_helps() -> None:
    assert "check the path" in explain(FileNotFoundError(2, "No such file"), "")
    assert "free some space" in explain(OSError(28, "No space left on device"), "")
    assert explain(io.UnsupportedOperation("seek"), "damage") == "found damage"


@pytest.mark.parametrize(
    ("mode", "format"),
    [("L", "PPM"), ("RGB", "PPM"), ("1", "PPM"), ("L", "JPEG2000"), ("RGB", "JPEG2000"),
     ("I;16", "JPEG2000"), ("I", "PPM")],
)  # fmt: skip
def test_pnm_and_jpeg_2000_are_read(mode: str, format: str) -> None:
    image = Image.fromarray(photos.gradient())
    if mode.startswith("I"):
        deep = photos.gradient().astype("u2") * 257
        image = Image.fromarray(deep if mode == "I;16" else deep.astype("i4"))
    else:
        image = image.convert(mode)
    options = {"irreversible": False} if format == "JPEG2000" else {}
    wanted = photos.gradient() if mode != "1" else photos.luma_of(photos.gradient()) * 0
    read = photo.read(photos.encoded(image, format, **options))
    if mode != "1":
        assert (read.luma == wanted).all()
    assert read.format == format
