"""What comes in and goes out as JSON; the page of the API shows it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tintype.recipe import Recipe


class Group(BaseModel):
    """A color of the photo as it is shown, which an edit can take hold of."""

    color: str = Field(examples=["#a05030"])
    share: float


class Variant(BaseModel):
    """A palette to begin with, and the groups of colors that come out of it."""

    palette: dict[str, Any] = Field(description="The palette's JSON, as --palette takes it.")
    groups: list[Group]


class PhotoOut(Variant):
    """An encoded photo."""

    id: str
    width: int
    height: int
    format: str = Field(description="What it is saved as if nothing else is asked for.")
    alpha: bool = Field(description="Parts of it are transparent.")
    colorful: bool = Field(description="It already had colors, which are replaced.")
    alternatives: list[Variant] = Field(description="Four distinct plausible palettes.")


class RecipeIn(BaseModel):
    """What to color a photo by; a recipe's fields."""

    model_config = ConfigDict(extra="forbid")

    palette: dict[str, Any] | None = None
    alternative: int = Field(0, ge=0, le=4)
    edits: list[dict[str, Any]] = Field(
        [], max_length=64, examples=[[{"towards": "red", "amount": 0.4}, {"ban": "#3060c0"}]]
    )
    vividness: float | None = Field(None, ge=0, le=1)

    def recipe(self) -> Recipe:
        """The same as a `Recipe`. Raises PaletteError."""
        return Recipe(self.palette, self.alternative, tuple(self.edits), self.vividness)


class Render(RecipeIn):
    """A recipe, and the picture that is wanted of it."""

    size: Literal["thumbnail", "preview", "full"] = "preview"
    format: Literal["JPEG", "PNG", "WEBP", "TIFF", "AVIF"] | None = None
    strip_metadata: bool = False
    measure: bool = Field(True, description="Say what was reached, which takes longer.")


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
    """Why a request was refused: what was expected, what came, what to do."""

    detail: str
