"""The engine over REST, as the page's modules call it."""

import base64
import io

import psdtags
import pytest
from photos import encoded
from PIL import Image

from server.conftest import coffee


@pytest.fixture
def page(browser, address):
    page = browser.new_page()
    page.goto(f"{address}docs.html")
    yield page
    page.close()


RUN = """async (files) => {
  const { RestEngine } = await import("/engine/rest.js");
  const engine = new RestEngine();
  const blob = (text) => new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]);
  const photos = await Promise.all(files.map((file) => engine.open(blob(file), () => {})));
  const first = await engine.album(photos, 0.7);
  await engine.close(photos[1]); // as when the server forgets it
  const again = await engine.album(photos, 0.7);
  const [{ palette }] = again.variants;
  const recipe = { palette, alternative: 0, edits: [], vividness: again.vividness };
  const text = async (file) => {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return btoa(Array.from(bytes, (v) => String.fromCharCode(v)).join(""));
  };
  const saved = [];
  for (const format of ["PNG", "TIFF"]) {
    const how = { format, strip_metadata: false, layers: true };
    saved.push(await text(await engine.save(photos[0], recipe, how)));
  }
  const refused = await engine.album([{ id: "other" }], 0.5).catch((error) => error.message);
  return { first, again, saved, refused, planes: photos.map((photo) => photo.planes) };
}"""


def test_albums_and_layers_by_the_engine(page):
    small = coffee(120).convert("L")
    files = [encoded(one, "PNG") for one in (small, small.transpose(Image.Transpose.ROTATE_90))]
    found = page.evaluate(RUN, [base64.b64encode(file).decode() for file in files])
    assert found["first"] == found["again"]
    assert len(found["again"]["variants"]) == 2
    assert 0 <= found["again"]["vividness"] <= 1
    assert found["planes"][0] == found["planes"][1][::-1]
    colors, both = map(base64.b64decode, found["saved"])
    assert Image.open(io.BytesIO(colors)).mode == "RGBA"
    at = both.index(psdtags.TiffImageSourceData.SIGNATURE)
    assert len(psdtags.TiffImageSourceData.frombytes(both[at:]).layers.layers) == 2
    assert found["refused"] == "expected a photo that this engine opened"
