"""How well a model colors photographs whose colors are known: a table, steering, edits, hints."""

import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from tintype import color
from tintype.bins import OKLAB, hue_of
from tintype.colorizer import Colorizer, Encoded
from tintype.files import write_whole
from tintype.model import Model
from tintype.palette import Palette
from tintype.photo import Photo, read
from tintype.recipe import Recipe
from tintype.research.data import photo_set
from tintype.research.evaluation import hints_curve, metrics, recognition, simulated_user
from tintype.research.evaluation.hints_curve import Curves
from tintype.research.evaluation.metrics import Score
from tintype.research.evaluation.recognition import Classifier, View
from tintype.research.evaluation.simulated_user import Step
from tintype.research.evaluation.summary import make_row, mean
from tintype.research.figures import canvas, curves
from tintype.research.torch_model import TorchModel

SIDE = 256  # short side, pixels, at which everything is measured
SHIFTS = (60, 120, 180)  # degrees
WASHES, AMOUNT = ("red", "blue"), 0.81  # what colors go towards, as in the paper's figures 6 to 8
WASH_HUE = 15.0  # OKLab degrees within which chroma has the commonest hue
BAN_CHROMA, BAN_HUE = 8.0, 15.0  # Lab chroma above which, OKLab degrees within which, it counts


@dataclass(frozen=True)
class Steering:
    """What edits did to one photo.

    followed: per shift, the angle that the result's chroma turned by over the one asked for
    reached: per shift, `Recipe.reached`
    banned: share of pixels that still wear a banned color, and that wore it before
    one_hue: share of the chroma that is in one hue, automatic and towards red and blue: a wash is 1
    strength: chroma towards red and blue over the automatic one
    """

    followed: dict[int, float]
    reached: dict[int, float]
    banned: float
    banned_before: float
    one_hue: dict[str, float]
    strength: dict[str, float]


@dataclass(frozen=True)
class Measurement:
    """What is found out about one photo.

    scores, views: by the row of the table; views: none without a classifier
    steering: None where it is not asked for
    steps: of a simulated user, none of photos that are not edited
    hints: the hints curves; None of photos that get none
    """

    scores: dict[str, Score]
    views: dict[str, View]
    steering: Steering | None
    steps: list[Step]
    hints: Curves | None


def evaluate(
    colorizer: Colorizer,
    patterns: list[str],
    *,
    limit: int | None = None,
    steer: bool = True,
    edits: int = 0,
    hints: int = 0,
    classifier: Classifier | None = None,
) -> dict[str, Any]:
    """Measure a model on color photos: gray, automatic at three vividnesses, what oracles choose.

    edits: how many of the photos, from the first, a simulated user edits
    hints: how many of the photos, from the first, get hints of their true colors
    classifier: what is to recognize the colored photos

    The photos' short side is brought to 256 pixels. Of runs there are the rows and the steering
    that their method allows. Returns what `write` puts into files.
    Raises ModelError where hints or edits are asked for and the model takes none, and DataError
    where a classifier has a single photo.
    """
    if hints:
        hints_curve.check(colorizer.model)
    if edits:
        simulated_user.check(colorizer.model)
    photos = photo_set.load(patterns, size=SIDE, limit=limit)
    if classifier:
        recognition.check(len(photos))
    steer = steer and colorizer.model.takes_palettes

    def measure(i: int) -> Measurement:
        truth = resize(photos.photo(i))
        encoded = colorizer.encode(make_gray(truth))
        painted = dict(_paint_rows(colorizer, encoded, truth))
        return Measurement(
            scores={name: metrics.score(rgb, truth) for name, rgb in painted.items()},
            views={n: classifier.view(rgb) for n, rgb in painted.items()} if classifier else {},
            steering=_steer(colorizer, encoded, painted["automatic"]) if steer else None,
            steps=simulated_user.edit(colorizer, encoded, truth) if i < edits else [],
            hints=hints_curve.measure(colorizer, encoded, truth, i) if i < hints else None,
        )

    with ThreadPoolExecutor(colorizer.model.threads or os.cpu_count()) as pool:
        every = pool.map(measure, range(len(photos)))
        found = list(tqdm(every, "evaluating", len(photos), unit=" photos", disable=None))
    about = {
        "photos": len(photos),
        "data": [Path(p).name for p in patterns],
        "model": colorizer.model.fingerprint,
        "vividness": colorizer.model.vividness,
    }
    return about | _summarize(found, colorizer.model)


def _summarize(photos: list[Measurement], model: Model) -> dict[str, Any]:
    """What the measurements of all photos say together."""
    rows = {name: [m.scores[name] for m in photos] for name in photos[0].scores}
    views = {name: [m.views[name] for m in photos] for name in photos[0].views}
    steering = [m.steering for m in photos if m.steering]
    edited = [m.steps for m in photos if m.steps]
    hinted = [m.hints for m in photos if m.hints]
    return {
        "rows": [make_row(name, scores, rows["truth"]) for name, scores in rows.items()],
        "steering": _summarize_steering(steering) if steering else None,
        "edits": simulated_user.summarize(edited, rows) if edited else None,
        "hints": hints_curve.summarize(hinted, rows, model) if hinted else None,
        "recognition": {
            name: recognition.compare(found, views["gray"], views["truth"])
            for name, found in views.items()
        },
    }


def resize(rgb: np.ndarray) -> np.ndarray:
    """A photo (h, w, 3) uint8 with a short side of 256 pixels."""
    image = Image.fromarray(rgb)
    scale = SIDE / min(image.size)
    wide, high = (max(SIDE, round(scale * side)) for side in image.size)
    return np.asarray(image.resize((wide, high), Image.Resampling.BICUBIC))


def make_gray(rgb: np.ndarray) -> Photo:
    """The gray photo of (h, w, 3) uint8 RGB: its luma."""
    return read(Image.fromarray(rgb).convert("L"))


def _paint_rows(
    colorizer: Colorizer, encoded: Encoded, truth: np.ndarray
) -> Iterable[tuple[str, np.ndarray]]:
    """The rows of the table: a name and the photo in 8-bit RGB."""
    model = colorizer.model
    varies = not isinstance(model, TorchModel)  # a run has one vividness and no alternatives
    yield "gray", np.repeat(encoded.photo.luma[..., None], 3, axis=-1)
    if varies:
        yield "automatic, calm", _rgb(colorizer, encoded, None, 0.0)
    yield "automatic", _rgb(colorizer, encoded, None, None)
    if varies:
        yield "automatic, vivid", _rgb(colorizer, encoded, None, 1.0)
        best = "best of 4 alternatives"
        for name, vividness in ((f"{best}, calm", 0.0), (best, None)):
            four = [_rgb(colorizer, encoded, one, vividness) for one in encoded.alternatives]
            yield name, max(four, key=lambda rgb: metrics.auc([metrics.score(rgb, truth)]))
    if model.takes_palettes:
        true = Palette.measure(truth, model.bins, side=model.side)
        given = model.vividness_given
        yield "true palette", _rgb(colorizer, encoded, replace(true, tones=None), given)
        yield "true palette by tones", _rgb(colorizer, encoded, true, given)
    yield "truth", truth


def _rgb(
    colorizer: Colorizer, encoded: Encoded, palette: Palette | None, vividness: float | None
) -> np.ndarray:
    vivid = colorizer.model.vividness if vividness is None else vividness
    return np.asarray(colorizer.decode(encoded, Recipe(palette, vividness=vivid)).image)


def _steer(colorizer: Colorizer, encoded: Encoded, before: np.ndarray) -> Steering:
    """before: the photo colored automatically, uint8 RGB"""
    automatic = _chroma(before)
    followed, reached = {}, {}
    for degrees in SHIFTS:
        recipe = Recipe().shift_hue(degrees)
        result = colorizer.decode(encoded, recipe)
        edited = _chroma(np.asarray(result.image.convert("RGB")))
        followed[degrees] = measure_followed(automatic, edited, degrees)
        reached[degrees] = recipe.reached(colorizer, encoded, result) or 0.0
    hue = _find_commonest_hue(automatic)
    red, green, blue = (color.oklab_to_rgb(np.array([0.7, *(0.1 * hue)])) * 255).clip(0, 255)
    name = f"#{round(red):02x}{round(green):02x}{round(blue):02x}"
    ban = encoded.palette.ban(name)
    after = _rgb(colorizer, encoded, ban, None)
    hue_banned = hue_of(name, OKLAB)
    worn = measure_hue_share(before, hue_banned)
    one_hue, strength = {"automatic": measure_one_hue(automatic)}, {}
    for wash in WASHES:
        result = colorizer.decode(encoded, Recipe().towards(wash, AMOUNT))
        washed = _chroma(np.asarray(result.image.convert("RGB")))
        one_hue[wash] = measure_one_hue(washed)
        strength[wash] = float(np.abs(washed).mean() / max(np.abs(automatic).mean(), 1e-4))
    left = measure_hue_share(after, hue_banned)
    return Steering(followed, reached, left, worn, one_hue, strength)


def _chroma(rgb: np.ndarray) -> np.ndarray:
    """OKLab chroma (h, w) as complex numbers, of uint8 RGB."""
    lab = color.rgb_to_oklab(rgb.astype(np.float32) / 255)
    return np.asarray(lab[..., 1] + 1j * lab[..., 2])


def measure_followed(automatic: np.ndarray, edited: np.ndarray, degrees: float) -> float:
    """The angle of sum(conj(automatic) * edited), over the angle asked for (0..180 degrees).

    automatic, edited: (h, w) complex OKLab chroma
    """
    angle = np.degrees(np.angle((np.conj(automatic) * edited).sum()))
    return float(((angle + 90) % 360 - 90) / degrees)


def _find_commonest_hue(chroma: np.ndarray) -> np.ndarray:
    """(2,) direction of the hue that most of the photo's chroma has."""
    angle = np.angle(chroma)
    bins, edges = np.histogram(angle, 36, (-np.pi, np.pi), weights=np.abs(chroma))
    middle = edges[bins.argmax()] + np.pi / 36
    return np.array([np.cos(middle), np.sin(middle)])


def measure_one_hue(chroma: np.ndarray) -> float:
    """Share, 0..1, of OKLab chroma (h, w), complex, within 15 degrees of its commonest hue."""
    x, y = _find_commonest_hue(chroma)
    off = np.abs(np.angle(chroma * (x - 1j * y), deg=True))
    strength = np.abs(chroma)
    return float(strength[off <= WASH_HUE].sum() / max(strength.sum(), 1e-9))


def measure_hue_share(rgb: np.ndarray, degrees: float) -> float:
    """Share of pixels of uint8 RGB near an OKLab hue whose Lab chroma is above 8."""
    scaled = rgb.astype(np.float32) / 255
    strong = np.sqrt((color.rgb_to_lab(scaled)[..., 1:] ** 2).sum(-1)) > BAN_CHROMA
    hue = color.hue_degrees(color.rgb_to_oklab(scaled)[..., 1:])
    near = color.hue_distance(hue, degrees) < BAN_HUE
    return float((strong & near).mean())


def _summarize_steering(photos: list[Steering]) -> dict[str, Any]:
    worn = [p for p in photos if p.banned_before > 0.01]
    return {
        "followed_median": {d: float(np.median([p.followed[d] for p in photos])) for d in SHIFTS},
        "reached_median": {d: float(np.median([p.reached[d] for p in photos])) for d in SHIFTS},
        "banned_mean": mean([p.banned for p in photos]),
        "banned_worst": max(p.banned for p in photos),
        "banned_before_mean": mean([p.banned_before for p in photos]),
        "photos_that_wore_it": len(worn),
        "one_hue_median": {
            name: float(np.median([p.one_hue[name] for p in photos]))
            for name in ("automatic", *WASHES)
        },
        "strength_median": {
            name: float(np.median([p.strength[name] for p in photos])) for name in WASHES
        },
    }


def format_table(report: dict[str, Any]) -> str:
    """The report in Markdown."""
    lines = [
        "| | raw AuC | rebalanced AuC | PSNR | colorfulness | (absolute) | gap | chroma/truth |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        low, high = row["auc_interval"]
        rare_low, rare_high = row["auc_rebalanced_interval"]
        lines.append(
            f"| {row['method']} | {row['auc']:.2f} ({low:.2f}-{high:.2f}) "
            f"| {row['auc_rebalanced']:.2f} ({rare_low:.2f}-{rare_high:.2f}) "
            f"| {row['psnr']:.2f} | {row['colorfulness']:.1f} "
            f"| {row['colorfulness_absolute']:.1f} | {row['colorfulness_gap']:.1f} "
            f"| {row['chroma_of_truth']:.2f} |"
        )
    lines.append(f"\n{report['photos']} photos, short side {SIDE} px; 95 % bootstrap intervals.")
    names = {row["method"] for row in report["rows"]}
    if "true palette" not in names:
        lines.append("The method takes no palette.")
    elif "best of 4 alternatives" not in names:
        lines.append("True palette: the photo's own, as only an oracle knows it.")
    else:
        lines.append(
            "Best of 4 alternatives: for each photo the one of the highest raw AuC, as only an "
            "oracle that knows the truth can choose. True palette: the photo's own, which it "
            "knows, too, at the calmer vividness for palettes that are given."
        )
    if report["steering"]:
        lines += _format_steering(report["steering"])
    if report["recognition"]:
        lines += recognition.format_table(report["recognition"])
    if report["edits"]:
        lines += simulated_user.format_table(report["edits"])
    if report["hints"]:
        lines += hints_curve.format_table(report["hints"])
    return "\n".join(lines) + "\n"


def _format_steering(steering: dict[str, Any]) -> list[str]:
    followed = ", ".join(f"{d}: {v:.0%}" for d, v in steering["followed_median"].items())
    one, strength = steering["one_hue_median"], steering["strength_median"]
    washes = ", ".join(f"{n} {one[n]:.0%} ({strength[n]:.1f} times the chroma)" for n in WASHES)
    return [
        f"Share of a hue shift followed, median photo: {followed}.",
        f"A banned color keeps {steering['banned_mean']:.2%} of the pixels on average, "
        f"{steering['banned_worst']:.2%} at worst (before: {steering['banned_before_mean']:.1%}).",
        f"Chroma within {WASH_HUE:.0f} degrees of one hue, median photo: automatic "
        f"{one['automatic']:.0%}; {AMOUNT:g} of it towards {washes}.",
    ]


def write(report: dict[str, Any], stem: Path) -> None:
    """`STEM.json` and `STEM.md`; `STEM.edits.png` and `STEM.hints.png` where they were measured."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    write_whole(stem.with_name(stem.name + ".json"), json.dumps(report, indent=1) + "\n")
    write_whole(stem.with_name(stem.name + ".md"), format_table(report))
    for name, draw in (("edits", curves.draw_edits), ("hints", curves.draw_hints)):
        if report[name]:
            with canvas.style():
                canvas.save(draw(report[name]), stem.with_name(f"{stem.name}.{name}.png"))
