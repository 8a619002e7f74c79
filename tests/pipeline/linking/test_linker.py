from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from pipeline.linking import TRACK, FlowField, Linker, Verdict, judge
from tests.pipeline.drawing import detections
from tests.pipeline.linking.test_flow import SHAPE, crowd

FLOW = FlowField((1.0, 0.0), np.array([0.0, 400.0]), np.array([50.0, 50.0]), 2.0, 0.8, 100)


@dataclass
class Path:
    """A finished track, and where it was seen."""

    track: np.ndarray
    verdict: Verdict
    frames: list[int]
    x: list[float]
    y: list[float]

    def __len__(self):
        return len(self.frames)


def link(frames, flow=FLOW, diameter=24.0):
    linker, paths = Linker(flow, SHAPE, diameter), []
    places = defaultdict(list)

    def close(rows):
        verdicts = judge(linker.tracks, rows, linker.scene)
        for row, verdict in zip(rows, verdicts, strict=True):
            track = linker.tracks[row].copy()
            seen = zip(*places[int(track["number"])], strict=True)
            paths.append(Path(track, Verdict(verdict), *map(list, seen)))
            assert len(paths[-1]) == track["length"]
        linker.let_go(rows)

    for found in frames:
        taken = linker.step(found)
        for row in [*taken.owners, *taken.hidden]:
            track = linker.tracks[row]
            places[int(track["number"])].append((found.frame, track["x"], track["y"]))
        close(taken.ended)
    close(linker.finish())
    return paths


def cells(frames, **how):
    return [path for path in link(frames, **how) if path.verdict is Verdict.CELL]


def line(start, y, frames, skip=(), speed=50.0):
    return {frame: (start + speed * frame, y) for frame in range(frames) if frame not in skip}


def film(*lines, frames=10):
    return [detections(f, [one[f] for one in lines if f in one]) for f in range(frames)]


def test_two_cells_in_one_lane_closer_than_their_step_stay_two():
    found = cells(film(line(10, 100, 10), line(40, 100, 10)))
    assert sorted(len(track) for track in found) == [10, 10]


def test_one_missed_frame_is_bridged():
    found = cells(film(line(10, 100, 10, skip=(4,))))
    assert [len(track) for track in found] == [9]


def test_crossing_cells_keep_their_identity():
    up = {f: (10 + 50 * f, 100 + 6 * f) for f in range(10)}
    down = {f: (10 + 50 * f, 154 - 6 * f) for f in range(10)}
    found = cells(film(up, down))
    assert len(found) == 2
    for track in found:
        steps = np.diff(track.y)
        assert np.abs(steps - np.sign(steps[0]) * 6).max() < 1


def test_cells_that_merge_and_part_again_are_two():
    frames = film(line(10, 100, 10), line(14, 122, 10))
    for f in (4, 5, 6):
        frames[f] = detections(f, [(12 + 50 * f, 111)], areas=[800.0])
    found = cells(frames)
    assert len(found) == 2
    assert {len(track) for track in found} == {10}


def test_a_cell_that_stops_and_goes_on_is_one():
    places = [10, 60, 110, 112, 112, 112, 112, 150, 200, 250]
    found = cells([detections(f, [(x, 100)]) for f, x in enumerate(places)])
    assert [len(track) for track in found] == [10]


def test_dirt_and_flashes_are_no_cells():
    dirt = dict.fromkeys(range(10), (300.0, 200.0))
    flash = {5: (320.0, 60.0)}
    verdicts = {path.verdict for path in link(film(dirt, flash))}
    assert verdicts == {Verdict.STATIC, Verdict.FLEETING}


def test_a_piece_cut_off_once_is_no_second_cell():
    frames = film(line(10, 100, 10))
    frames[5] = detections(5, [(255, 100), (275, 100)], areas=[250.0, 170.0], blob=[0, 0])
    assert len(cells(frames)) == 1


def test_a_pair_seen_apart_in_half_of_its_frames_is_two():
    frames = []
    for f in range(10):
        x = 10 + 50 * f
        if f % 2:
            frames.append(detections(f, [(x + 11, 100)], areas=[800.0]))
        else:
            frames.append(detections(f, [(x, 100), (x + 22, 100)], blob=[0, 0]))
    assert len(cells(frames)) == 2


def test_agrees_with_an_independent_linker():
    import trackpy

    trackpy.quiet()
    frames = crowd(frames=30, per_frame=10, speed=20, wall=0.9)
    table = pd.concat(pd.DataFrame({"x": one.x, "y": one.y, "frame": one.frame}) for one in frames)

    # Told the mean speed, which ours is told lane by lane.
    @trackpy.predict.predictor
    def predicted(time, particle):
        return particle.pos + np.array([0.0, 19.4]) * (time - particle.t)

    theirs = trackpy.link_df(table, 6, memory=1, predictor=predicted)
    profile = np.linspace(0, 400, 9)
    speed = 20 * (1 - 0.1 * ((profile - 200) / 200) ** 2)
    flow = FlowField((1.0, 0.0), profile, speed, 1.0, 1.0, 100)
    ours = link(frames, flow=flow)
    assert len(ours) == pytest.approx(theirs["particle"].nunique(), rel=0.02)
    names = {(row.frame, round(row.x, 6)): row.particle for row in theirs.itertuples()}
    same = [
        len({names[frame, round(x, 6)] for frame, x in zip(track.frames, track.x, strict=True)})
        for track in ours
    ]
    assert np.mean(np.array(same) == 1) > 0.97


def test_a_slow_cell_lost_at_the_border_is_counted_by_its_second_name_only():
    lost = np.zeros(1, TRACK)
    for name, value in {
        "length": 2, "first_frame": 4, "last_frame": 5, "first_x": -8.0, "x": 9.0, "first_y": 40.0,
        "y": 42.0, "area": 400.0, "left_inside": True, "visited": True, "free": 2,
    }.items():  # fmt: skip
        lost[name] = value
    scene = Linker(FLOW, SHAPE, 24.0).scene
    assert judge(lost, np.zeros(1, np.int64), scene) == [Verdict.FLEETING]
    lost["left_inside"] = False
    assert judge(lost, np.zeros(1, np.int64), scene) == [Verdict.CELL]


def test_a_cell_hidden_for_longer_than_may_be_missed_is_found_again():
    hidden = line(10, 100, 12, skip=(3, 4, 5, 6))
    found = cells(film(hidden, frames=12))
    assert [len(track) for track in found] == [8]


def test_another_size_that_comes_from_nowhere_is_another_cell():
    frames = film(line(10, 100, 3), frames=12)
    frames[7:] = [detections(f, [(10 + 50 * f, 100)], area=1300.0) for f in range(7, 12)]
    tracks = sorted(link(frames), key=lambda track: track.frames[0])
    assert tracks[0].frames[-1] == 2
    assert tracks[1].frames[0] == 7
    assert tracks[0].track["left_inside"]
    assert tracks[1].track["born_inside"]


def test_what_is_lost_is_given_out_when_it_must_have_left():
    linker = Linker(FLOW, SHAPE, 24.0)
    ended = [linker.step(found).ended for found in film(line(10, 100, 3), frames=20)]
    assert sum(map(len, ended)) == 1
    assert not len(linker.lost)
    assert not len(linker.finish())


def test_rows_of_finished_tracks_are_used_again_and_the_table_grows_where_it_must():
    linker = Linker(FLOW, SHAPE, 24.0)
    room, numbers = len(linker.tracks), set()
    for found in film(*(line(-50 * start, 100, 60) for start in range(50)), frames=60):
        inside = (found.x >= 0) & (found.x < SHAPE[1])
        taken = linker.step(detections(found.frame, np.column_stack([found.x, found.y])[inside]))
        numbers |= set(linker.tracks["number"][taken.owners].tolist())
        linker.let_go(taken.ended)
    assert len(linker.tracks) == room
    assert numbers == set(range(len(numbers)))
    crowd_of = [(x, y) for x in range(10, 390, 15) for y in range(10, 390, 15)]
    taken = linker.step(detections(60, crowd_of))
    assert len(linker.tracks) > room
    assert len(set(taken.owners.tolist())) == len(crowd_of)


def test_a_cell_whose_size_was_misjudged_at_the_border_keeps_its_name():
    frames = film(line(0, 100, 8), frames=8)
    for found in frames[:2]:
        found.area[:], found.cut[:] = 90.0, True
        found.__post_init__()
    found = cells(frames)
    assert [len(track) for track in found] == [8]
