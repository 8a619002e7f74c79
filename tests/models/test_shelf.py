import torch

from models.augment import Spread, draw_looks
from models.shelf import Deck


def test_every_cell_comes_once_before_any_comes_again():
    deck = Deck(10, torch.Generator().manual_seed(0))
    seen = torch.cat([deck.deal(4) for _ in range(5)])
    assert torch.bincount(seen, minlength=10).tolist() == [2] * 10


def test_no_cell_twice_in_one_hand():
    deck = Deck(7, torch.Generator().manual_seed(1))
    for _ in range(20):
        hand = deck.deal(5)
        assert len(set(hand.tolist())) == 5


def test_a_deal_is_never_larger_than_the_deck():
    assert len(Deck(3, torch.Generator()).deal(10)) == 3


def test_the_same_state_draws_the_same_looks():
    looks = [draw_looks(3, torch.Generator().manual_seed(4), Spread()) for _ in range(2)]
    assert looks[0] == looks[1]
    assert len(set(looks[0])) == 3
