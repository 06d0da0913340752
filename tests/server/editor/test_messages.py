"""What the editor says: at most two messages, which go by themselves, and are never in the way."""

import pytest
from playwright.sync_api import expect

SAY = """async (said) => {
    const { Session } = await import('/state/session.js');
    window.session ??= new Session({});
    if (!window.showing) (await import('/messages.js')).showMessages(session);
    window.showing = window.pressed = true;
    for (const [text, kind, name] of said) {
        const act = () => { window.pressed = name; };
        session.say(text, { kind, action: name && { name, act } });
    }
}"""


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_messages_go_by_themselves_and_errors_by_what_is_done_next(page):
    page.clock.install()
    toasts = page.locator("#message .toast")
    page.evaluate(SAY, [["Saved a.", "note"], ["Rendering", "busy"], ["Saved b.", "note", "Undo"]])
    expect(toasts).to_have_text(["Saved a.✕", "Saved b.Undo✕"])  # what was busy is done
    page.evaluate(SAY, [["Saved b.", "note"], ["a.jpg: expected an image", "error"]])
    expect(toasts).to_have_count(2)
    assert "Saved a." not in page.locator("#message").inner_text()
    stage = page.locator(".stage").bounding_box()
    box = page.locator("#message").bounding_box()
    assert box["y"] + box["height"] < stage["y"] + stage["height"] / 2
    page.clock.fast_forward(7000)
    expect(toasts).to_have_count(1)
    expect(toasts).to_have_class("toast error")
    page.keyboard.press("Tab")
    expect(toasts).to_have_count(1)
    page.keyboard.press("x")
    expect(toasts).to_have_count(0)
    page.evaluate(SAY, [["Closed.", "note", "Undo"]])
    page.clock.fast_forward(7000)  # what can be pressed stays longer
    page.get_by_role("button", name="Undo").click()
    expect(toasts).to_have_count(0)
    assert page.evaluate("pressed") == "Undo"
    dropped = "say => say.map((text) => session.say(text, { kind: 'error', about: 'load' }))"
    page.evaluate(dropped, ["a.jpg has no colors to give.", "Broken."])
    expect(toasts).to_have_text(["Broken.✕"])  # the later about the same
    page.get_by_role("button", name="Dismiss").click()
    expect(toasts).to_have_count(0)


ANSWER = """async (asked) => {
    const { Session } = await import('/state/session.js');
    const session = new Session({});
    document.querySelector('#colors').replaceChildren();
    (await import('/panel/answers.js')).showAnswers(session);
    const answers = asked.map((one) => ({ share: 0.2, ...one }));
    session.tell('shown', { done: true, decoded: { asked: answers } });
    return [...document.querySelectorAll('#colors [role]')].map((one) =>
        one.getAttribute('role') === 'status' ? one.textContent : one.ariaLabel);
}"""
BLUE = {"asked": "#2050c0", "got": "#3058b0"}


@pytest.mark.parametrize("page", ["desk"], indirect=True)
def test_what_did_not_come_out_is_explained(page):
    *_, got, help = page.evaluate(ANSWER, [BLUE])
    assert got.endswith("on 20 % of the photo")
    assert help == ""
    for missed in ({"got": None}, {"got": "#b0a040"}, {"share": 0.003}):
        *_, help = page.evaluate(ANSWER, [BLUE, BLUE | missed])
        assert "Nothing in this photo is like vivid blue; click a thing" in help
    *_, help = page.evaluate(ANSWER, [BLUE | {"got": "#6f7682"}])
    assert "only palely" in help
