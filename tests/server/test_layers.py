"""Layers by the server and by the command: the same files."""

import pytest

from server.test_app import render
from tintype.batch import OutputOptions, Request, colorize


@pytest.mark.parametrize(
    ("kind", "format", "ending"), [("png", "PNG", "png"), ("tiff", "TIFF", "tif")]
)
def test_layers_are_the_commands(client, sent, gray_file, tmp_path, kind, format, ending):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(gray_file)
    request = Request([photo], options=OutputOptions(layers=kind))
    lines = []
    assert colorize(request, report=lines.append).failures == []
    beside = tmp_path / f"photo.layers.{ending}"
    assert lines == [f"{photo} -> {tmp_path}/photo.color.jpg", f"{photo} -> {beside}"]
    answer = render(client, sent, size="full", format=format, layers=True)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == f"image/{kind}"
    assert answer.content == beside.read_bytes()
    before = beside.read_bytes()
    (tmp_path / "photo.color.jpg").unlink()
    [failure] = colorize(request).failures
    assert f"{beside}: expected no such file, found one" in failure
    assert beside.read_bytes() == before


@pytest.mark.parametrize("asked", [
    {"size": "preview", "format": "PNG"}, {"size": "full"}, {"size": "full", "format": "JPEG"},
    {"size": "planes"}, {"size": "full", "format": "TIFF", "depth": 16},
])  # fmt: skip
def test_layers_of_another_kind_are_refused(client, sent, asked):
    answer = render(client, sent, layers=True, **asked)
    assert answer.status_code == 422
    assert "layers should " in answer.text
