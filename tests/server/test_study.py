"""The visual Turing test: pairs, blindness, answers, rates."""

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from PIL import Image

from server.conftest import HERE
from tintype.cli import cli
from tintype.errors import DataError
from tintype.sandbox import Sandbox
from tintype.server.pairs import Rate, encode_side, pairs, rates
from tintype.server.study import Answer, Study, create_app

SIDES = ("left", "right")


def photo(seed):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (40, 60, 3), np.uint8))


@pytest.fixture
def folder(tmp_path):
    """Three real photos, of which one method has three and the other two."""
    for method, names in (("real", "abc"), ("ours", "abc"), ("theirs", "ab")):
        (tmp_path / method).mkdir()
        for name in names:
            ending = ".jpg" if method == "real" else ".color.png"
            photo(ord(name)).save(tmp_path / method / f"{name}{ending}")
    return tmp_path


def test_pairs_are_of_the_same_photo_and_one_is_real(folder):
    found = [(p.photo, p.left.parent.name, p.right.parent.name) for p in pairs(folder)]
    assert found == [
        ("a", "real", "ours"), ("b", "real", "ours"), ("c", "real", "ours"),
        ("a", "real", "theirs"), ("b", "real", "theirs"),
    ]  # fmt: skip


def test_without_real_photos_methods_meet_each_other(folder):
    for file in (folder / "real").iterdir():
        file.unlink()
    (folder / "real").rmdir()
    assert {p.photo for p in pairs(folder)} == {"a", "b"}
    assert {t.question for t in Study(folder, folder / "x.csv", None).begin().trials} == {
        "plausible"
    }


@pytest.mark.parametrize("names", [[], ["real"], ["real", "ours"]])
def test_a_folder_without_pairs_is_refused(tmp_path, names):
    for i, name in enumerate(names):
        (tmp_path / name).mkdir()
        photo(i).save(tmp_path / name / f"{i}.png")
    with pytest.raises(DataError, match="found no pair"):
        pairs(tmp_path)


def test_answers_are_kept_once_and_say_what_was_chosen(folder):
    answers = folder / "answers.csv"
    study = Study(folder, answers, 1.0)
    with TestClient(create_app(study), **HERE) as client:
        session = client.post("/v1/study").json()
        assert session["seconds"] == 1.0
        assert len(session["trials"]) == 5
        for trial in session["trials"]:
            body = {"trial": trial["id"], "choice": "left", "seconds": 9, "milliseconds": 850.4}
            assert client.post("/v1/study/answers", json=body).status_code == 204
            assert client.post("/v1/study/answers", json=body).status_code == 404
    rows = list(csv.DictReader(io.StringIO(answers.read_text())))
    assert len(rows) == 5
    for row in rows:
        assert {row["left"], row["right"]} in ({"real", "ours"}, {"real", "theirs"})
        assert (row["chosen"], row["seconds"], row["milliseconds"]) == ("left", "1.0", "850")
        assert row["participant"] == session["participant"]


def test_nothing_tells_which_picture_is_which(folder):
    study = Study(folder, folder / "answers.csv", None)
    with TestClient(create_app(study), **HERE) as client:
        session = client.post("/v1/study").json()
        text = str(session)
        assert not any(word in text.replace("'real'", "") for word in ("ours", "theirs", ".png"))
        trial = session["trials"][0]
        for side in ("left", "right"):
            answer = client.get(f"/v1/study/pictures/{trial[side]}")
            picture = Image.open(io.BytesIO(answer.content))
            assert picture.format == "JPEG"
            assert not picture.getexif()
        assert client.get("/v1/study/pictures/real").status_code == 404
        assert client.post("/v1/photos").status_code in (404, 405)


def test_both_sides_have_one_size(folder):
    Image.fromarray(np.zeros((80, 120, 3), np.uint8)).save(folder / "real" / "a.jpg")
    study = Study(folder, folder / "answers.csv", None)
    for trial in study.begin().trials:
        shown = [encode_side(*study.sides(name)) for name in (trial.left, trial.right)]
        sizes = {Image.open(io.BytesIO(content)).size for content in shown}
        assert sizes == {(60, 40)}


def test_a_broken_picture_is_refused_without_its_path(folder, caplog):
    (folder / "real" / "a.jpg").write_bytes(b"nothing")
    study = Study(folder, folder / "answers.csv", None)
    with TestClient(create_app(study), **HERE) as client:
        trials = client.post("/v1/study").json()["trials"]
        found = [client.get(f"/v1/study/pictures/{t[side]}") for t in trials for side in SIDES]
    broken = [answer for answer in found if answer.status_code != 200]
    assert {answer.status_code for answer in broken} == {422}
    assert len(broken) == 4  # both sides of the two pairs
    assert not any(word in a.text for a in broken for word in ("real", "ours", "a.jpg", "a.color"))
    assert str(folder / "real" / "a.jpg") in caplog.text


def test_pictures_are_read_one_at_a_time_and_once(folder, monkeypatch):
    """However many ask for one at once: 60 of them took 5.4 GB."""
    running, most, reads = 0, 0, []

    def read(_, work):
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        time.sleep(0.05)
        reads.append(work.args)
        running -= 1
        return b"picture"

    monkeypatch.setattr(Sandbox, "do", read)
    study = Study(folder, folder / "answers.csv", None)
    trial = study.begin().trials[0]
    with (
        TestClient(create_app(study), **HERE) as client,
        ThreadPoolExecutor(30) as people,
    ):
        paths = [f"/v1/study/pictures/{name}" for name in (trial.left, trial.right)] * 15
        answers = list(people.map(client.get, paths))
    assert {answer.content for answer in answers} == {b"picture"}
    assert most == 1
    assert len(reads) == len(set(reads)) == 2


def test_answers_need_a_folder(folder):
    with pytest.raises(DataError, match="expected a folder for the answers"):
        Study(folder, folder / "none" / "answers.csv", None)


def test_trials_that_nobody_answers_are_dropped(folder, monkeypatch):
    monkeypatch.setattr("tintype.server.study.OPEN", 12)
    study = Study(folder, folder / "answers.csv", None)
    for _ in range(10):
        study.begin()
    assert (len(study._trials), len(study._pictures)) == (12, 24)


def test_sides_and_orders_are_by_chance(folder):
    study = Study(folder, folder / "answers.csv", None)
    sessions = [study.begin() for _ in range(40)]
    left = [study._trials[s.trials[0].id][1].left.parent.name == "real" for s in sessions]
    assert 5 < sum(left) < 35
    firsts = {study._trials[s.trials[0].id][1].photo for s in sessions}
    assert firsts == {"a", "b", "c"}


@pytest.mark.parametrize(("chosen", "shown", "low", "high"), [
    (5, 10, 0.2366, 0.7634),  # Wilson's interval, from Brown, Cai & DasGupta 2001's formula by hand
    (0, 20, 0.0, 0.1611),
    (20, 20, 0.8389, 1.0),
])  # fmt: skip
def test_intervals_by_hand(chosen, shown, low, high):
    found = Rate("ours", "real", "", chosen, shown).interval
    assert found == pytest.approx((low, high), abs=1e-4)


def test_rates_count_how_often_the_colored_photo_was_taken_for_real(folder):
    study = Study(folder, folder / "answers.csv", None)
    for trial in study.begin().trials:
        pair = study._trials[trial.id][1]
        fooled = pair.photo in "ab"
        choice = "left" if (pair.left.parent.name == "real") != fooled else "right"
        study.answer(Answer(trial=trial.id, choice=choice, milliseconds=10))
    found = {(r.method, r.other): (r.chosen, r.shown) for r in rates(folder / "answers.csv")}
    assert found == {("ours", "real"): (2, 3), ("theirs", "real"): (2, 2)}
    result = CliRunner().invoke(cli, ["study", str(folder), "--results"])
    assert result.exit_code == 0
    assert "ours: fooled 66.7% (95 %: 20.8% to 93.9%; 2 of 3, at leisure)" in result.output


def test_answers_that_are_none_are_refused(tmp_path):
    with pytest.raises(DataError, match="found none"):
        rates(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="expected answers of a study"):
        rates(tmp_path / "other.csv")


def test_other_machines_are_let_in_only_on_purpose(folder):
    result = CliRunner().invoke(cli, ["study", str(folder), "--host", "0.0.0.0"])
    assert result.exit_code == 2
    assert "--allow-remote" in result.output
