"""Every defect of a study folder gives its finding, and costs no more than it must."""

from pathlib import Path

import pytest

from cellcensus.errors import StudyError
from cellcensus.findings import Finding, Level
from cellcensus.study import Mode, Role
from cellcensus.studyfolder import load_study, read_study

YAML = """\
name: small
classes: [neutrophil, lymphocyte]
acquisition:
  mode: flow
  pixel_size_um: 0.3
  frame_rate_hz: 50
"""
HEADER = (
    "specimen_id,donor_id,role,cell_class,purity,recording,imaged_volume_ul,dilution,"
    "acquired_at,instrument_id,neutrophil_per_ul,lymphocyte_per_ul,wbc_per_ul"
)
ROWS = {
    "P1": "P1,D1,purified,neutrophil,0.95,rec/P1.avi,1,20,2026-03-01T09:00:00Z,b1,,,",
    "P2": "P2,D2,purified,lymphocyte,0.9,rec/P2.avi,1,20,2026-03-01,b1,,,",
    **{
        f"M{n}": f"M{n},D1{n},mixed,,,rec/M{n}.avi,1.5,20,2026-03-02,b1,4000,2000,6200"
        for n in range(6)
    },
    "U1": "U1,D30,unknown,,,rec/U1.avi,1.5,20,2026-03-02,b1,,,",
    "B1": "B1,D31,blank,,,rec/B1.avi,1.5,20,2026-03-02,b1,,,",
}


def write(folder: Path, rows=None, *, yaml=YAML, header=HEADER, text=None, raw=None) -> Path:
    (folder / "rec").mkdir()
    for name in ROWS:
        (folder / "rec" / f"{name}.avi").write_bytes(b"x")
    (folder / "study.yaml").write_text(yaml, encoding="utf-8")
    text = text or "\n".join([header, *(rows or ROWS).values()]) + "\n"
    (folder / "specimens.csv").write_bytes(raw or text.encode())
    return folder


def change(name: str, old: str, new: str) -> dict[str, str]:
    assert old in ROWS[name]
    return {**ROWS, name: ROWS[name].replace(old, new, 1)}


def brief(findings: list[Finding]) -> set[tuple[str, str, str | None]]:
    return {(found.level.value, found.code, found.specimen_id) for found in findings}


def test_a_good_study_has_no_findings_and_all_its_values(tmp_path):
    study, findings = read_study(write(tmp_path))
    assert findings == []
    assert [s.specimen_id for s in study.specimens] == list(ROWS)
    assert (study.name, study.acquisition.mode) == ("small", Mode.FLOW)
    mixed = study.specimens[2]
    assert (mixed.role, mixed.wbc_per_ul, mixed.dilution) == (Role.MIXED, 6200, 20)
    assert dict(mixed.per_ul) == {"neutrophil": 4000, "lymphocyte": 2000}
    assert study.specimens[0].acquired_at.isoformat() == "2026-03-01T09:00:00+00:00"


VIOLATIONS = [
    ("U1", "rec/U1.avi", "rec/gone.avi", "recording_missing"),
    ("U1", "rec/U1.avi", "", "recording_missing"),
    ("U1", "rec/U1.avi", "../other/U1.avi", "recording_outside"),
    ("U1", "rec/U1.avi", "rec/../../U1.avi", "recording_outside"),
    ("U1", "rec/U1.avi", "/etc/passwd", "recording_outside"),
    ("U1", "rec/U1.avi", "r" * 5000, "recording_missing"),
    ("P1", "neutrophil", "basophil", "class_unknown"),
    ("P1", "neutrophil", "", "class_missing"),
    ("P1", "0.95", "1.5", "purity_out_of_range"),
    ("P1", "0.95", "-0.1", "purity_out_of_range"),
    ("P1", "0.95", "0", "purity_out_of_range"),
    ("P1", "0.95", "950", "purity_out_of_range"),
    ("P1", "0.95", "high", "number_unreadable"),
    ("P1", "0.95", "0,95", "row_too_long"),
    ("M1", "D11", "", "donor_missing"),
    ("M1", "mixed", "mixd", "role_unknown"),
    ("M1", "4000", "-4000", "count_negative"),
    ("M1", "4000", '"4,000"', "number_ambiguous"),
    ("M1", "4000", "inf", "number_unreadable"),
    ("M1", "4000,", "40000,", "total_contradicts_parts"),
    ("M1", "6200", "620", "total_contradicts_parts"),
    ("M1", "4000,2000,6200", ",,", "counts_missing"),
    ("M1", "1.5,20", "0,20", "not_positive"),
    ("M1", "1.5,20", "1.5,-20", "not_positive"),
]


@pytest.mark.parametrize(("name", "old", "new", "code"), VIOLATIONS)
def test_a_specimen_with_a_violation_is_left_out_and_the_others_stay(
    tmp_path, name, old, new, code
):
    study, findings = read_study(write(tmp_path, change(name, old, new)))
    assert ("violation", code, name) in brief(findings)
    # Losing one may leave too few to learn from, which is said; nothing else may be.
    assert {found.specimen_id for found in findings} <= {name, None}
    assert [s.specimen_id for s in study.specimens] == [n for n in ROWS if n != name]


@pytest.mark.parametrize("unsafe", ["../x", "a/b", "a b", ".hidden", "ä", "nul", "x" * 65, "a\\b"])
def test_ids_that_cannot_name_a_file_are_refused(tmp_path, unsafe):
    study, findings = read_study(write(tmp_path, change("U1", "U1", unsafe)))
    assert ("violation", "id_unsafe", unsafe) in brief(findings)
    assert len(study.specimens) == len(ROWS) - 1


def test_a_row_without_an_id_is_named_by_its_line(tmp_path):
    _, findings = read_study(write(tmp_path, change("U1", "U1", "")))
    assert ("violation", "id_missing", "row 10") in brief(findings)


ALERTS = [
    ("P1", "0.95", "95", "purity_in_percent", "purity", 0.95),
    ("P1", "0.95", "0.3", "purity_low", "purity", 0.3),
    ("U1", "D30", "", "donor_missing", "donor_id", "donor-of-U1"),
    ("U1", "D30", "D11", "donor_leaks", "donor_id", "D11"),
    ("U1", "unknown,", "unknown,neutrophil", "purified_only", "cell_class", None),
    ("U1", "unknown,,", "unknown,,0.9", "purified_only", "purity", None),
    ("U1", "1.5,20", ",20", "volume_missing", "imaged_volume_ul", None),
    ("U1", "1.5,20", "1.5,0.05", "dilution_unusual", "dilution", 0.05),
    ("U1", "2026-03-02", "02.03.2026", "date_invalid", "acquired_at", None),
    ("M1", "4000,2000,6200", "4,2,6.2", "unit_suspicious", "wbc_per_ul", 6.2),
    ("M1", "4000,2000,6200", "4000,2000,4700", "total_contradicts_parts", "wbc_per_ul", 4700),
    ("B1", ",,,", "4000,2000,6200", "blank_with_counts", "wbc_per_ul", None),
]


@pytest.mark.parametrize(("name", "old", "new", "code", "attribute", "value"), ALERTS)
def test_what_can_be_used_stays_with_an_alert(tmp_path, name, old, new, code, attribute, value):
    if name == "B1":
        rows = {**ROWS, "B1": ROWS["B1"].removesuffix(",,,") + ",4000,2000,6200"}
    else:
        rows = change(name, old, new)
    study, findings = read_study(write(tmp_path, rows))
    assert brief(findings) == {("alert", code, name)}
    assert len(study.specimens) == len(ROWS)
    specimen = next(s for s in study.specimens if s.specimen_id == name)
    assert getattr(specimen, attribute) == value


@pytest.mark.parametrize(
    ("old", "new"),
    [("U1,", "M1,"), ("U1,", "m1,")],
)
def test_an_id_in_two_rows_is_right_in_neither(tmp_path, old, new):
    study, findings = read_study(write(tmp_path, change("U1", old, new)))
    assert {found.code for found in findings} >= {"id_twice"}
    assert not {"U1", "M1", "m1"} & {s.specimen_id for s in study.specimens}


def test_a_recording_of_two_specimens_is_right_in_neither(tmp_path):
    study, findings = read_study(write(tmp_path, change("U1", "rec/U1", "rec/./M1")))
    assert brief(findings) >= {
        ("violation", "recording_twice", "U1"),
        ("violation", "recording_twice", "M1"),
    }
    assert not {"U1", "M1"} & {s.specimen_id for s in study.specimens}


@pytest.mark.parametrize(
    ("written", "value", "codes"),
    [
        ('"4,000.5"', 4000.5, {"number_format"}),
        ("4.000.000e", None, {"number_unreadable"}),
        ('"4.000,5"', 4000.5, {"number_format"}),
        ("4 000.5", 4000.5, {"number_format"}),
        ("< 500", 250.0, {"number_below_limit"}),
        ("> 100", None, {"number_unreadable"}),
        ("n/a", None, {"number_missing"}),
        ("4e3", 4000.0, set()),
        ("４０００", 4000.0, set()),
    ],
)
def test_numbers_as_laboratories_write_them(tmp_path, written, value, codes):
    rows = {**ROWS, "U1": ROWS["U1"].removesuffix(",,,") + f",{written},,"}
    study, findings = read_study(write(tmp_path, rows))
    assert {found.code for found in findings if found.specimen_id == "U1"} == codes
    specimen = next((s for s in study.specimens if s.specimen_id == "U1"), None)
    if codes == {"number_unreadable"}:
        assert specimen is None
    else:
        assert specimen.per_ul.get("neutrophil") == value


PERCENT = HEADER.replace(
    "neutrophil_per_ul,lymphocyte_per_ul", "neutrophil_percent,lymphocyte_percent"
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("60,40.4,6000", set()),
        ("60,45,6000", {("alert", "percent_sum", "M1")}),
        ("60,70,6000", {("violation", "percent_sum", "M1")}),
        ("60,,6000", set()),
        ("0.6,0.4,6000", {("violation", "percent_as_share", "M1")}),
    ],
)
def test_percentages_must_add_up(tmp_path, values, expected):
    rows = {n: r.replace("4000,2000,6200", "60,40,6200") for n, r in ROWS.items()}
    rows["M1"] = rows["M1"].replace("60,40,6200", values)
    _, findings = read_study(write(tmp_path, rows, header=PERCENT))
    assert {b for b in brief(findings) if b[2]} == expected


def test_percentages_become_concentrations_where_the_total_is_known(tmp_path):
    rows = {n: r.replace("4000,2000,6200", "60,40,5000") for n, r in ROWS.items()}
    rows["M1"] = rows["M1"].replace("5000", "")
    study, findings = read_study(write(tmp_path, rows, header=PERCENT))
    assert findings == []
    with_total, without = study.specimens[2], study.specimens[3]
    assert dict(with_total.per_ul) == {"neutrophil": 3000, "lymphocyte": 2000}
    assert (dict(without.per_ul), dict(without.percent)) == (
        {},
        {"neutrophil": 60, "lymphocyte": 40},
    )


def german() -> str:
    return (
        "\n".join([HEADER, *ROWS.values()])
        .replace(",", ";")
        .replace(".9", ",9")
        .replace("1.5", "1,5")
    )


ENCODINGS = [
    (HEADER + "\n" + "\n".join(ROWS.values()), "utf-8-sig", "\n", set()),
    (HEADER + "\n" + "\n".join(ROWS.values()), "utf-8", "\r\n", set()),
    (HEADER + "\n" + "\n".join(ROWS.values()), "utf-8", "\r", set()),
    (HEADER + "\n" + "\n".join(ROWS.values()), "utf-16", "\n", {"file_encoding"}),
    (HEADER + "\n" + "\n".join(ROWS.values()), "utf-16-le", "\n", {"file_encoding"}),
    (german().replace("b1", "Zähler"), "latin-1", "\n", {"file_encoding", "table_separator"}),
    ("sep=;\n" + german(), "utf-8", "\n", {"table_separator"}),
    (german().replace(";", "\t"), "utf-8", "\n", {"table_separator"}),
]


@pytest.mark.parametrize(("text", "encoding", "line_end", "codes"), ENCODINGS)
def test_any_spreadsheet_may_have_written_the_table(tmp_path, text, encoding, line_end, codes):
    raw = text.replace("\n", line_end).encode(encoding)
    study, findings = read_study(write(tmp_path, raw=raw))
    assert {(found.level, found.code) for found in findings} == {
        (Level.INFORMATION, code) for code in codes
    }
    assert study.specimens[0].purity == 0.95
    assert study.specimens[2].imaged_volume_ul == 1.5
    assert len(study.specimens) == len(ROWS)


def test_a_class_without_purified_specimens_and_few_mixed_donors_are_told(tmp_path):
    rows = {name: ROWS[name] for name in ("P1", "M1", "M2", "U1")}
    study, findings = read_study(write(tmp_path, rows))
    assert brief(findings) == {
        ("alert", "class_without_purified", None),
        ("alert", "few_mixed_donors", None),
    }
    assert len(study.specimens) == 4


def test_a_study_that_is_only_predicted_needs_no_teachers(tmp_path):
    _, findings = read_study(write(tmp_path, {"U1": ROWS["U1"]}))
    assert brief(findings) == {("information", "nothing_to_learn", None)}


@pytest.mark.parametrize(
    ("header", "level", "code"),
    [
        (HEADER.replace("role", "kind"), "violation", "column_missing"),
        (HEADER.replace("purity", "role"), "violation", "column_twice"),
        (HEADER.replace("instrument_id", "comment"), "information", "column_unknown"),
        (HEADER.replace("neutrophil_per_ul", "blast_per_ul"), "alert", "column_unknown"),
        (HEADER.replace("imaged_volume_ul", "x"), "alert", "column_missing"),
    ],
)
def test_columns_missing_or_strange(tmp_path, header, level, code):
    study, findings = read_study(write(tmp_path, header=header))
    assert (level, code, None) in brief(findings)
    assert (study is None) == (level == "violation")


def test_column_names_may_be_written_otherwise(tmp_path):
    header = HEADER.upper().replace("_PER_UL", " per µL")
    study, findings = read_study(write(tmp_path, header=header))
    assert findings == []
    assert study.specimens[2].wbc_per_ul == 6200


def test_a_class_with_a_hyphen_has_columns_of_its_name(tmp_path):
    text = (
        "specimen_id,donor_id,role,recording,large-gran_per_ul,Other_per_ul\n"
        "M1,D1,mixed,rec/M1.avi,1500,3000\n"
    )
    yaml = YAML.replace("neutrophil, lymphocyte", "large-gran, Other")
    study, _ = read_study(write(tmp_path, text=text, yaml=yaml))
    assert study is not None
    assert dict(study.specimens[0].per_ul) == {"large-gran": 1500.0, "Other": 3000.0}


@pytest.mark.parametrize(
    ("place", "told"), [("empty", "is an empty folder"), ("loop", "is a link that leads nowhere")]
)
def test_it_is_said_why_a_recording_that_seems_there_is_none(tmp_path, place, told):
    folder = write(tmp_path, change("U1", "rec/U1.avi", f"rec/{place}"))
    (folder / "rec" / "empty").mkdir()
    (folder / "rec" / "loop").symlink_to("loop")
    _, findings = read_study(folder)
    (found,) = [f for f in findings if f.code == "recording_missing"]
    assert told in found.message
    assert "Did you mean" not in found.action


@pytest.mark.parametrize("text", [HEADER, "\n\n", "a,b\n1,2\n"])
def test_an_empty_table_makes_the_study_unusable(tmp_path, text):
    study, findings = read_study(write(tmp_path, text=text))
    assert study is None
    assert Level.VIOLATION in {found.level for found in findings}


YAMLS = [
    ("name: small", "", "key_missing"),
    ("name: small", "name: ../small", "name_unsafe"),
    ("name: small", "name: small\nname: other", "yaml_invalid"),
    ("name: small", "name: [small", "yaml_invalid"),
    (YAML, "just text", "yaml_invalid"),
    (YAML, "", "yaml_invalid"),
    ("[neutrophil, lymphocyte]", "neutrophil", "classes_invalid"),
    ("[neutrophil, lymphocyte]", "[neutrophil]", "classes_invalid"),
    ("[neutrophil, lymphocyte]", "[neutrophil, Neutrophil]", "classes_invalid"),
    ("[neutrophil, lymphocyte]", "[neutrophil, wbc]", "classes_invalid"),
    ("mode: flow", "mode: flows", "key_invalid"),
    ("mode: flow", "", "key_missing"),
    ("pixel_size_um: 0.3", "pixel_size_um: 0,3", "key_invalid"),
    ("pixel_size_um: 0.3", "pixel_size_um: -1", "key_invalid"),
    ("pixel_size_um: 0.3", "", "key_missing"),
    ("acquisition:", "acquisition: 3\nx:", "key_invalid"),
    ("acquisition:", "acquisition: {}\nx:", "key_missing"),
    ("acquisition:", "cells: {diameter_um: [25, 5]}\nacquisition:", "key_invalid"),
    ("acquisition:", "cells: {polarity: black}\nacquisition:", "key_invalid"),
]


@pytest.mark.parametrize(("old", "new", "code"), YAMLS)
def test_a_description_that_cannot_be_used(tmp_path, old, new, code):
    assert old in YAML
    study, findings = read_study(write(tmp_path, yaml=YAML.replace(old, new)))
    assert study is None
    assert ("violation", code, None) in brief(findings)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("acquisition:", "clases: [a]\nacquisition:", "key_unknown"),
        ("  mode: flow", "  mode: flow\n  pixel_size: 1", "key_unknown"),
        ("  frame_rate_hz: 50\n", "", "frame_rate_missing"),
        ("0.3", "300", "pixel_size_unusual"),
    ],
)
def test_a_description_that_somebody_must_look_at(tmp_path, old, new, code):
    study, findings = read_study(write(tmp_path, yaml=YAML.replace(old, new)))
    assert brief(findings) == {("alert", code, None)}
    assert study is not None


def test_a_misspelt_key_is_told_what_was_meant(tmp_path):
    yaml = YAML + "cels:\n  polarity: dark\n"
    _, findings = read_study(write(tmp_path, yaml=yaml))
    assert "'cells'" in findings[0].action


@pytest.mark.parametrize("gone", ["study.yaml", "specimens.csv"])
def test_a_missing_file_makes_the_study_unusable(tmp_path, gone):
    folder = write(tmp_path)
    (folder / gone).unlink()
    study, findings = read_study(folder)
    assert study is None
    assert brief(findings) == {("violation", "file_missing", None)}
    with pytest.raises(StudyError) as caught:
        load_study(folder)
    assert caught.value.findings == tuple(findings)


def test_a_cytometer_file_has_one_cell_a_frame(tmp_path):
    rows = change("U1", "U1.avi", "U1.rtdc")
    folder = write(tmp_path, rows)
    (folder / "rec" / "U1.rtdc").write_bytes(b"x")
    _, findings = read_study(folder)
    assert brief(findings) == {("violation", "mode_contradicts_recording", "U1")}
    (folder / "study.yaml").write_text(YAML.replace("flow", "events"))
    assert read_study(folder)[1] == []


@pytest.mark.parametrize("written", ["rec/U", "rec/U/*.png", "rec\\U"])
def test_a_folder_or_glob_of_images_is_a_recording(tmp_path, written):
    folder = write(tmp_path, change("U1", "rec/U1.avi", written))
    (folder / "rec" / "U").mkdir()
    assert ("violation", "U1") in {(b[0], b[2]) for b in brief(read_study(folder)[1])}
    (folder / "rec" / "U" / "1.png").write_bytes(b"x")
    study, findings = read_study(folder)
    assert {found.level for found in findings} <= {Level.INFORMATION}
    assert len(study.specimens) == len(ROWS)


def test_nothing_is_written_into_the_folder(tmp_path):
    folder = write(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    read_study(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
