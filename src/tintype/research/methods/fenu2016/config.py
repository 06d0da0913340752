"""What is chosen where the paper leaves it open; other values are the ablations."""

from dataclasses import dataclass

from tintype.bins import Bins
from tintype.errors import DataError
from tintype.research.methods import ranges
from tintype.research.methods.ranges import AT_LEAST_0, AT_LEAST_1

CHOICES = {
    "space": ("vector", "raw", "lab"),
    "gray": ("value", "luma"),
    "palette": ("before", "after", "none"),
}


_WEIGHTS = ("rebalance", "l1", "alpha", "variation", "variation_sum", "palettewise")
RANGES = {
    "hues": (1, 360),
    "saturations": (0.01, 1),
    "connected": AT_LEAST_1,
    **dict.fromkeys(("first_steps", *_WEIGHTS, "palette_loss", "carried_loss"), AT_LEAST_0),
}


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again, and how it is trained."""

    vgg: str = ""  # a file of VGG-16's weights
    space: str = "vector"  # S (cos H, sin H); raw: H and S as they are; lab: a and b
    gray: str = "value"  # HSV's V, which is kept; luma: that is kept instead
    hues: int = 12  # of the palette's bins
    saturations: tuple[float, ...] = (0.15, 0.35, 0.6, 0.9)  # of the palette's bins
    palette: str = "before"  # where the palette enters: before or after the batch norms, or none
    conv5: bool = True  # the additional layer of VGG-16
    turned: bool = True  # some photos and their palettes are turned to other hues in training
    carried: bool = True  # low-resolution estimates of the colors are carried to the output
    connected: int = 256  # width of the palette network's fully connected layer
    first_steps: int = 500  # trained with the pixelwise cross entropy alone
    rebalance: float = 0.25  # pixels weigh 1 / frequency of their colors to this power; 0: alike
    l1: float = 1.0
    alpha: float = 0.3  # of the variance loss
    variation: float = 0.0  # of the total variation loss
    variation_sum: float = 0.0  # of its other reading
    palettewise: float = 0.0
    palette_loss: float = 0.1  # of the palette network
    carried_loss: float = 0.5  # of the mean of the carried estimates' losses

    @property
    def bins(self) -> Bins:
        """The bins of palettes: a histogram of hue and saturation."""
        return Bins(self.hues, tuple(self.saturations), "hsv")

    @property
    def stages(self) -> int:
        """How many stages of VGG-16 are used."""
        return 5 if self.conv5 else 4


def check(config: Config) -> None:
    """Raise DataError for fields that say no network."""
    for name, known in CHOICES.items():
        if (found := getattr(config, name)) not in known:
            raise DataError(f"{name}: expected {' or '.join(known)}, found {found!r}")
    ranges.check(config, RANGES)
    ranges.check_rising(config, "saturations")
