import numpy as np

from models.suspects import Sheet, find_suspects

CLASSES = ("a", "b", "c")
NAMES = [f"M{i}" for i in range(20)]


def sheet(seed=0):
    rng = np.random.default_rng(seed)
    known = rng.dirichlet((12, 6, 2), 20)
    found = np.array([rng.multinomial(400, k) for k in known]) / 400
    return found, known, 0.05 * known, np.full(20, 400.0)


def doubts(found, known, sd, cells, names=NAMES, ratio=1.0, totals=6000.0):
    totals = np.broadcast_to(np.asarray(totals, float), (len(names),))
    return find_suspects(names, CLASSES, Sheet(found, known, sd, cells, ratio * totals, totals))


def test_an_honest_sheet_raises_no_doubt():
    assert sum(len(doubts(*sheet(seed))) for seed in range(20)) <= 1


def test_a_wrong_value_is_named_with_its_class():
    found, known, sd, cells = sheet()
    wrong = known[7] * np.array([1, 1, 30])
    known[7] = wrong / wrong.sum()
    (suspect,) = doubts(found, known, sd, cells)
    assert suspect.specimen_id == "M7"
    assert suspect.cell_class == "c"
    assert suspect.kind == "value"
    assert suspect.swapped_with is None


def test_a_slipped_decimal_point_is_named_though_another_class_fits_worse():
    found, known, sd, cells = sheet()
    wrong = known[7] * np.array([1, 10, 1])
    known[7] = wrong / wrong.sum()
    (suspect,) = doubts(found, known, sd, cells)
    assert (suspect.specimen_id, suspect.cell_class, suspect.kind) == ("M7", "b", "tenfold")


def test_two_columns_that_were_exchanged_are_named():
    found, known, sd, cells = sheet()
    known[4] = known[4][[2, 1, 0]]
    (suspect,) = doubts(found, known, sd, cells)
    assert suspect.kind == "exchanged"
    assert {suspect.cell_class, suspect.exchanged_with} == {"a", "c"}


def test_a_wrong_total_is_named_where_the_shares_fit():
    found, known, sd, cells = sheet()
    ratio = np.exp(np.random.default_rng(5).normal(0, 0.05, 20))
    ratio[11] *= 10
    (suspect,) = doubts(found, known, sd, cells, ratio=0.9 * ratio)
    assert (suspect.specimen_id, suspect.kind, suspect.cell_class) == ("M11", "total", "")
    # The instrument's own recovery is taken off what was counted.
    assert 50_000 < suspect.found < 70_000
    assert suspect.stated == 6000
    assert doubts(found, known, sd, cells, ratio=np.full(20, np.nan)) == []


def test_totals_tell_a_swapped_pair_of_like_composition():
    found, known, sd, cells = sheet()
    counted = np.exp(np.random.default_rng(6).normal(np.log(6000), 0.4, 20))
    totals = counted * np.exp(np.random.default_rng(7).normal(0, 0.05, 20))
    low, high = int(totals.argmin()), int(totals.argmax())
    known[[low, high]], totals[[low, high]] = known[[high, low]], totals[[high, low]]
    pair = doubts(found, known, sd, cells, ratio=counted / totals, totals=totals)
    assert {(s.specimen_id, s.swapped_with) for s in pair} == {
        (f"M{low}", f"M{high}"),
        (f"M{high}", f"M{low}"),
    }


def test_a_swapped_pair_is_named():
    found, known, sd, cells = sheet()
    known[3], found[3] = [0.2, 0.7, 0.1], [0.21, 0.68, 0.11]
    known[[3, 12]] = known[[12, 3]]
    pair = doubts(found, known, sd, cells)
    assert {(s.specimen_id, s.swapped_with) for s in pair} == {("M3", "M12"), ("M12", "M3")}
    assert {s.kind for s in pair} == {"swapped"}


def test_too_few_specimens_say_nothing():
    found, known, sd, cells = (part[:5] for part in sheet())
    known[0] = known[0][::-1]
    assert doubts(found, known, sd, cells, NAMES[:5]) == []
