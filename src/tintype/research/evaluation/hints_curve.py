"""What hints are worth: colors told at places of a photo, by the truth, and what comes of them.

    truth ──▶ hints at random places, or where a simulated user sees the largest error
          ──▶ 0, 1, 2, 5, ... of them, without a palette and with the true one ──▶ scores

The curve of Zhang et al. 2017 ("Real-Time User-Guided Image Colorization with Learned Deep
Priors"), who reveal true colors at random points, and here with a palette beside the hints.
"""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from tintype.border import keep_neutral
from tintype.color import rgb_to_oklab
from tintype.colorizer import Colorizer, Encoded
from tintype.errors import ModelError
from tintype.hints import NO_HINTS, Hints
from tintype.model import Model
from tintype.palette import Palette
from tintype.research.evaluation import metrics
from tintype.research.evaluation.metrics import Score
from tintype.research.evaluation.simulated_user import shrink_to_chroma
from tintype.research.evaluation.summary import bootstrap_mean, compare, make_row
from tintype.result import Result, in_gamut

COUNTS = (0, 1, 2, 5, 10, 20, 50, 100)  # hints of a photo
PLACED = 20  # the most that the simulated user gives
PATCH = 7  # pixels of a photo with a short side of 256: a hint tells the mean of a square of them
REACH = 1.0  # as far as the thing seems to go
WINDOW = 0.1  # of the short side: within so much the user sees an error as one
RANDOM, WITH_PALETTE, LARGEST = "random", "random, true palette", "largest error"
PUBLISHED = {0: 24.43, 1: 25.37, 2: 26.20, 5: 27.39, 10: 28.42, 20: 29.34, 50: 30.42, 100: 31.13}
# dB: PSNR of Zhang et al. 2017, of 1,000 photos of ImageNet; standard error 0.14
Curves = dict[str, dict[int, Score]]  # of one photo, by their names; by the number of hints


def check(model: Model) -> None:
    """Raise ModelError where a model takes no hints."""
    if not model.takes_hints:
        raise ModelError(
            "expected a model that takes hints, found one without; leave out --hints, or make it "
            "anew by tintype train and tintype export"
        )


def measure(colorizer: Colorizer, encoded: Encoded, truth: np.ndarray, number: int) -> Curves:
    """Score a photo after hints of its true colors.

    truth: (h, w, 3) uint8 RGB; number: the photo's, which seeds the random places

    The places of few hints are among those of more. Everything has the vividness that the model
    has for palettes that are given, so that only hints and palettes tell results apart.
    """
    model = colorizer.model
    true = Palette.measure(truth, model.bins, side=model.side)
    patches = average(measure_chroma(truth), PATCH)
    places = np.random.default_rng(number).random((max(COUNTS), 2))
    random = reveal(patches, places)
    placed = place_by_error(colorizer, encoded, truth, patches)

    def follow(palette: Palette, hints: Hints) -> dict[int, Score]:
        counts = (count for count in COUNTS if count <= len(hints))
        pictures = ((n, paint(colorizer, encoded, palette, take(hints, n))) for n in counts)
        return {n: metrics.score(np.asarray(image), truth) for n, image in pictures}

    return {
        RANDOM: follow(encoded.palette, random),
        WITH_PALETTE: follow(true, random),
        LARGEST: follow(encoded.palette, placed),
    }


def reveal(patches: np.ndarray, places: np.ndarray) -> Hints:
    """The hints that tell the truth at places (n, 2): x and y, 0..1 of width and height.

    patches: (h, w, 2) the true OKLab chroma, averaged
    """
    high, wide = patches.shape[:2]
    column, row = (np.floor(places * (wide, high)).astype(int).clip(0, (wide - 1, high - 1))).T
    reach = np.full(len(places), REACH, np.float32)
    return Hints(places.astype(np.float32), patches[row, column].astype(np.float32), reach)


def take(hints: Hints, count: int) -> Hints:
    """The first hints."""
    return Hints(hints.place[:count], hints.chroma[:count], hints.reach[:count])


def paint(colorizer: Colorizer, encoded: Encoded, palette: Palette, hints: Hints) -> Image.Image:
    """A photo by a palette and hints, in RGB; the encoder is not run again."""
    model, encoding = colorizer.model, encoded.encoding
    ab = model.decode(encoding, palette, model.vividness_given, hints)
    chroma, shown = in_gamut(encoding.luma, keep_neutral(ab, encoded.border), model.bins)
    done = Result(encoded.photo, chroma, shown, threads=model.threads, border=encoded.border)
    return done.image.convert("RGB")


def place_by_error(
    colorizer: Colorizer, encoded: Encoded, truth: np.ndarray, patches: np.ndarray
) -> Hints:
    """The hints of a simulated user, who gives each where the largest error is left.

    truth: (h, w, 3) uint8 RGB; patches: (h, w, 2) its OKLab chroma, averaged

    The error is the distance of OKLab chroma, judged at the size of the decoder's, and averaged
    over a square window. Within half a window of an earlier hint no other is given: what one did
    not mend, a second one there would not either.
    """
    look, small = shrink_to_chroma(encoded, truth)
    size, true = look.photo.size, measure_chroma(small)
    half = round(WINDOW * min(size) / 2)
    free = np.ones(size[::-1], bool)
    hints = NO_HINTS
    while len(hints) < PLACED and free.any():
        seen = measure_chroma(np.asarray(paint(colorizer, look, encoded.palette, hints)))
        error = np.linalg.norm(seen - true, axis=-1, keepdims=True)
        mean = average(error, 2 * half + 1)[..., 0]
        row, column = np.unravel_index(np.where(free, mean, -1).argmax(), free.shape)
        free[max(0, row - half) : row + half + 1, max(0, column - half) : column + half + 1] = False
        place = (np.array([[column, row]]) + 0.5) / size
        hints = _join(hints, reveal(patches, place))
    return hints


def average(planes: np.ndarray, side: int) -> np.ndarray:
    """Means of (h, w, c) over a square of `side`, an odd number, around each place.

    Near the edges they are of what lies within.
    """
    stack = torch.from_numpy(np.moveaxis(planes, -1, 0).astype(np.float32))[None]
    mean = F.avg_pool2d(stack, side, 1, side // 2, count_include_pad=False)
    return np.moveaxis(mean[0].numpy(), 0, -1)


def _join(one: Hints, other: Hints) -> Hints:
    return Hints(
        np.concatenate([one.place, other.place]),
        np.concatenate([one.chroma, other.chroma]),
        np.concatenate([one.reach, other.reach]),
    )


def measure_chroma(rgb: np.ndarray) -> np.ndarray:
    """OKLab chroma (h, w, 2) of uint8 RGB."""
    return np.asarray(rgb_to_oklab(rgb.astype(np.float32) / 255)[..., 1:])


def summarize(measured: list[Curves], rows: dict[str, list[Score]], model: Model) -> dict[str, Any]:
    """The hints curve: gray, and of every curve a row for each number of hints.

    rows: the scores of gray and true photos by their names, of as many photos or more

    Rows say how far they are above gray as `*_difference`, and above the same curve without hints
    as `*_gain`.
    """
    gray, truth = (rows[name][: len(measured)] for name in ("gray", "truth"))
    curves = [_describe("gray", gray, gray, gray, truth)]
    for name in measured[0]:
        bare = _select(measured, name, 0)
        for n in measured[0][name]:
            scores = _select(measured, name, n)
            curves.append({"hints": n} | _describe(name, scores, gray, bare, truth))
            if name == RANDOM:
                curves[-1]["published_gain"] = PUBLISHED[n] - PUBLISHED[0]
    return {
        "photos": len(measured),
        "vividness": model.vividness_given,
        "reach": REACH,
        "patch": PATCH,
        "rows": curves,
    }


def _select(measured: list[Curves], name: str, count: int) -> list[Score]:
    return [curves[name][count] for curves in measured]


def _describe(
    name: str, scores: list[Score], gray: list[Score], bare: list[Score], truth: list[Score]
) -> dict[str, Any]:
    """A row of the curve; bare: the same photos without hints."""
    psnr = np.array([s.psnr for s in scores])
    gained = compare(scores, bare)
    row = make_row(name, scores, truth) | compare(scores, gray)
    row |= {"psnr_interval": bootstrap_mean(list(psnr))}
    row |= _differ("psnr_difference", psnr - [s.psnr for s in gray])
    row |= _differ("psnr_gain", psnr - [s.psnr for s in bare])
    row |= {key.replace("difference", "gain"): value for key, value in gained.items()}
    return row | {"worse": float(np.mean(psnr < [s.psnr for s in bare]))}


def _differ(name: str, values: np.ndarray) -> dict[str, Any]:
    return {name: float(values.mean()), f"{name}_interval": bootstrap_mean(list(values))}


def find_falls(report: dict[str, Any]) -> list[int]:
    """With how many hints beside the true palette PSNR or raw AuC is below the palette alone."""
    rows = [row for row in report["rows"] if row["method"] == WITH_PALETTE]
    return [row["hints"] for row in rows if min(row["psnr_gain"], row["auc_gain"]) < 0]


def format_table(report: dict[str, Any]) -> list[str]:
    """What `summarize` gives, as lines of Markdown."""
    lines = [
        f"\nThe first {report['photos']} photos, with hints of their true colors:",
        "\n| places | hints | raw AuC | above gray | PSNR | above gray | above no hint "
        "| iDeepColor | worse | chroma/truth |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_format_row(row) for row in report["rows"]]
    falls = ", ".join(map(str, find_falls(report))) or "none"
    lines.append(
        f"\nEach hint tells the mean OKLab chroma of {report['patch']} x {report['patch']} pixels, "
        f"with a reach of {report['reach']:g}. Random: the same places with the true palette (by "
        "tones) and without; those of few hints are among those of more. Largest error: a "
        "simulated user, who knows the truth, gives one hint after the other where the mean "
        f"error of OKLab chroma over a window of {WINDOW:.0%} of the short side is largest. All "
        f"at the vividness for palettes that are given ({report['vividness']:g}), also without "
        "hints and palette. iDeepColor: gains over no hint of Zhang et al. 2017 (1,000 photos of "
        "ImageNet, standard error 0.14). Worse: photos whose PSNR is below the same without hints. "
        "Numbers of hints with which PSNR or raw AuC by the true palette falls below the palette "
        f"alone: {falls}."
    )
    return lines


def _format_row(row: dict[str, Any]) -> str:
    low, high = row["auc_interval"]
    least, most = row["psnr_interval"]
    cells = [
        row["method"],
        str(row.get("hints", "")),
        f"{row['auc']:.2f} ({low:.2f}-{high:.2f})",
        _format_difference(row, "auc_difference"),
        f"{row['psnr']:.2f} ({least:.2f}-{most:.2f})",
        _format_difference(row, "psnr_difference"),
        _format_difference(row, "psnr_gain") if row.get("hints") else "",
        f"{row['published_gain']:+.2f}" if row.get("hints") and "published_gain" in row else "",
        f"{row['worse']:.0%}" if row.get("hints") else "",
        f"{row['chroma_of_truth']:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _format_difference(row: dict[str, Any], name: str) -> str:
    low, high = row[f"{name}_interval"]
    return f"{row[name]:+.2f} ({low:+.2f} to {high:+.2f})"
