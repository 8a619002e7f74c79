from flows.review import correct, see_bin, sign, verify
from tests.flows.review.conftest import STUDY, cells_of


def test_sign_correct_sign_again(laboratory):
    lab = laboratory
    bench = lab.bench()
    seen = see_bin(*lab.at(), seen=bench.seen)
    seen = sign(*lab.signing(), meaning="released", seen=seen)
    b1 = lab.bench()
    assert b1.state == "released"
    ids = cells_of(b1, "round")[:2]
    seen = correct(*lab.signing(), cell_ids=ids, after="lobed", seen=seen)
    b2 = lab.bench()
    assert b2.state == "open"
    seen = sign(*lab.signing(), meaning="released", seen=seen)
    b3 = lab.bench()
    assert [v.state for v in b3.versions] == ["final", "corrected"]
    assert b3.state == "corrected"
    assert verify(lab.store, lab.settings, STUDY, "U1") == {1: (), 2: ()}
