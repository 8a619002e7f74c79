import json
from dataclasses import replace
from math import isnan, nan

import numpy as np

from reports.content import CellPicture, GalleryClass
from reports.identity import report_sha256
from reports.pictures_kept import keep_pictures, with_pictures
from reports.specimen import render_specimen
from reports.stored import as_values, from_values
from tests.reports import samples


def _again(content):
    values = json.loads(json.dumps(as_values(content), allow_nan=False))
    pictures = json.loads(json.dumps(keep_pictures(content), allow_nan=False))
    return with_pictures(from_values(values), pictures)


def test_a_report_comes_back_with_the_same_hash_and_the_same_page():
    content = samples.specimen()
    assert content.gallery
    assert content.preview
    again = _again(content)
    assert report_sha256(again) == report_sha256(content)
    assert render_specimen(again) == render_specimen(content)


def test_a_report_without_pictures_comes_back():
    content = replace(samples.specimen(), preview=None, gallery=())
    assert report_sha256(_again(content)) == report_sha256(content)
    assert _again(content).preview is None


def test_a_cell_without_a_probability_comes_back_so():
    pixels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    gallery = (GalleryClass("round", (CellPicture(3, pixels, nan),), ()),)
    cell = _again(replace(samples.specimen(), gallery=gallery)).gallery[0].typical[0]
    assert isnan(cell.probability)
    assert np.array_equal(cell.pixels, pixels)
