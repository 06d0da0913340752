"""Photos within every limit on size that cost minutes or gigabytes to decode, made by code."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def save(image: Image.Image, format: str, **options: object) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def make_jpeg_of_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG with so many empty scans, each of which goes over all its blocks."""
    photo = save(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    empty = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00"  # one component, coefficients 1 to 63
    return photo[:-2] + empty * scans + photo[-2:]


def make_jpeg_of_comments(comments: int) -> bytes:
    """A JPEG with so many empty comments."""
    photo = save(Image.new("L", (64, 64), 128), "JPEG")
    return photo[:2] + b"\xff\xfe\x00\x02" * comments + photo[2:]


def make_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    crc = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + crc


def make_png_with(chunks: bytes) -> bytes:
    """A small gray PNG with other chunks before its pixels."""
    photo = save(Image.new("L", (64, 64), 128), "PNG")
    return photo[:33] + chunks + photo[33:]  # after IHDR


def make_png_of_chunks(chunks: int) -> bytes:
    """A PNG with so many empty chunks of a private kind."""
    return make_png_with(make_chunk(b"teSt", b"") * chunks)


def make_png_of_text(chunks: int) -> bytes:
    """A PNG with so many chunks of a million characters, which take a thousand bytes."""
    return make_png_with(make_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000))) * chunks)


def make_png_that_claims(side: int) -> bytes:
    """A PNG of a few bytes that claims so many pixels on a side."""
    head = make_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + make_chunk(b"IDAT", zlib.compress(b""))


def make_tiff(width: int, height: int, compression: int, data: bytes, tile: int = 0) -> bytes:
    """A gray TIFF of one strip or, if `tile` is a side, of one tile."""
    bits = 1 if compression in (2, 3, 4) else 8
    tags = [(256, width), (257, height), (258, bits), (259, compression), (262, 1), (277, 1)]
    if tile:
        tags += [(322, tile), (323, tile), (324, 8), (325, len(data))]
    else:
        tags += [(273, 8), (278, height), (279, len(data))]
    data += bytes(len(data) % 2)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags))
    head = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    return head + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def make_tiff_of_a_huge_tile(tile: int) -> bytes:
    """A TIFF of 64 x 64 pixels in one tile of so many on a side."""
    packer = zlib.compressobj(9)
    rows = [packer.compress(bytes(tile)) for _ in range(tile)]
    return make_tiff(64, 64, 8, b"".join(rows) + packer.flush(), tile)


def make_fax_of_noise(width: int, height: int, size: int) -> bytes:
    """A TIFF of CCITT group 3 whose data of so many bytes are noise."""
    noise = np.random.default_rng(0).integers(0, 256, size, np.uint8).tobytes()
    return make_tiff(width, height, 3, noise)


def claim_less(avif: bytes) -> bytes:
    """An AVIF that says it has 64 x 64 pixels."""
    at = avif.index(b"ispe") + 8  # ISO/IEC 23008-12, 6.5.3: version and flags, width, height
    return avif[:at] + struct.pack(">II", 64, 64) + avif[at + 8 :]


def make_avif_that_claims_less(side: int) -> bytes:
    """An AVIF with many pixels, all of one gray, that says it has 64 x 64."""
    return claim_less(save(Image.new("L", (side, side), 128), "AVIF", speed=10))
