"""Many photos: what to begin with, several chosen, a look for all, all saved at once."""

from PIL import Image
from playwright.sync_api import expect

from server.editor.conftest import wait_until_settled
from tintype.server.app import STATIC


def test_a_sample_is_opened_as_if_it_was_dropped(page):
    samples = [*(STATIC / "samples").glob("*.jpg")]
    tiles = page.locator("#samples img")
    assert tiles.count() == len(samples) == 3
    assert sum(sample.stat().st_size for sample in samples) < 150_000
    assert tiles.evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 400)")
    expect(page.locator("#panel")).to_be_hidden()
    with page.expect_response("**/v1/photos") as answer:
        page.get_by_role("button", name="A cat").click()
    with Image.open(STATIC / "samples" / "chelsea.jpg") as cat:
        said = answer.value.json()
        assert (said["width"], said["height"], said["format"]) == (*cat.size, "JPEG")
    wait_until_settled(page)
    expect(page.locator("#samples")).to_be_hidden()
    expect(page.locator("#photos button")).to_have_attribute("title", "chelsea.jpg")
