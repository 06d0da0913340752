"""Small images, files and profiles made by code, for the tests of `photo`."""

import io
import struct

import numpy as np
from PIL import ExifTags, Image

ORIENTATION = ExifTags.Base.Orientation


def gradient(width: int = 24, height: int = 16) -> np.ndarray:
    """(H, W) uint8 that differs under every turn and mirror."""
    y, x = np.mgrid[0:height, 0:width]
    return (20 + 200 * x / width + 30 * (y / height) ** 2).astype(np.uint8)


def scene(width: int = 96, height: int = 80) -> np.ndarray:
    """(H, W, 3) uint8 with blue sky, green ground, a red ball, and shading."""
    y, x = np.mgrid[0:height, 0:width]
    shade = 0.6 + 0.4 * x / width
    rgb = np.where((y < height / 2)[..., None], (90, 140, 230), (70, 130, 50)) * shade[..., None]
    ball = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2
    return np.where(ball[..., None], np.array((200, 40, 40)) * shade[..., None], rgb).astype(
        np.uint8
    )


def toned(
    gray: np.ndarray, shadow: tuple[int, int, int], light: tuple[int, int, int]
) -> np.ndarray:
    """(H, W, 3) uint8: gray (H, W) uint8 printed from one ink to one paper."""
    share = gray[..., None] / 255
    return (np.array(shadow) * (1 - share) + np.array(light) * share + 0.5).astype(np.uint8)


def luma_of(rgb: np.ndarray) -> np.ndarray:
    """(H, W) uint8, from (H, W, 3) uint8."""
    return np.asarray(Image.fromarray(rgb).convert("L"))


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    """The bytes of an image file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def exif(orientation: int = 1, artist: str = "Nadar") -> bytes:
    """EXIF with an orientation, an artist, a date in its own directory, and a place."""
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    tags[ExifTags.Base.Artist] = artist
    tags[ExifTags.IFD.Exif] = {
        ExifTags.Base.DateTimeOriginal: "1860:01:01 00:00:00",
        ExifTags.Base.MakerNote: b"offsets",
    }
    tags[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N"}
    return tags.tobytes()


def tiff(rows: np.ndarray, photometric: int, *, big_endian: bool = False) -> bytes:
    """An uncompressed gray TIFF of (H, W) uint8 or uint16, with any photometric tag."""
    order = ">" if big_endian else "<"
    data = rows.astype(rows.dtype.newbyteorder(order)).tobytes()
    bits = rows.dtype.itemsize * 8
    height, width = rows.shape
    tags = {
        256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 8 + 2 + 9 * 12 + 4,
        277: 1, 278: height, 279: len(data),
    }  # fmt: skip
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, v) for tag, v in tags.items())
    head = b"MM\0*" if big_endian else b"II*\0"
    return head + struct.pack(order + "IH", 8, len(tags)) + entries + bytes(4) + data


def icc(space: str, gamma: float = 1.0) -> bytes:
    """A small ICC profile: GRAY or RGB (sRGB primaries) with a plain gamma, or a crude CMYK."""
    white = _xyz(0.9642, 1.0, 0.8249)
    tags = {b"wtpt": white, b"cprt": b"text" + bytes(4) + b"none\0", b"desc": _desc("test")}
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    if space == "GRAY":
        tags[b"kTRC"] = curve
    elif space == "RGB":
        tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
        tags[b"rXYZ"] = _xyz(0.4360, 0.2225, 0.0139)
        tags[b"gXYZ"] = _xyz(0.3851, 0.7169, 0.0971)
        tags[b"bXYZ"] = _xyz(0.1431, 0.0606, 0.7139)
    else:
        tags[b"A2B0"] = _cmyk_to_lab()
    start, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    kind, pcs = (b"prtr", b"Lab ") if space == "CMYK" else (b"mntr", b"XYZ ")
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x02400000, kind,
                       space.ljust(4).encode(), pcs)  # fmt: skip
    head += bytes(12) + b"acsp" + bytes(28) + white[8:] + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in values))


def _desc(text: str) -> bytes:
    ascii_text = text.encode() + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(ascii_text)) + ascii_text + bytes(78)


def _cmyk_to_lab() -> bytes:
    """A lookup table with two steps per ink, where each ink takes lightness and none color."""
    ramp = bytes(range(256))
    identity = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    corners = b""
    for ink in range(16):
        lightness = 0 if ink & 1 else 255 - 60 * (ink >> 1).bit_count()
        corners += bytes((lightness, 128, 128))
    return b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4 + corners + ramp * 3
