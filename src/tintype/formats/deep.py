"""Colors of 16 bits a sample, made of luma and chroma, and written, as Pillow writes none.

luma in 16 bits + chroma in 8 ──join──▶ RGB in gamut ──save──▶ TIFF by tifffile, or PNG
"""

import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import putchunk

from tintype.metadata import Embedding
from tintype.upsample import fit_gamut

FORMATS = ("TIFF", "PNG")  # that hold 16 bits
_ROWS = 64  # at a time: small enough for a processor's cache, large enough for NumPy
_LEVEL = 1  # of zlib: the low bits of a scan are noise, for which more work gains under 2 %
_INCH = 0.0254  # m


def join(luma: np.ndarray, chroma: Image.Image, alpha: np.ndarray | None) -> np.ndarray:
    """RGB, with alpha if there is one, whose gray is the luma: (H, W, 3 or 4) uint16.

    luma, alpha: (H, W) uint16; chroma: of that size, mode YCbCr, scaled towards gray where it and
    the luma leave the RGB cube
    """
    height, width = luma.shape
    values = np.empty((height, width, 3 if alpha is None else 4), np.uint16)
    if alpha is not None:
        values[..., 3] = alpha
    for top in range(0, height, _ROWS):
        bottom = min(top + _ROWS, height)
        planes = np.asarray(chroma.crop((0, top, width, bottom))).astype(np.float32) - 128
        light = luma[top:bottom].astype(np.float32)
        cb, cr = fit_gamut(light / 257, planes[..., 1], planes[..., 2])
        cb *= 257
        cr *= 257
        colors = (1.402 * cr, -0.344136 * cb - 0.714136 * cr, 1.772 * cb)  # ITU-T T.871
        for channel, color in enumerate(colors):
            color += light
            values[top:bottom, :, channel] = np.rint(color).clip(0, 65535)
    return values


def save(file: BinaryIO, values: np.ndarray, format: str, embedding: Embedding) -> None:
    """Write RGB or RGBA, (H, W, 3 or 4) uint16, with metadata as a TIFF or PNG."""
    if format == "TIFF":
        save_tiff(file, values, embedding)
    else:
        _save_png(file, values, embedding)


def save_tiff(
    file: BinaryIO,
    values: np.ndarray,
    embedding: Embedding,
    tags: Sequence[tuple[int, int, int, bytes, bool]] = (),
) -> None:
    """Write RGB or RGBA, (H, W, 3 or 4) of 8 or 16 bits, with more tags, as tifffile's."""
    import tifffile  # a tenth of a second

    dpi = embedding.options.get("dpi")
    tifffile.imwrite(
        tifffile.FileHandle(file, name="photo.tif"),
        values,
        byteorder="<",
        bigtiff=False,
        photometric="rgb",
        planarconfig="contig",
        extrasamples=["unassalpha"] * (values.shape[2] - 3),
        compression="zlib",
        predictor=True,
        rowsperstrip=_ROWS,
        resolution=dpi or (1, 1),
        resolutionunit="inch" if dpi else "none",
        metadata=None,
        software=False,
        extratags=tags,
    )


def _save_png(file: BinaryIO, values: np.ndarray, embedding: Embedding) -> None:
    """Each row as its difference from the one above (PNG, 3rd edition, filter type 2)."""
    height, width, channels = values.shape
    kind = 2 if channels == 3 else 6
    file.write(b"\x89PNG\r\n\x1a\n")
    putchunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    if "dpi" in embedding.options:
        across, down = (round(dots / _INCH) for dots in embedding.options["dpi"])
        putchunk(file, b"pHYs", struct.pack(">IIB", across, down, 1))
    if "pnginfo" in embedding.options:
        for name, content, *_ in embedding.options["pnginfo"].chunks:
            putchunk(file, name, content)
    if "exif" in embedding.options:
        putchunk(file, b"eXIf", embedding.options["exif"])
    packer = zlib.compressobj(_LEVEL, strategy=zlib.Z_FILTERED)
    above = np.zeros((1, 2 * width * channels), np.uint8)
    for top in range(0, height, _ROWS):
        rows = values[top : top + _ROWS].astype(">u2").view(np.uint8).reshape(-1, above.shape[1])
        filtered = np.empty((len(rows), above.shape[1] + 1), np.uint8)
        filtered[:, 0] = 2
        np.subtract(rows, np.concatenate([above, rows[:-1]]), out=filtered[:, 1:])
        putchunk(file, b"IDAT", packer.compress(filtered.data))
        above = rows[-1:]
    putchunk(file, b"IDAT", packer.flush())
    putchunk(file, b"IEND", b"")
