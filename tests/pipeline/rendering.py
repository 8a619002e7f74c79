"""Tiny recordings for tests: dark discs that flow over an uneven background, in any format."""

import itertools
import struct

import cv2
import h5py
import numpy as np
import tifffile

HEIGHT, WIDTH = 96, 160


def background(level=180.0):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return level * (1 - 0.1 * x / WIDTH + 0.05 * y / HEIGHT)


def flowing_discs(n_cells=12, speed=16.0, frames=40, radius=8, level=180.0, noise=1.5, seed=0):
    """(T, H, W) uint8 of cells that enter one after the other, and how many there are."""
    rng = np.random.default_rng(seed)
    lanes = rng.choice([20, 48, 76], n_cells)
    starts = np.sort(rng.uniform(-frames * speed * 0.7, 0, n_cells))
    for lane in (20, 48, 76):  # cells of a lane keep their distance
        mine = np.flatnonzero(lanes == lane)
        for before, after in itertools.pairwise(mine):
            starts[after] = max(starts[after], starts[before] + 3 * radius)
    pictures = []
    for time in range(frames):
        light = np.ones((HEIGHT, WIDTH), np.float32)
        for lane, start in zip(lanes, starts, strict=True):
            centre = (round(16 * (start + speed * time)), round(16 * lane))
            cv2.circle(light, centre, 16 * radius, 0.45, -1, cv2.LINE_AA, shift=4)
        picture = background(level) * light + rng.normal(0, noise, light.shape)
        pictures.append(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
    seen = sum(start + speed * (frames - 1) > radius for start in starts)
    return np.stack(pictures), int(seen)


def write_video(path, pictures, fourcc="MJPG", rate=50.0):
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*fourcc), rate, (width, height), isColor=True
    )
    assert writer.isOpened()
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    writer.release()


def change_times(path, lengths):
    """Let frames of an MP4 last so many times as long as all did (ISO/IEC 14496-12, 8.6.1.2)."""
    path.write_bytes(_with_lengths(path.read_bytes(), lengths))


def _with_lengths(data, lengths):
    parts, place = [], 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + size]
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            body = _with_lengths(body, lengths)
        elif kind == b"stts":
            usual = struct.unpack_from(">I", body, 12)[0]
            rows = [struct.pack(">II", 1, usual * length) for length in lengths]
            body = struct.pack(">II", 0, len(rows)) + b"".join(rows)
        place += size
        # The list of edits ends with what once was the last frame's time.
        if kind != b"edts":
            parts.append(struct.pack(">I4s", len(body) + 8, kind) + body)
    return b"".join(parts)


def write_stack(path, pictures):
    tifffile.imwrite(path, pictures, photometric="minisblack")


def write_pictures(folder, pictures, suffix=".png"):
    folder.mkdir()
    for index, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"frame{index}{suffix}"), picture)


def write_rtdc(path, pictures, with_background=False):
    with h5py.File(path, "w") as file:
        file.create_dataset("events/image", data=pictures, chunks=(1, *pictures.shape[1:]))
        file.attrs["imaging:frame rate"] = 2000.0
        if with_background:
            ground = np.broadcast_to(background().astype(np.uint8), pictures.shape)
            file.create_dataset("events/image_bg", data=ground)
