"""Recordings → cells: frames are read, cells found, followed, measured and stored."""

import os

# OpenCV and FFmpeg speak to the terminal by themselves; what they would say is said by our errors.
# Both look at the environment only once, so this must come before their first import.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# A false size in a damaged picture must not ask for memory: `recordings.limits.MOST_PIXELS`.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "64000000")
