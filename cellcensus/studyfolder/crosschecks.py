"""What only shows between rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from cellcensus.study import Role, Specimen
from cellcensus.studyfolder.notes import Notes
from cellcensus.studyfolder.sheet import Sheet

Read = tuple[Specimen | None, Notes]
FEWEST_MIXED_DONORS = 6  # below this, leave-donors-out has no folds worth the name
LEARNED = (Role.PURIFIED, Role.MIXED)
MEASURED = (Role.UNKNOWN, Role.CONTROL)


def check_twins(reads: Sequence[Read]) -> None:
    """Ids and recordings that stand in two rows: nobody can say which is right, so neither goes."""
    # Letters' case is ignored: reports may be opened where p1.html and P1.html are one file.
    by_id = defaultdict(list)
    for _, notes in reads:
        by_id[str(notes.specimen_id).casefold()].append(notes)
    for twins in (twins for twins in by_id.values() if len(twins) > 1):
        for notes in twins:
            message = "The specimen_id stands in more than one row"
            notes.violation("id_twice", message, "Give each row its own id.", "specimen_id")
    by_recording = defaultdict(list)
    for specimen, notes in reads:
        if specimen and specimen.recording:
            by_recording[specimen.recording].append((specimen.specimen_id, notes))
    for users in (users for users in by_recording.values() if len(users) > 1):
        names = ", ".join(name for name, _ in users)
        for _, notes in users:
            message = f"The same recording is used by {names}"
            notes.violation("recording_twice", message, "Correct the wrong one.", "recording")


def check_leaks(reads: Sequence[Read]) -> None:
    """A donor both learned from and predicted makes the prediction look better than it is."""
    learned = {s.donor_id for s, notes in reads if s and not notes.unusable and s.role in LEARNED}
    for specimen, notes in reads:
        if specimen and specimen.role in MEASURED and specimen.donor_id in learned:
            message = (
                "Its donor also has a purified or mixed specimen, so it is no independent test"
            )
            notes.alert("donor_leaks", message, "Do not judge the model by it.", "donor_id")


def check_teachers(specimens: Sequence[Specimen], classes: Sequence[str], notes: Notes) -> None:
    """Whether there is enough to learn from."""
    if not any(specimen.role in LEARNED for specimen in specimens):
        message = "No specimen is purified or mixed, so that nothing can be learned from this study"
        notes.information("nothing_to_learn", message, "Predict it with a model of another study.")
        return
    purified = {specimen.cell_class for specimen in specimens if specimen.role is Role.PURIFIED}
    for name in classes:
        if name not in purified:
            message = f"No usable purified specimen of {name}; the class may not be told apart"
            notes.alert("class_without_purified", message, f"Add one of {name}.", "cell_class")
    donors = {specimen.donor_id for specimen in specimens if specimen.role is Role.MIXED}
    if len(donors) < FEWEST_MIXED_DONORS:
        message = (
            f"{len(donors)} donors with analyser values; fewer than {FEWEST_MIXED_DONORS} "
            "can hardly be learned from, nor the error be told"
        )
        notes.alert("few_mixed_donors", message, "Add mixed specimens of other donors.", "role")


def check_columns(sheet: Sheet, specimens: Sequence[Specimen], notes: Notes) -> None:
    """Columns without which a part of the result cannot be given."""
    if not any(specimen.role is not Role.BLANK for specimen in specimens):
        return
    for column in ("imaged_volume_ul", "dilution"):
        if column not in sheet.columns:
            message = f"There is no column {column}, so that no concentrations can be given"
            notes.alert("column_missing", message, f"Add the column {column}.", column)
