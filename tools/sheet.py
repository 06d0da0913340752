"""Sheets of captioned photos, for the pictures in the pages."""

from PIL import Image

from tintype import charts


def captioned(photos: dict[str, Image.Image], height: int) -> Image.Image:
    """Photos by their captions, beside each other, all of this height in pixels."""
    small = [
        photo.convert("RGB").resize(
            (round(photo.width * height / photo.height), height), Image.Resampling.LANCZOS
        )
        for photo in photos.values()
    ]
    return charts.side_by_side(small, list(photos), max_height=height)


def stacked(rows: list[Image.Image]) -> Image.Image:
    """Rows one below the other, on paper."""
    size = max(row.width for row in rows), sum(row.height for row in rows)
    whole = Image.new("RGB", size, charts.PAPER)
    top = 0
    for row in rows:
        whole.paste(row, (0, top))
        top += row.height
    return whole
