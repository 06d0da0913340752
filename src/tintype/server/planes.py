"""A result as the small planes that it is made of, for a page that holds the photo itself.

    Result ──pack_planes──▶ safetensors ──▶ page ──enlarge, by the luma it holds──▶ photo

The file is written by hand: 8 bytes of the header's length, the header in JSON, the tensors.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from tintype.layers import Layer
from tintype.outcomes import Outcome
from tintype.result import Result

MEDIA_TYPE = "application/vnd.safetensors"
LAYOUT = """The planes are a safetensors file: 8 bytes, the length of the header (little-endian); \
the header, JSON, of each tensor `dtype`, `shape` and `data_offsets`, counted from the header's \
end, and strings in `__metadata__`; the tensors, row by row.

- `chroma` I8 (2, h, w): Cb and Cr, full-range BT.601 of sRGB, centered on 0. Enlarge them along \
the edges of the photo's luma, as `tintype.upsample` does up to 500,000 pixels (bilinear from \
there).
- `border` U8 (h', w'), absent where there is none: 255 where the photo stays neutral. Enlarged \
(bilinear), it fades to gray what has come of all the rest.
- `layers.K.shares` U8 (n, h, w), 255 for all, of layer K = 0, 1, ...: how much of the photo each \
of n colors covers. It lies over the chroma and the layers before: chroma * (1 - sum of shares) + \
sum of shares * tints.
- `layers.K.tints` I8 (n, 256, 2): Cb and Cr of each color at every luma, 0..255.
- `__metadata__.layers`: a JSON list of `{"places": [[x, y], ...], "levels": [...], "fine": \
bool}`, one for each layer. The 3 x 3 pixels at a pin's place, 0..1 of width and height, where \
edges guide, have its own color alone, as at its level, 0..255, of luma. Shares that are `fine` \
have edges of their own: enlarge them bilinearly. Others follow the luma's edges, as chroma does.
- `__metadata__.colors`: the JSON of the palette that came out; `__metadata__.reached`: how much \
of the recipe was reached (1 is all), absent where nothing was asked for.
- `__metadata__.asked`: a JSON list, absent if empty, of `{"color", "asked", "got", "share"}`, \
one for each color that edits (`recolor`, `boost`, `towards`) ask for: as they say it; #rrggbb of \
it, after later edits of all colors; #rrggbb of what came out nearest to it, null where nothing \
did; the share, 0..1, of the photo that wears this. Pins are left out.
- `colors`, `reached` and `asked` are there only if `measure`.

Chroma that leaves the RGB cube beside the photo's luma is scaled towards gray."""


def pack_planes(
    result: Result,
    *,
    reached: float | None = None,
    colors: dict[str, Any] | None = None,
    outcomes: Sequence[Outcome] = (),
) -> bytes:
    """A result's small planes as `LAYOUT` says, without any full-size work.

    reached: how much of its recipe was reached; colors: the JSON of the palette that came out;
        each None for unsaid; outcomes: of the colors that were asked for
    """
    tensors = {"chroma": _to_int8(result.chroma)}
    if result.border is not None:
        tensors["border"] = np.where(result.border, 255, 0).astype(np.uint8)
    for number, layer in enumerate(result.layers):
        tensors[f"layers.{number}.shares"] = np.rint(255 * layer.shares).astype(np.uint8)
        tensors[f"layers.{number}.tints"] = _to_int8(layer.tints)
    about = {"layers": json.dumps([_describe(layer) for layer in result.layers])}
    if reached is not None:
        about["reached"] = f"{reached:.4f}"
    if colors is not None:
        about["colors"] = json.dumps(colors)
    if outcomes:
        about["asked"] = json.dumps(
            [vars(one) | {"share": round(one.share, 4)} for one in outcomes]
        )
    return _pack(tensors, about)


def _describe(layer: Layer) -> dict[str, Any]:
    return {"places": layer.places, "levels": layer.levels, "fine": layer.fine}


def _to_int8(planes: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(planes).clip(-128, 127), np.int8)


def _pack(tensors: dict[str, np.ndarray], about: dict[str, str]) -> bytes:
    """Tensors of one byte a value, which need no alignment, as a safetensors file."""
    header: dict[str, Any] = {"__metadata__": about}
    end = 0
    for name, values in tensors.items():
        start, end = end, end + values.nbytes
        kind = "I8" if values.dtype == np.int8 else "U8"
        header[name] = {"dtype": kind, "shape": values.shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # as the format asks, so that tensors begin at a multiple of 8
    return b"".join(
        [len(text).to_bytes(8, "little"), text, *map(np.ndarray.tobytes, tensors.values())]
    )
