"""Palettes and photos as a person sees them: bars in a terminal, a histogram, a comparison."""

import math

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from tintype.bins import hue_of, to_hex
from tintype.color import hue_distance, oklab_to_rgb
from tintype.errors import PaletteError
from tintype.palette import BAN_WIDTH, Palette
from tintype.suggestions import Suggestion

NAMES = ("red", "orange", "yellow", "green", "cyan", "blue", "magenta")
LINES = 12  # colors in a terminal, at most

PAPER, GRID, BASE, QUIET, INK = "#fbfaf7", "#e9e6df", "#b9b5ac", "#757169", "#34322e"
FINE = 2  # pictures are drawn this much larger, then shrunk, which smooths their edges

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def bars(palette: Palette, *, ansi: bool, width: int = 60) -> str:
    """The palette as lines of text, one for each color, the largest first, then the neutral one.

    ansi: draw each bar in its own color by 24-bit ANSI codes; otherwise plain ASCII
    width: length of the longest bar in characters, 1 or more (ValueError for less); 18 more
        stand before it
    """
    if width < 1:
        raise ValueError(f"expected a width of 1 or more, found {width}")
    merged = palette.clusters(LINES)
    named = [(code, code, share) for code, share in merged if share >= 0.0005]
    named.append(("neutral", palette.bins.hex_colors[0], float(palette.shares[0])))
    lines = _draw_bars(named, ansi=ansi, width=width)
    banned = [_around(hue, ansi) for hue in dict.fromkeys(palette.banned)]
    if palette.bans_gray:
        banned.append(f"{_ansi(palette.bins.hex_colors[0], '██')} gray" if ansi else "gray")
    if banned:
        lines.append("banned  " + ", ".join(banned))
    return "\n".join(lines)


def draw_suggestions(found: list[Suggestion], *, ansi: bool, width: int = 60) -> str:
    """Suggestions as lines of text, as `bars` draws colors; none as a word."""
    named = [(one.color, one.color, one.share) for one in found]
    return "\n".join(_draw_bars(named, ansi=ansi, width=width)) if named else "no color"


def histogram(
    palette: Palette, edited: Palette | None = None, *, size: tuple[int, int] | None = None
) -> Image.Image:
    """Shares by hue, each bar stacked by chroma from muted to vivid (the paper's figure 7).

    edited: over the same bins, drawn beneath at the same scale; PaletteError for other bins
    size: width and height in pixels, at least 600 and 240 for each palette (ValueError for
        less); 1200 and 440 for each if not given
    A neutral bar that would dwarf the hues is cut, and its share written on it.
    """
    shown = [("estimated", palette)] + ([("edited", edited)] if edited is not None else [])
    if any(one.bins != palette.bins for _, one in shown):
        raise PaletteError("expected a palette over the same bins, found another model's")
    width, height = size or (1200, 440 * len(shown))
    if width < 600 or height < 240 * len(shown):
        raise ValueError(f"expected at least 600x{240 * len(shown)}, found {width}x{height}")
    hues = max(0.05, *(float(_rings(one).sum(axis=0).max()) for _, one in shown))
    neutral = max(float(one.shares[0]) for _, one in shown)
    top = 1.08 * max(hues, min(2.5 * hues, neutral))
    part = FINE * (height // len(shown))  # whole pixels of the result
    unit = max(0.7 * FINE, min(FINE * width / 1200, part / 400))  # smaller cannot be read
    image = Image.new("RGB", (FINE * width, FINE * height), PAPER)
    for k, (title, one) in enumerate(shown):
        image.paste(_draw(one, title, (image.width, part), top, unit), (0, k * part))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(15 * unit)
    words = "share of the photo by OKLab hue, each bar muted below and vivid above"
    draw.text((image.width - 28 * unit, 42 * unit), words, QUIET, font, anchor="rs")
    return image.reduce(FINE)


def side_by_side(
    images: list[Image.Image], labels: list[str], *, max_height: int = 1200
) -> Image.Image:
    """Photos beside each other at one height, that of the tallest, each with a caption.

    images: one or more of 8 bits, any modes and sizes; what is transparent becomes paper
    labels: one for each image, shortened where it is wider than its photo; otherwise ValueError
    max_height: of the photos in pixels, without captions
    """
    if not images or len(images) != len(labels):
        raise ValueError(f"expected one label per image, found {len(labels)} for {len(images)}")
    height = max(1, min(max_height, max(image.height for image in images)))
    text = min(28, max(13, round(height / 42)))
    gap, font = max(4, text // 2), ImageFont.load_default(text)
    photos = [_opaque(image, height) for image in images]
    width = sum(photo.width + gap for photo in photos) + gap
    sheet = Image.new("RGB", (width, height + 2 * gap + round(1.9 * text)), PAPER)
    draw, x = ImageDraw.Draw(sheet), gap
    for photo, label in zip(photos, labels, strict=True):
        sheet.paste(photo, (x, gap))
        caption = _shorten(label, photo.width, font)
        draw.text((x, gap + height + gap + text), caption, INK, font, anchor="ls")
        x += photo.width + gap
    return sheet


# --- text -----------------------------------------------------------------------------------------


def _draw_bars(named: list[tuple[str, str, float]], *, ansi: bool, width: int) -> list[str]:
    """A line for each name, color and share."""
    longest = max(share for _, _, share in named)
    lines = []
    for name, code, share in named:
        length = width * share / longest
        bar = _ansi(code, _blocks(length)) if ansi else "#" * _cells(length)
        lines.append(f"{name} {100 * share:6.1f} %  {bar}".rstrip())
    return lines


def _ansi(code: str, text: str) -> str:
    red, green, blue = ImageColor.getrgb(code)[:3]
    return f"\x1b[38;2;{red};{green};{blue}m{text}\x1b[0m" if text else ""


def _cells(length: float) -> int:
    """Whole characters; what exists at all is seen."""
    return max(1, round(length)) if length > 0 else 0


def _blocks(length: float) -> str:
    whole, eighths = divmod(_cells(8 * length), 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[eighths].strip()


def _around(hue: float, ansi: bool) -> str:
    """A banned hue in words, with its name where one is near."""
    away = {name: hue_distance(hue_of(name), hue) for name in NAMES}
    name = min(NAMES, key=lambda one: away[one])
    angle = math.radians(hue)
    lab = np.array([0.68, 0.12 * math.cos(angle), 0.12 * math.sin(angle)])
    code = to_hex(oklab_to_rgb(lab))
    swatch = _ansi(code, "██") + " " if ansi else ""
    words = f"hue {hue:.0f} +-{BAN_WIDTH} degrees"
    return swatch + (f"{name} ({words})" if away[name] <= BAN_WIDTH else words)


# --- pictures -------------------------------------------------------------------------------------


def _rings(palette: Palette) -> np.ndarray:
    """(chromas, hues) shares without the neutral one."""
    return palette.shares[1:].reshape(len(palette.bins.chromas), palette.bins.hues)


def _draw(
    palette: Palette, title: str, size: tuple[int, int], top: float, unit: float
) -> Image.Image:
    """One histogram, `top` at its upper end; `unit` is a pixel of a 1200-pixel chart."""
    image, bins = Image.new("RGB", size, PAPER), palette.bins
    draw = ImageDraw.Draw(image)
    small, large = ImageFont.load_default(15 * unit), ImageFont.load_default(23 * unit)
    left, right = 68 * unit, size[0] - 28 * unit
    roof, floor = 78 * unit, size[1] - 72 * unit
    slot = (right - left) / (bins.hues + 1.9)  # one per hue, one neutral, and what parts them

    def across(degrees: float) -> float:
        return left + slot * (1.9 + degrees * bins.hues / 360)

    def up(share: float) -> float:
        return floor - (floor - roof) * share / top

    def box(x: float, y: float, end: float, bottom: float, fill: str) -> None:
        x, y, end, bottom = (FINE * round(v / FINE) for v in (x, y, end, bottom))  # stay sharp
        if end > x and bottom > y:
            draw.rectangle((x, y, end - 1, bottom - 1), fill)

    draw.text((left, 42 * unit), title, INK, large, anchor="ls")
    for share in _ticks(top):
        box(left, up(share), right, up(share) + FINE, GRID if share else BASE)
        words = f"{100 * share:g} %"
        draw.text((left - 10 * unit, up(share)), words, QUIET, small, anchor="rm")

    for start, end in _find_bans(palette):
        _hatch(image, (across(start), roof, across(end), floor), unit)
        if across(end) - across(start) > small.getlength("banned"):
            center = (across((start + end) / 2), roof - 8 * unit)
            draw.text(center, "banned", QUIET, small, anchor="ms")

    middle, half = left + 0.65 * slot, 0.41 * slot
    if palette.bans_gray:
        _hatch(image, (middle - half, roof, middle + half, floor), unit)
    box(middle - half, up(min(top, palette.shares[0])), middle + half, floor, bins.hex_colors[0])
    draw.text((middle, floor + 38 * unit), "neutral", INK, small, anchor="ms")
    if palette.shares[0] > top:
        box(middle - half, roof + 14 * unit, middle + half, roof + 18 * unit, PAPER)
        words = f"{100 * palette.shares[0]:.0f} %"
        draw.text((middle, roof - 8 * unit), words, INK, small, anchor="ms")
    rings = np.cumsum(np.concatenate([np.zeros((1, bins.hues)), _rings(palette)]), axis=0)
    for (ring, i), foot in np.ndenumerate(rings[:-1]):
        middle = across(i * 360 / bins.hues)
        code = bins.hex_colors[1 + ring * bins.hues + i]
        box(middle - half, up(rings[ring + 1, i]), middle + half, up(foot), code)

    ribbon = bins.hex_colors[1 + bins.hues * (len(bins.chromas) // 2) :]
    for i, code in enumerate(ribbon[: bins.hues]):  # says what the degrees mean
        middle = across(i * 360 / bins.hues)
        box(middle - slot / 2, floor + 8 * unit, middle + slot / 2, floor + 14 * unit, code)
    for name in NAMES:
        draw.text((across(hue_of(name)), floor + 38 * unit), name, INK, small, anchor="ms")
    for degrees in range(0, 360, 30):
        draw.text((across(degrees), floor + 58 * unit), f"{degrees}°", QUIET, small, anchor="ms")
    return image


def _ticks(top: float) -> list[float]:
    """Round shares from 0 up to `top`, about five of them."""
    rough = top / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough)
    return [k * step for k in range(math.floor(top / step) + 1)]


def _find_bans(palette: Palette) -> list[tuple[float, float]]:
    """The banned ranges of hue from left to right; the axis begins half a bin before 0."""
    degrees = np.arange(0, 360.25, 0.25) - 180 / palette.bins.hues
    away = hue_distance(degrees[:, None], np.array(palette.banned))
    inside = np.pad((away <= BAN_WIDTH).any(axis=1), 1).astype(np.int8)
    starts, ends = (np.flatnonzero(np.diff(inside) == step) for step in (1, -1))
    return [(float(degrees[a]), float(degrees[b - 1])) for a, b in zip(starts, ends, strict=True)]


def _hatch(image: Image.Image, box: tuple[float, ...], unit: float) -> None:
    left, upper, right, lower = (round(v) for v in box)
    y, x = np.mgrid[upper:lower, left:right]
    stripes = np.where((x + y) % (14 * unit) < 2.2 * unit, 70, 18).astype(np.uint8)
    image.paste(QUIET, (left, upper), Image.fromarray(stripes))


def _opaque(image: Image.Image, height: int) -> Image.Image:
    size = (max(1, round(image.width * height / image.height)), height)
    whole = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
    small = whole.resize(size, Image.Resampling.LANCZOS)
    if small.mode == "RGB":
        return small
    paper = Image.new("RGBA", size, PAPER)
    paper.alpha_composite(small)
    return paper.convert("RGB")


def _shorten(label: str, width: int, font: Font) -> str:
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(label + "…") > width:
        label = label[:-1]
    return label + "…" if label else ""
