"""Photos with much metadata, one of each format."""

from pathlib import Path

import pytest

from . import rich


@pytest.fixture(scope="session")
def rich_photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A photo of each format, lying on its side, with EXIF, XMP, and IPTC where it can be."""
    folder = tmp_path_factory.mktemp("rich")
    return {format: rich.make_photo(format, folder) for format in rich.FORMATS}
