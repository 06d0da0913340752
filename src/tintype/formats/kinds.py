"""What a file is by its first bytes, and what to do about one that is not read."""

from dataclasses import dataclass

READABLE = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP", "JPEG2000", "PPM")
ACCEPTED = "JPEG, PNG, TIFF, WebP or AVIF"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
HEAD = 1024  # bytes that tell what a file is

_CONVERT = "convert it to TIFF, PNG or JPEG first"
_DEVELOP = "develop it to TIFF or JPEG first"
_HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs")
_RAW = "raw data of a camera"

# By what files begin with: their name and what to do.
_SIGNATURES = (
    (b"8BPS", "a Photoshop document", _CONVERT),
    (b"%PDF", "a PDF document", "extract its pictures first"),
    (b"%!PS", "a PostScript document", _CONVERT),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document", _CONVERT),
    (b"SIMPLE  =", "a FITS file", _CONVERT),
    (b"FUJIFILMCCD-RAW", _RAW, _DEVELOP),
    (b"FOVb", _RAW, _DEVELOP),
    (b"IIRO", _RAW, _DEVELOP),
    (b"IIRS", _RAW, _DEVELOP),
    (b"MMOR", _RAW, _DEVELOP),
    (b"IIU\0", _RAW, _DEVELOP),
    (b"\0MRM", _RAW, _DEVELOP),
    (b"\0\0\1\0", "an icon", _CONVERT),
    (b"gimp xcf", "a GIMP document", _CONVERT),
    (b"\x76\x2f\x31\x01", "an OpenEXR image", _CONVERT),
    (b"#?RADIANCE", "a Radiance HDR image", _CONVERT),
    (b"AT&TFORM", "a DjVu document", _CONVERT),
    (b"II\xbc", "a JPEG XR image", _CONVERT),
    (b"qoif", "a QOI image", _CONVERT),
    (b"DDS ", "a DirectDraw surface", _CONVERT),
    (b"\x59\xa6\x6a\x95", "a Sun raster image", _CONVERT),
    (b"\x01\xda", "an SGI image", _CONVERT),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"PK\x03\x04", "a ZIP archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it first"),
    (b"\x1aE\xdf\xa3", "a video", "export a frame first"),
    (b"version https://git-lfs", "a pointer of Git LFS", "run git lfs pull"),
)


@dataclass(frozen=True)
class Kind:
    """What a file was found to be.

    name: with its article, as people call it
    advice: what to do to have it colored
    """

    name: str
    advice: str


def is_heif(head: bytes) -> bool:
    """Whether it is a HEIC or HEIF photo, as phones take, and no AVIF."""
    brands = _list_brands(head)
    return not brands & {b"avif", b"avis"} and bool(brands & {*_HEIF, b"mif1", b"msf1"})


def is_jpeg_xl(head: bytes) -> bool:
    """Whether it is JPEG XL, bare or in a container."""
    return head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"))


def name_kind(head: bytes, suffix: str = "") -> Kind:
    """What a file that cannot be read is.

    head: its first `HEAD` bytes; suffix: of its name, with the dot, where that must do
    """
    if not head.strip(b"\0"):
        found = "an empty file (0 bytes)" if not head else "a file of zeros"
        return Kind(found, "check the file, or copy it anew")
    for signature, name, advice in _SIGNATURES:
        if head.startswith(signature):
            return Kind(name, advice)
    brands = _list_brands(head)
    if is_heif(head):
        return Kind("a HEIC photo", "pip install 'tintype[heif]' to read it")
    if is_jpeg_xl(head):
        return Kind("a JPEG XL photo", "pip install 'tintype[jxl]' to read it")
    if b"crx " in brands:
        return Kind(_RAW, _DEVELOP)
    if brands:
        return Kind("a video", "export a frame first")
    if head.startswith(b"\xff\xd8"):
        return _name_jpeg(head)
    if head.startswith((b"\x89PNG", *TIFF, b"GIF8", b"BM")):
        return Kind("a damaged image", "take another copy of it")
    if head[128:132] == b"DICM":
        return Kind("a DICOM file", _CONVERT)
    if suffix.lower() in (".tga", ".pcx", ".psd", ".eps", ".fits"):
        return Kind(f"a {suffix[1:].upper()} image", _CONVERT)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return Kind("an SVG drawing", _CONVERT)
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return Kind("a web page", "save the picture itself")
    if all(byte >= 32 or byte in b"\t\r\n\f\x1b" for byte in head):
        return Kind("text", "check the file")
    return Kind("no image", "check the file")


def _list_brands(head: bytes) -> set[bytes]:
    """The brands of an ISO media file; none of other files."""
    if head[4:8] != b"ftyp":
        return set()
    box = head[8 : int.from_bytes(head[:4], "big")]
    return {box[:4]} | {box[start : start + 4] for start in range(8, len(box) - 3, 4)}


def _name_jpeg(head: bytes) -> Kind:
    """What is odd about a JPEG that Pillow does not open (ITU-T T.81, table B.1 and B.2.2)."""
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        marker, length = head[at + 1], int.from_bytes(head[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, channels = head[at + 4], head[at + 9]
            if bits != 8 and marker not in (0xC3, 0xC7, 0xCB, 0xCF):
                return Kind(f"a JPEG of {bits} bits", _CONVERT)
            if marker > 0xC2:
                return Kind("a JPEG of a rare kind (lossless or arithmetic)", _CONVERT)
            if channels not in (1, 3, 4):
                return Kind(f"a JPEG of {channels} channels", _CONVERT)
            break
        at += 2 + length
    return Kind("a JPEG that is cut or damaged", "take another copy of it")
