"""What comes in and goes out as JSON; the page of the API shows it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tintype.recipe import VERSION, Recipe
from tintype.result import LAYERED

RECIPE = ("version", "model", "palette", "alternative", "edits", "vividness")

# Of a recipe's work a color of a palette is one unit, an edit or one of its changes four: 0.1 ms.
MOST_WORK = 1000
LIGHT_WORK = 100  # of edits: a quarter of what the rest of an edit takes
LIGHT_COLORS = 500  # of a palette: 1 ms, and those of the whole and three tones of an album's
MOST_PINS, MOST_MASKS = 32, 8
LIGHT_PINS, LIGHT_MASKS = 6, 1  # a pin takes 6 ms where its region is known, else 35; a mask 11


class Body(BaseModel):
    """What comes in: known fields, of their own types: "0.5" and true are no numbers."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Group(BaseModel):
    """A color of the photo as it is shown, which an edit can take hold of."""

    color: str = Field(examples=["#a05030"])
    share: float


class Variant(BaseModel):
    """A palette to begin with, and the groups of colors that come out of it, neutral the last."""

    palette: dict[str, Any] = Field(description="The palette's JSON, as --palette takes it.")
    groups: list[Group]


class PhotoOut(Variant):
    """An encoded photo."""

    id: str
    width: int
    height: int
    planes: tuple[int, int] = Field(
        description="Height and width of the planes of chroma that `render` gives of it."
    )
    format: str = Field(description="What it is saved as if nothing else is asked for.")
    alpha: bool = Field(description="Parts of it are transparent.")
    colorful: bool = Field(description="It already had colors, which are replaced.")
    alternatives: list[Variant] = Field(description="Four distinct plausible palettes.")


class RecipeIn(Body):
    """What to color a photo by; a recipe's fields."""

    palette: dict[str, Any] | None = None
    alternative: int = Field(0, ge=0, le=4)
    edits: list[dict[str, Any]] = Field(
        [],
        max_length=64,
        examples=[[{"towards": "red", "amount": 0.25}, {"at": [0.4, 0.6], "color": "navy"}]],
    )
    vividness: float | None = Field(None, ge=0, le=1)

    @property
    def work(self) -> int:
        """How much work its palette and its edits are, in units of at most 0.05 ms."""
        changes = (edit.get("recolor") for edit in self.edits)
        several = sum(len(change) for change in changes if isinstance(change, list))
        return _count_entries(self.palette) + 4 * (len(self.edits) + several)

    @property
    def pins(self) -> int:
        """How many things of the photo it colors."""
        return sum("at" in edit for edit in self.edits)

    @property
    def masks(self) -> int:
        """How many masks it has."""
        return sum("mask" in edit or "protect" in edit for edit in self.edits)

    @property
    def light(self) -> bool:
        """Whether it takes no longer than what others' edits may wait for."""
        colors = _count_entries(self.palette)
        few = self.pins <= LIGHT_PINS and self.masks <= LIGHT_MASKS and colors <= LIGHT_COLORS
        return few and self.work - colors <= LIGHT_WORK

    @model_validator(mode="after")
    def check_work(self) -> Self:
        """Refuse what would hold up others, however few bytes it has."""
        if self.pins > MOST_PINS or self.masks > MOST_MASKS:
            raise ValueError(
                f"pins should be at most {MOST_PINS} and masks at most {MOST_MASKS}, found "
                f"{self.pins} and {self.masks}"
            )
        if self.work > MOST_WORK:
            raise ValueError(
                f"colors + 4 x (edits + changes) should be at most {MOST_WORK}, found {self.work}"
            )
        return self

    def recipe(self) -> Recipe:
        """The same as a `Recipe`. Raises PaletteError."""
        about = {name: value for name, value in vars(self).items() if name in RECIPE}
        return Recipe.from_json({"version": VERSION} | about)


Coordinate = Annotated[float, Field(strict=True)] | str

Place = Annotated[
    tuple[Coordinate, Coordinate],
    Field(
        strict=False,  # so that a list is taken
        description="X and Y: shares, 0..1, of the upright photo's width and height, or pixels.",
        examples=[[0.42, 0.61], ["812px", "640px"]],
    ),
]


class PlaceIn(RecipeIn):
    """A place, and what the photo is colored by."""

    at: Place


class Start(Body):
    """What a photo of an album begins with."""

    palette: int | None = Field(
        None, ge=0, description="The place, from 0, in `palettes`; it counts before `alternative`."
    )
    alternative: int = Field(
        0, ge=0, le=4, description="1..4: the photo's alternative; 0: its own estimate."
    )


class AlbumIn(Body):
    """Photos that belong together."""

    photos: list[str] = Field(min_length=1, max_length=64, description="Ids of photos, sent.")
    cohesion: float = Field(
        0.5, ge=0, le=1, description="0 (what each begins with) .. 1 (the same for all)."
    )
    palettes: list[dict[str, Any]] = Field(
        [], max_length=64, description="That photos begin with: a look of several comes once."
    )
    starts: list[Start] = Field(
        [],
        max_length=64,
        description="What each photo begins with, in their order; by default its own estimate, as "
        "of `tintype colorize --album`.",
        examples=[[{"palette": 0}, {"alternative": 2}, {}]],
    )

    @model_validator(mode="after")
    def check_starts(self) -> Self:
        """Refuse starts that are not the photos', and palettes that would hold up others."""
        count = len(self.starts)
        if self.starts and count != len(self.photos):
            raise ValueError(
                f"starts should be one for each photo, {len(self.photos)}, or none, found {count}"
            )
        last = max((s.palette for s in self.starts if s.palette is not None), default=-1)
        if last >= len(self.palettes):
            raise ValueError(f"starts should be of {len(self.palettes)} palettes, found {last}")
        most = max(map(_count_entries, self.palettes), default=0)
        if most > MOST_WORK:
            raise ValueError(f"colors of a palette should be at most {MOST_WORK}, found {most}")
        return self


class AlbumOut(BaseModel):
    """What photos that belong together begin with."""

    variants: list[Variant] = Field(description="Of each photo, in their order.")
    vividness: float = Field(
        description="To be chosen beside the palettes, the model's own; a photo that began with a "
        "palette keeps the one it had."
    )


class Suggestions(BaseModel):
    """The likeliest colors of the thing at a place, the likeliest first."""

    colors: list[Group] = Field(description="Each with how likely it is, 0..1, beside the others.")


class RegionIn(Body):
    """A pin without its color."""

    at: Place
    reach: float | None = Field(
        None, description="0 (a speck) .. 1 (all that is alike); by default as far as the thing."
    )


class RecipeFile(RecipeIn):
    """A recipe's file, of any version."""

    version: int = Field(VERSION, ge=1, le=VERSION, description="1 squares amounts `towards`.")
    model: str | None = Field(None, description="What it was made with; not looked at.")


class Render(RecipeIn):
    """A recipe, and the picture that is wanted of it."""

    size: Literal["thumbnail", "preview", "full", "planes"] = Field(
        "preview", description="`planes` is no picture, but what one is made of, beside the luma."
    )
    format: Literal["JPEG", "PNG", "WEBP", "TIFF", "AVIF"] | None = Field(
        None, description="Of a picture; planes have their own."
    )
    layers: bool = Field(
        False,
        description="Not the photo of full size, but what image editors edit further: PNG, the "
        "colors alone, transparent where there are none, to be laid over the gray photo in blend "
        "mode Color; TIFF, photo and colors as two layers.",
    )
    depth: Literal[8, 16] | None = Field(
        None, description="Bits of a sample; by default 16 in TIFF and PNG where a photo has more."
    )
    strip_metadata: bool = False
    provenance: bool = Field(True, description="Say in the full size what it is, and its recipe.")
    measure: bool = Field(True, description="Say what was reached, which takes longer.")

    @model_validator(mode="after")
    def check_format(self) -> Self:
        """Refuse formats of planes, and layers where a format has none."""
        if self.size == "planes" and self.format is not None:
            raise ValueError(f"planes have no format, found {self.format}; leave it out")
        if self.layers and (self.size != "full" or self.format not in LAYERED):
            found = f"{self.size}, {self.format or 'none'}"
            raise ValueError(f"layers should be full, PNG or TIFF, found {found}")
        if self.layers and self.depth == 16:
            raise ValueError("layers should have 8 bits, found 16; leave depth out")
        return self


class Health(BaseModel):
    """That the server answers, and with what."""

    status: Literal["ok"] = "ok"
    version: str
    model: str
    model_folder: str | None = Field(description="What --model was; null for the bundled one.")
    vividness: float = Field(description="The model's default.")
    vividness_given: float = Field(description="The default where a palette is given.")
    photos: int
    megabytes: float
    megapixels: float


class Problem(BaseModel):
    """Why a request was refused: a problem detail of RFC 9457."""

    type: str = Field(
        description="Its kind, which stays as it is.", examples=["urn:tintype:problem:pixels"]
    )
    status: int
    detail: str = Field(description="In one line: what was expected, what came, what to do.")
    values: dict[str, Any] = Field(
        description="The numbers in that line.",
        examples=[{"width": 9000, "height": 8000, "most": 50.0}],
    )


def _count_entries(value: Any) -> int:
    """Entries of all lists in a palette's JSON."""
    if isinstance(value, dict):
        return sum(_count_entries(inner) for inner in value.values())
    return len(value) if isinstance(value, list) else 0
