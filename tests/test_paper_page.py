"""The page on the paper says what the files say that its runs left."""

import numpy as np
from pages import read_page, read_results
from scipy import stats


def read_rows(name="table1"):
    """Rows of a table of the paper's on the luma, by run (or method) and palette."""
    rows = read_results(f"results/{name}.json")
    return {(r["run"] or r["method"], r["palette"]): r for r in rows if r["gray"] == "luma"}


def lead(one, other):
    """By how much raw AuC is higher, with 95 % by Student's t over seeds."""
    leads = [a - b for a, b in zip(one["auc_by_seed"], other["auc_by_seed"], strict=True)]
    half = stats.t.ppf(0.975, len(leads) - 1) * np.std(leads, ddof=1) / len(leads) ** 0.5
    return np.mean(leads) + np.array([0, -half, half])


def say_lead(one, other):
    """`lead` as the pages say it."""
    return "{:.2f} ({:.2f} to {:.2f})".format(*lead(one, other))


def test_what_the_page_answers_is_what_was_measured():
    """Who is ahead, by itself and with the palette given, whoever that is."""
    rows, text = read_rows(), read_page("docs/paper.md")
    gray, dahl, paper = (rows[name, "own"] for name in ("gray", "dahl2016", "fenu2016"))
    given = rows["fenu2016", "true"]
    assert paper["seeds"] == dahl["seeds"] == 3
    low, high = dahl["auc_difference_interval"]
    ours, theirs, none = (f"{row['auc']:.2f}" for row in (paper, dahl, gray))
    assert f"{ours}, {theirs} and {none} have the paper's, Dahl's and gray" in text
    ahead = f"{dahl['auc_difference']:.2f} ({low:.2f} to {high:.2f} over photos and seeds)"
    each = [a - b for a, b in zip(dahl["auc_by_seed"], paper["auc_by_seed"], strict=True)]
    first, second, third = (f"{value:.2f}" for value in each)
    assert f"{ahead}, in each of the three seeds ({first}, {second} and {third})" in text
    assert f"it gains {given['auc'] - paper['auc']:.2f}" in text
    assert f"{given['auc']:.2f} with each photo's true palette" in text
    mean, least, most = lead(given, dahl)
    assert f"{mean:.2f} more than Dahl's ({least:.2f} to {most:.2f}" in text
    mean, least, most = lead(given, rows["deshpande2015", "true"])
    assert f"{mean:.2f} more ({least:.2f} to {most:.2f}) than Deshpande's" in text
    assert f"{lead(given, rows['cheng2015', 'own'])[0]:.2f} more than Cheng's" in text
    assert f"makes more of them: {rows['tintype', 'true']['auc']:.2f}" in text
    rare = [f"{rows[name, 'own']['auc_rebalanced']:.2f}" for name in ("dahl2016", "cheng2015")]
    rare.append(f"and {rows['deshpande2015', 'true']['auc_rebalanced']:.2f}")
    rivals = ", ".join(rare).replace(", and", " and")
    assert f"it is {given['auc_rebalanced']:.2f} against {rivals}" in text
    zhang = rows["zhang2016-class", "own"]
    low, high = zhang["auc_difference_interval"]
    assert (low < 0 < high) == ("with an interval that holds 0" in text)
    assert f"{ours} against {zhang['auc']:.2f}" in text
    assert f"a run sees {paper['photos_seen']:,} crops" in text


def test_what_the_page_says_of_gains_over_gray_is_what_was_measured():
    rows, text = read_rows(), read_page("docs/paper.md")
    gray, tint = rows["gray", "own"], rows["tint", "own"]
    over, colored = (tint[name] - gray[name] for name in ("auc", "hsv_accuracy"))
    assert f"gains {over:.2f} over gray, and {colored:.2f} in the reading 1 - HSV L1" in text
    value = next(r for r in read_results("results/table1.json") if r["gray"] == "value")
    rmse, hsv = value["rmse_accuracy"], value["hsv_accuracy"]
    assert f"Gray from V has {rmse:.1f} by 1 - RMSE and {hsv:.1f} by 1 - HSV L1" in text
    for words, name in (
        ("Cheng's gains", "cheng2015"),
        ("Dahl's", "dahl2016"),
        ("the paper's", "fenu2016"),
        ("the default model's network", "tintype"),
        ("Zhang's without rebalancing", "zhang2016-class"),
        ("Zhang's with it loses", "zhang2016"),
        ("Deshpande's", "deshpande2015"),
    ):
        assert f"{words} {abs(rows[name, 'own']['auc'] - gray['auc']):.2f}" in text


def test_what_the_page_says_of_steering_is_what_was_measured():
    text = read_page("docs/paper.md")
    shipped = "docs/evaluation.json"
    for name, file in (
        *((f"seed {i}", f"results/steering-fenu2016-{i}.json") for i in range(3)),
        ("as shipped (480 photos)", shipped),
    ):
        report = read_results(file)
        steering = report["steering"]
        followed = ", ".join(f"{100 * v:.0f}" for v in steering["followed_median"].values())
        hues = [f"{100 * v:.0f} %" for v in steering["one_hue_median"].values()]
        strengths = [f"{v:.1f} x" for v in steering["strength_median"].values()]
        raw = {row["method"]: row["auc"] for row in report["rows"]}
        gain = f"+{raw['true palette'] - raw['automatic']:.2f}"
        row = " | ".join((name, f"{followed} %", *hues, *strengths, gain))
        assert f"| {row} |" in text


def test_what_the_page_says_of_its_residual_connections_is_what_was_measured():
    rows, text = read_rows("ablations"), read_page("docs/paper.md")
    cells = ("fenu2016", "no-palette", "nothing-carried", "neither", "not-turned")
    assert [rows[name, "own"]["seeds"] for name in cells] == [3] * 5
    both, palette, carried, neither, turned = (f"{rows[name, 'own']['auc']:.2f}" for name in cells)
    assert f"with both {both}, without the palette's {palette}, without carried" in text
    assert f"colors {carried}, with neither {neither}" in text
    for low, high in (rows[name, "own"]["auc_difference_interval"] for name in cells[1:]):
        assert low < 0 < high
    given, uncarried, unturned = (rows[name, "true"] for name in (cells[0], cells[2], cells[4]))
    assert f"carried colors are worth {say_lead(given, uncarried)}, from" in text
    assert f"from {uncarried['auc']:.2f} to {given['auc']:.2f}" in text
    rare, unturned_rare = given["auc_rebalanced"], unturned["auc_rebalanced"]
    assert f"in rebalanced AuC {rare - uncarried['auc_rebalanced']:.2f}" in text
    assert f"({turned} without, {unturned['auc']:.2f} with the true palette)" in text
    assert f"rebalanced AuC of {rare:.2f} against {unturned_rare:.2f}" in text


def test_what_the_page_says_of_its_losses_is_what_was_measured():
    rows, text = read_rows("ablations"), read_page("docs/paper.md")
    cells = ("l1", "l1-variation", "l1-palettewise", "l1-both")
    plain, variation, palettewise, both = (rows[name, "own"] for name in cells)
    gray = rows["gray", "own"]
    assert f"have a colorfulness of {gray['colorfulness_gap']:.1f}; with L1 alone" in text
    first, *others = (row["colorfulness"] for row in (plain, variation, palettewise, both))
    added = "(`l1`) it is {:.1f}, with total variation added {:.1f}, with the palettewise loss"
    assert f"{added} added {{:.1f}}, with both {{:.1f}}".format(first, *others) in text
    fall = f"from {plain['auc']:.2f} to {palettewise['auc']:.2f}, by "
    assert f"{fall}{say_lead(plain, palettewise)}, which is hardly more than gray's" in text
    assert 0 < palettewise["auc"] - gray["auc"] < 0.1
    rare = f"{plain['auc_rebalanced']:.2f} and {palettewise['auc_rebalanced']:.2f}"
    assert f"gray's {gray['auc']:.2f}, and rebalanced AuC is the same, {rare}" in text
    assert f"Total variation takes {say_lead(both, palettewise)} of that back" in text
    low, high = lead(plain, variation)[1:]
    assert (low < 0 < high) == (f"by itself changes nothing ({variation['auc']:.2f})" in text)
    plain, palettewise = (rows[name, "true"] for name in ("l1", "l1-palettewise"))
    lost = plain["auc_rebalanced"] - palettewise["auc_rebalanced"]
    costs = f"costs {say_lead(plain, palettewise)} and {lost:.2f} of rebalanced AuC"
    assert f"With the true palette the palettewise loss {costs}" in text


def test_what_the_page_says_of_its_weights_and_layers_is_what_was_measured():
    rows, text = read_rows("ablations"), read_page("docs/paper.md")

    def say(cells, palette, name="auc"):
        first, second, third = (f"{rows[cell, palette][name]:.2f}" for cell in cells)
        return f"{first}, {second} and {third}"

    weights = ("l1", "fenu2016", "alpha-1")
    assert f"have {say(weights, 'own')}, and {say(weights, 'true')} with the true palette" in text
    none, _, most = (rows[cell, "own"] for cell in weights)
    seeds = zip(*(rows[cell, "own"]["auc_by_seed"] for cell in weights), strict=True)
    best = all(max(seed) == seed[-1] for seed in seeds)
    assert best == (f"the best in each seed, by {say_lead(most, none)} over none" in text)
    powers, gray = ("rebalance-0", "fenu2016", "rebalance-1"), rows["gray", "own"]
    assert f"Powers of 0, 0.25 and 1 have {say(powers, 'own')}, where gray has " in text
    assert f"gray has {gray['auc']:.2f}, and with the true palette {say(powers, 'true')}" in text
    assert f"rebalanced AuC is then {say(powers, 'true', 'auc_rebalanced')}" in text
    strong, usual = (f"{100 * rows[c, 'true']['chroma_of_truth']:.0f} %" for c in powers[:0:-1])
    assert f"({strong} of their chroma with the true palette, {usual} with 0.25)" in text
    assert rows["rebalance-1", "own"]["auc"] < gray["auc"]
    with_it, without = ([rows[c, p] for p in ("own", "true")] for c in ("fenu2016", "no-conv5"))
    (own, given), (own_without, given_without) = with_it, without
    assert f"conv5_3 is worth {say_lead(own, own_without)} where the palette is estimated" in text
    assert f"{own_without['auc']:.2f} without it, and {say_lead(given, given_without)} with" in text


def test_what_the_page_says_of_losses_by_themselves_is_what_was_measured():
    rows, text = read_rows("ablations"), read_page("docs/paper.md")
    plain, gray = rows["l1", "own"], rows["gray", "own"]
    variance, palettewise, variation, of_sums = (
        rows[name, "own"]
        for name in ("variance-alone", "palettewise-alone", "variation-alone", "l1-variation-sum")
    )
    behind = say_lead(rows["l1", "true"], rows["variance-alone", "true"])
    ahead = say_lead(variance, plain)
    assert f"is as good: {ahead} ahead, {variance['auc']:.2f}, and {behind} behind with" in text
    strong = f"{palettewise['colorfulness']:.1f}, at a raw AuC of {palettewise['auc']:.2f}"
    assert f"a colorfulness of {strong}, less than gray's" in text
    assert palettewise["auc"] < gray["auc"]
    moved = rows["variation-alone", "true"]["auc"] - variation["auc"]
    pale = f"{variation['auc']:.2f}, a colorfulness of {variation['colorfulness']:.1f}"
    assert f"no color: {pale}, and a true palette moves it by {moved:.2f}" in text
    costs = f"costs {say_lead(plain, of_sums)} when it is added to L1"
    assert f"{costs}, for a colorfulness of {of_sums['colorfulness']:.1f}" in text


def test_what_the_page_says_of_its_first_stage_and_norms_is_what_was_measured():
    rows, text = read_rows("ablations"), read_page("docs/paper.md")
    own, given = (rows["fenu2016", palette] for palette in ("own", "true"))
    staged, staged_given = (rows["no-first-stage", palette] for palette in ("own", "true"))
    intervals = [lead(own, staged)[1:], lead(given, staged_given)[1:]]
    assert all(low < 0 < high for low, high in intervals)
    leads = f"{say_lead(own, staged)} by itself, {say_lead(given, staged_given)} with the true"
    assert f"changes nothing: {leads} palette" in text
    after, after_given = (rows["palette-after-norm", palette] for palette in ("own", "true"))
    assert min(lead(own, after)[1], lead(given, after_given)[1]) > 0
    rare = given["auc_rebalanced"] - after_given["auc_rebalanced"]
    assert f"is worth less: {say_lead(own, after)} where it is estimated" in text
    assert f"estimated, {after['auc']:.2f}, and {say_lead(given, after_given)} where" in text
    assert f"given, {after_given['auc']:.2f}, with {rare:.2f} of rebalanced AuC" in text


def test_what_the_page_says_of_its_color_spaces_is_what_was_measured():
    rows, text = read_rows("ablations"), read_page("docs/paper.md")
    (own, given), (raw, raw_given), (lab, lab_given) = (
        [rows[name, palette] for palette in ("own", "true")]
        for name in ("fenu2016", "hsv-raw", "lab")
    )
    assert f"(`hsv-raw`) cost {say_lead(own, raw)} beside" in text
    assert f"at {raw['auc']:.2f} they are less accurate than gray" in text
    assert raw["auc"] < rows["gray", "own"]["auc"]
    assert f"with the true palette they cost {say_lead(given, raw_given)}" in text
    by_hsv = f"{raw['hsv_accuracy']:.2f} against {own['hsv_accuracy']:.2f}"
    assert f"ahead in 1 - HSV L1, which they learn by, {by_hsv}" in text
    assert raw["hsv_accuracy"] > own["hsv_accuracy"]
    assert f"ahead by {say_lead(lab, own)}, {lab['auc']:.2f}, and with the" in text
    rare = given["auc_rebalanced"] - lab_given["auc_rebalanced"]
    assert f"palette by {say_lead(lab_given, given)} of raw AuC, but {rare:.2f} of reb" in text
