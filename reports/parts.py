"""What specimen and study reports share, in the words they are printed with, on every medium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cellcensus.findings import Finding
from reports.content import Signature, SpecimenReport, Status, StudyReport
from reports.findings import finding_in_words, sentence_in_words
from reports.glossary import method_in_words
from reports.identity import report_id, report_sha256
from reports.numbers import CANNOT_BE_SAID
from reports.words import Rich, Words

Report = SpecimenReport | StudyReport


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value; ``code``: set in the face of identifiers."""

    name: str
    value: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A finding in words."""

    level: str
    tag: str
    where: str
    what: str
    action: str


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature in words; ``when`` is empty where nobody has signed."""

    who: str
    when: str


def shared_view(content: Report, say: Words) -> dict[str, Any]:
    """What both kinds of report show at their head and at their end."""
    return {
        "report": content,
        "id": report_id(content),
        "sha256": report_sha256(content),
        "laboratory": content.laboratory or say("page.no_laboratory"),
        "badge": badge(content, say),
        "settled": content.status is not Status.PRELIMINARY,
        "replaces": replaces(content, say),
        "made_by": made_by(content, say),
        "made_with": made_with(content, say),
        "limits": [sentence_in_words(sentence, say) for sentence in content.limits_of_use],
        "signatures": signatures(content, say),
    }


def running_title(content: Report, name: str, say: Words) -> str:
    """What stands on every printed page: whose report, which, and how far it has come."""
    return f"{name} · {report_id(content)} · {status_word(content, say)}"


def status_word(content: Report, say: Words) -> str:
    """``preliminary`` or ``final, version 2``, within a sentence."""
    return say(f"status.word_{content.status.value}", version=_version(content))


def badge(content: Report, say: Words) -> str:
    """The status as a headline."""
    if content.status is Status.PRELIMINARY and _signed(content):
        return say("status.awaiting")
    return say(f"status.{content.status.value}", version=_version(content))


def replaces(content: Report, say: Words) -> str:
    """What a corrected report replaces; empty for any other."""
    if not isinstance(content, SpecimenReport) or content.status is not Status.CORRECTED:
        return ""
    before = say("status.replaces_version", version=content.version - 1)
    return say("status.replaces", what=content.replaces or before)


def made_by(content: Report, say: Words) -> list[Fact]:
    """Which report this is, and which program drew it."""
    facts = [
        Fact(say("identity.report"), report_id(content), code=True),
        Fact(say("identity.sha256"), report_sha256(content), code=True),
        Fact(say("identity.generated"), say.when(content.generated_at)),
        Fact(say("identity.software"), f"cellcensus {content.software_version or CANNOT_BE_SAID}"),
    ]
    if content.method:
        facts.append(Fact(say("identity.method"), method_in_words(content.method, say)))
    return facts


def made_with(content: Report, say: Words) -> list[Fact]:
    """The model and the recipes that led here."""
    model = content.model
    if model is None:
        facts = [Fact(say("identity.model"), say("identity.no_model"))]
    else:
        facts = [
            Fact(say("identity.model"), model.model_id, code=True),
            Fact(say("identity.model_sha256"), model.sha256, code=True),
        ]
        if model.generation is not None:
            facts.append(Fact(say("identity.generation"), str(model.generation)))
        if model.trained_at:
            facts.append(Fact(say("identity.trained"), say.when(model.trained_at)))
        if model.studies:
            donors = [say("identity.donors", donors=model.donors)] if model.donors else []
            facts.append(Fact(say("identity.learned_from"), ", ".join([*model.studies, *donors])))
    recipes = content.recipes.items()
    return facts + [
        Fact(say.of("stage", stage, stage.capitalize()), recipe, code=True)
        for stage, recipe in recipes
    ]


def signatures(content: Report, say: Words) -> list[Signed]:
    """Everyone who signed, in order; or the place where somebody may."""
    signed = [
        Signed(f"{one.name}: {say.of('meaning', one.meaning)}", say.when(one.signed_at))
        for one in _signed(content)
    ]
    return signed or [Signed(say("sign.unsigned"), "")]


def notes(findings: Sequence[Finding], say: Words, *, named: bool) -> list[Note]:
    """Findings in words; ``named``: with the specimen they concern."""
    made = []
    for finding in findings:
        what, action = finding_in_words(finding, say)
        where = finding.specimen_id or "" if named else ""
        tag = say.of("level", finding.level.value)
        made.append(Note(finding.level.value, tag, where, f"{what}.", action))
    return made


def joined(pieces: Sequence[Rich], mark: str) -> Rich:
    """Several sentences as one."""
    whole: Rich = []
    for i, piece in enumerate(pieces):
        whole += [(mark, False), *piece] if i else piece
    return whole


def _signed(content: Report) -> list[Signature]:
    if not isinstance(content, SpecimenReport):
        return []
    last = [content.signature] if content.signature else []
    return [*content.earlier_signatures, *last]


def _version(content: Report) -> int:
    return content.version if isinstance(content, SpecimenReport) else 1
