import pytest
import torch

from models.course import Course
from models.shelf import Shelf
from models.training import train
from tests.models.toys import CLASSES, make_study


class Brightness(torch.nn.Module):
    """Two classes, told by brightness: dark pictures are of the first."""

    def forward(self, pictures):
        level = pictures.mean((1, 2, 3))
        return torch.stack([-200 * level, 200 * level, torch.full_like(level, -1e3)], 1)


NETWORK = (Brightness(), torch.tensor([0.45, 0.45, 0.1]), torch.zeros(2))


def _shelf(dark, stated, known=(True, True), relative=False):
    pictures = torch.full((10, 1, 48, 48), 200, dtype=torch.uint8)
    pictures[:dark] = 60
    return Shelf(
        "S",
        "D",
        pictures,
        fraction=torch.tensor(stated),
        known=torch.tensor(known),
        relative=relative,
    )


def test_errors_are_of_the_known_shares():
    course = Course()
    left_out = [_shelf(3, (0.5, 0.5)), _shelf(3, (0.2, 0.0), known=(True, False))]
    course.after((4, 4), "purified", NETWORK, left_out)
    assert course.points() == [
        {"stage": "purified", "part": 1.0, "error": pytest.approx(0.15, abs=1e-4)}
    ]


def test_recoveries_are_taken_off():
    course = Course()
    network, prior, _none = NETWORK
    doubled = torch.tensor([2.0, 1.0]).log()
    course.after((4, 4), "mixed", (network, prior, doubled), [_shelf(5, (1 / 3, 2 / 3))])
    assert course.points()[0]["error"] == pytest.approx(0, abs=1e-4)


def test_shares_without_a_total_are_left_aside():
    course = Course()
    course.after((4, 4), "mixed", NETWORK, [_shelf(3, (0.5, 0.5), relative=True)])
    assert course.points() == []


def test_only_quarters_are_looked_at():
    course = Course()
    for step in range(1, 9):
        course.after((step, 8), "mixed", NETWORK, [_shelf(step, (0.0, 1.0))])
    assert [point["part"] for point in course.points()] == [0.25, 0.5, 0.75, 1.0]
    errors = [point["error"] for point in course.points()]
    assert errors == pytest.approx([0.2, 0.4, 0.6, 0.8], abs=1e-4)


def test_training_anew_forgets():
    course = Course()
    course.after((4, 4), "mixed", NETWORK, [_shelf(3, (0.5, 0.5))])
    course.begin()
    assert course.points() == []


def test_a_model_says_how_its_error_fell(model):
    course = model.card["course"]
    stages = [point["stage"] for point in course]
    assert stages == ["purified"] * 4 + ["mixed"] * 4
    assert all(0 <= point["error"] < 1 for point in course)
    assert course[-1]["error"] < course[0]["error"]


def test_looking_changes_nothing_of_what_is_learned(brief, monkeypatch):
    one = train(make_study(), CLASSES, settings=brief)
    monkeypatch.setattr(Course, "after", lambda *_given: None)
    other = train(make_study(), CLASSES, settings=brief)
    assert other.card["course"] == []
    for mine, theirs in zip(one.members, other.members, strict=True):
        assert torch.equal(mine.weights["head.weight"], theirs.weights["head.weight"])
