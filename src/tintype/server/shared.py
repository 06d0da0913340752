"""What the editor's own engine shares with this package, in one JSON: the model and constants.

model.json, constants ──describe──▶ engine.json ──▶ server/static/engine/local

So that JavaScript holds no copies that could drift apart.
"""

from typing import Any

from PIL import ImageColor

import tintype
from tintype import bans, border, layers, model, outcomes, palette, pins, recipe, regions, tones
from tintype import suggestions as suggested
from tintype.bins import Bins
from tintype.color import LUMA
from tintype.formats.pixels import COLORFUL
from tintype.metadata import exif, photoshop, provenance, xmp
from tintype.metadata import regions as areas
from tintype.model import OnnxModel
from tintype.palette_json import MOST
from tintype.server.service import GROUPS, REFERENCE, SPECK, SUGGESTIONS
from tintype.server.store import THUMBNAIL
from tintype.upsample import GUIDE_PIXELS

GRAPHS = ("encoder", "decoder")


def describe(one: OnnxModel) -> dict[str, Any]:
    """What the editor's engine reads before anything else, as JSON holds it."""
    return {
        "version": tintype.__version__,
        "fingerprint": one.fingerprint,
        "model": one.about,
        "model_bytes": {name: len(read_graph(one, name)) for name in GRAPHS},
        "hex_colors": one.bins.hex_colors,
        "names": _list_names(),
        "luma": LUMA,
        "colorful": COLORFUL,
        "sizes": {"thumbnail": THUMBNAIL, "reference": REFERENCE},
        "model_reading": {
            "leaning": model.LEANING, "step": model.STEP, "severe": model.SEVERE,
            "format": model.FORMAT, "cell": model.CELL,
        },
        "palette": {
            "towards": palette.TOWARDS, "ban_width": palette.BAN_WIDTH, "alike": palette.ALIKE,
            "most": MOST, "groups": GROUPS, "speck": SPECK,
        },
        "tones": {"names": tones.TONES, "trace": tones.TRACE, "floor": tones.SHARE_FLOOR},
        "bans": {"around": bans.AROUND, "bright": bans.BRIGHT, "fade": bans.FADE},
        "outcomes": {"width": outcomes.WIDTH, "pale": outcomes.PALE, "apart": outcomes.APART},
        "suggestions": {
            "width": suggested.WIDTH, "apart": suggested.APART, "count": SUGGESTIONS,
            "bins": _describe_bins(suggested.FINE),
        },
        "pins": {
            "keep": pins.KEEP, "auto": pins.AUTO, "moderate": pins.MODERATE,
            "most_pins": pins.MOST_PINS, "most_masks": pins.MOST_MASKS,
            "mask_pixels": pins.MASK_PIXELS, "stretch": pins.STRETCH,
        },
        "regions": {
            "probe": regions.PROBE, "axis": regions.AXIS, "least": regions.LEAST,
            "own": regions.OWN, "weights": regions.WEIGHTS.tolist(), "reach": regions.REACH,
            "soft": regions.SOFT, "sharp": regions.SHARP,
        },
        "layers": {"shade": layers.SHADE, "halvings": layers.HALVINGS, "cube": layers.CUBE},
        "border": {
            "spread": border.SPREAD, "step": border.STEP, "dark": border.DARK,
            "light": border.LIGHT, "paper": border.PAPER, "deep": border.DEEP,
            "caption": border.CAPTION,
        },
        "recipe": {"version": recipe.VERSION},
        "metadata": {
            "xmp": {
                "stale": sorted(xmp.STALE), "regions": areas.OTHERS, "most": xmp.MAX_BYTES,
                "marks": xmp.MAX_MARKS,
            },
            "exif": {
                "structure": sorted(exif.STRUCTURE.union(exif.OWN).difference(exif.POINTERS)),
                "stale": sorted(exif.STALE.difference(exif.POINTERS)),
            },
            "photoshop": {"stale": sorted(photoshop.STALE)},
        },
        "provenance": {
            "namespace": provenance.NAMESPACE,
            "kind": provenance.SOURCE_TYPES + provenance.TRAINED,
        },
        "guide_pixels": GUIDE_PIXELS,
    }  # fmt: skip


def read_graph(one: OnnxModel, name: str) -> bytes:
    """A graph of a model's folder, as it is."""
    return (model.find_files(one.folder) / f"{name}.onnx").read_bytes()


def _describe_bins(bins: Bins) -> dict[str, Any]:
    return {"hues": bins.hues, "chromas": bins.chromas}


def _list_names() -> dict[str, str]:
    """CSS colors by name, as #rrggbb."""
    return {
        name: color if isinstance(color, str) else "#{:02x}{:02x}{:02x}".format(*color[:3])
        for name, color in ImageColor.colormap.items()
    }
