import numpy as np
import pytest

from pipeline.linking import FlowField, estimate_flow
from pipeline.linking.flow import lane_speed
from tests.pipeline.drawing import detections

SHAPE = (400, 600)


def crowd(*, frames, per_frame, speed, direction=(1.0, 0.0), wall=0.5, seed=0):
    """Cells on random streamlines of a parabolic profile; yields detections frame by frame."""
    rng = np.random.default_rng(seed)
    number = int(per_frame * 6)
    along = rng.uniform(-600, 900, number)
    across = rng.uniform(5, 395, number)
    area = rng.uniform(250, 800, number)
    velocity = speed * (1 - (1 - wall) * ((across - 200) / 200) ** 2)
    result = []
    for frame in range(frames):
        x = (along + velocity * frame) % 1500 - 450
        if direction == (1.0, 0.0):
            points = np.column_stack([x, across])
        elif direction == (-1.0, 0.0):
            points = np.column_stack([600 - x, across])
        else:
            points = np.column_stack([across, x])
        points = points + rng.normal(0, 0.6, points.shape)
        inside = (points >= 0).all(axis=1) & (points < [600, 400]).all(axis=1)
        result.append(detections(frame, points[inside], areas=area[inside]))
    return result


@pytest.mark.parametrize("direction", [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0)])
def test_direction_and_profile_where_cells_move_further_than_they_are_apart(direction):
    flow = estimate_flow(crowd(frames=40, per_frame=40, speed=90, direction=direction), SHAPE, 24.0)
    assert flow is not None
    assert flow.direction == direction
    place = np.array([30.0, 100, 200, 300, 370])
    x, y = (np.full(5, 200.0), place) if direction[1] == 0 else (place, np.full(5, 200.0))
    expected = 90 * (1 - 0.5 * ((place - 200) / 200) ** 2)
    speed = [lane_speed(flow, *place) for place in zip(x, y, strict=True)]
    assert speed == pytest.approx(expected, abs=5)


@pytest.mark.parametrize("speed", [3.0, 1.0])
def test_slow_flow_is_told_from_rest(speed):
    flow = estimate_flow(crowd(frames=40, per_frame=15, speed=speed), SHAPE, 24.0)
    assert flow is not None
    assert lane_speed(flow, 300.0, 200.0) == pytest.approx(speed, abs=0.5)


@pytest.mark.parametrize("speed", [60.0, 180.0])
def test_what_got_stuck_does_not_stop_the_flow(speed):
    rng = np.random.default_rng(4)
    stuck = rng.uniform([0, 20], [600, 380], (12, 2))
    frames = []
    for flowing in crowd(frames=60, per_frame=4, speed=speed, wall=1.0):
        points = np.column_stack([flowing.x, flowing.y])
        here = stuck + rng.normal(0, 0.3, stuck.shape)
        areas = np.concatenate([flowing.area, np.full(len(here), 420.0)])
        frames.append(detections(flowing.frame, np.concatenate([points, here]), areas=areas))
    flow = estimate_flow(frames, SHAPE, 24.0)
    assert flow is not None
    assert flow.direction == (1.0, 0.0)
    assert flow.speed == pytest.approx(speed, rel=0.05)


def test_unrelated_detections_are_no_flow():
    rng = np.random.default_rng(3)
    frames = [detections(index, rng.uniform(0, 400, (12, 2))) for index in range(30)]
    flow = estimate_flow(frames, SHAPE, 24.0)
    assert flow is None or flow.pairs < 60


def test_too_few_cells_say_nothing():
    assert estimate_flow([detections(0, [(1, 1)]), detections(1, [(9, 1)])], SHAPE, 24.0) is None


@pytest.mark.parametrize("lanes", [1, 2, 24])
def test_between_lanes_speed_is_on_a_straight_line(lanes):
    rng = np.random.default_rng(0)
    places = np.sort(rng.uniform(-50, 300, lanes))
    flow = FlowField((0.6, 0.8), places, rng.uniform(0, 60, lanes), 1.0, 1.0, 9)
    for x, y in rng.uniform(-100, 500, (50, 2)):
        across = y * 0.6 - x * 0.8
        assert lane_speed(flow, x, y) == pytest.approx(np.interp(across, flow.lanes, flow.speed))
