"""What can be said of a recording's frames without finding a cell in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellcensus.errors import RecordingError
from pipeline.recordings import Frame, Recording

#: Brightest pixel of a recording that shows nothing, by bit depth: the noise of a covered camera.
_DARKEST = {8: 8, 16: 64}
#: Highest value of cameras of 8, 10, 12, 14 and 16 bits, by the depth of the file.
_CEILINGS = {8: (255,), 16: (1023, 4095, 16383, 65535)}
#: Every fourth pixel each way says enough and costs a sixteenth.
_STRIDE = 4
#: A gap between frames of this many usual intervals means that frames are missing.
_GAP = 1.6


class Watched:
    """A recording whose frames are looked at as they go by; otherwise the recording itself.

    Parameters
    ----------
    recording
        Open.
    """

    def __init__(self, recording: Recording) -> None:
        self.path: Path = recording.path
        self.height = recording.height
        self.width = recording.width
        self.n_frames_stated = recording.n_frames_stated
        self._recording = recording
        self._ceilings = np.array(_CEILINGS[recording.bit_depth])
        self._count = 0
        self._brightest = 0
        self._saturated = np.zeros(len(self._ceilings))
        self._identical = 0
        self._last_mark: int | None = None
        self._times: list[float] = []

    def frames(self) -> Iterator[Frame]:
        """The recording's frames, watched.

        Raises
        ------
        RecordingError
            Besides what the reader raises: ``all_black``, at the end.
        """
        for frame in self._recording.frames():
            self._look(frame.pixels)
            if frame.time_s is not None:
                self._times.append(frame.time_s)
            yield frame
        if self._count and self._brightest <= _DARKEST[self._recording.bit_depth]:
            raise RecordingError(
                "every frame is black",
                code="all_black",
                file=self.path.name,
                next_step="check lamp, shutter and exposure, and record again",
            )

    def _look(self, pixels: NDArray[Any]) -> None:
        # Not at the top: whoever only looks at other recordings need not load what compiles.
        from pipeline.kernels.glance import glance  # noqa: PLC0415

        brightest, above, size, mark = glance(pixels, _STRIDE, self._ceilings)
        self._count += 1
        self._brightest = max(self._brightest, brightest)
        self._saturated += above / size
        self._identical += mark == self._last_mark
        self._last_mark = int(mark)

    def figures(self) -> dict[str, float]:
        """Figures of the frames seen: counts, and shares from 0 to 1."""
        return {
            "bit_depth": float(self._recording.bit_depth),
            "saturated_share": float(self._saturated[self._ceiling()] / max(self._count, 1)),
            "ceiling": float(self._ceilings[self._ceiling()]),
            "duplicated_frames": float(self._identical),
            "dropped_frames": float(self._dropped()),
        }

    def _ceiling(self) -> int:
        # A camera's own depth is not stored: its ceiling is the lowest that nothing went beyond.
        above = [place for place, top in enumerate(self._ceilings) if self._brightest <= top]
        return above[0] if above else len(self._ceilings) - 1

    def _dropped(self) -> int:
        gaps = np.diff(self._times)
        gaps = gaps[gaps > 0]
        if gaps.size < 3:
            return 0
        usual = float(np.median(gaps))
        wide = gaps[gaps > _GAP * usual]
        return int(np.sum(np.rint(wide / usual) - 1))
