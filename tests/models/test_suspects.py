import numpy as np

from models.suspects import find_suspects

CLASSES = ("a", "b", "c")
NAMES = [f"M{i}" for i in range(20)]


def sheet(seed=0):
    rng = np.random.default_rng(seed)
    known = rng.dirichlet((12, 6, 2), 20)
    found = np.array([rng.multinomial(400, k) for k in known]) / 400
    return found, known, 0.05 * known, np.full(20, 400.0)


def doubts(found, known, sd, cells, names=NAMES):
    return find_suspects(names, CLASSES, found, known=known, known_sd=sd, cells=cells)


def test_an_honest_sheet_raises_no_doubt():
    assert sum(len(doubts(*sheet(seed))) for seed in range(20)) <= 1


def test_a_wrong_value_is_named_with_its_class():
    found, known, sd, cells = sheet()
    known[7] = [0.1, 0.2, 0.7]
    (suspect,) = doubts(found, known, sd, cells)
    assert suspect.specimen_id == "M7"
    assert suspect.cell_class == "c"
    assert suspect.swapped_with is None


def test_a_swapped_pair_is_named():
    found, known, sd, cells = sheet()
    known[3], found[3] = [0.2, 0.7, 0.1], [0.21, 0.68, 0.11]
    known[[3, 12]] = known[[12, 3]]
    pair = doubts(found, known, sd, cells)
    assert {(s.specimen_id, s.swapped_with) for s in pair} == {("M3", "M12"), ("M12", "M3")}


def test_too_few_specimens_say_nothing():
    found, known, sd, cells = (part[:5] for part in sheet())
    known[0] = known[0][::-1]
    assert doubts(found, known, sd, cells, NAMES[:5]) == []
