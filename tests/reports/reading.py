"""What stands on a report, read from the page and from the PDF as a person would."""

from __future__ import annotations

import html
import io
import re

import pypdf

_NUMBER = re.compile(r"[−+]?\d[\d\u202f]*(?:[.,]\d+)*")
_HEX = re.compile(r"\b(?=\w*\d)(?=\w*[a-f])[0-9a-f]{8,}\b|\b(?:ab){4,}\b")


def page_text(page: str) -> str:
    """The words of an HTML report; what appears only when pointed at is left out."""
    body = page.split("<body>", 1)[1]
    body = re.sub(r"(?s)<title>.*?</title>", "", body)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split(" ")))


def pdf_pages(pdf: bytes) -> list[str]:
    """The words of each page of a PDF."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def pdf_text(pdf: bytes) -> str:
    """The words of a PDF, words broken at a line's end joined again."""
    return re.sub(r"(?<=[a-zäöüß])[-\xad]\n(?=[a-zäöüß])", "", "\n".join(pdf_pages(pdf)))


def numbers_in(text: str) -> set[str]:
    """Every number; page numbers and hashes, which a line may break, are left out."""
    text = re.sub(r"(?:Page|Seite) \d+ (?:of|von) \d+", " ", text)
    text = re.sub(r"(?<=[0-9a-f])\u200b?\n(?=[0-9a-f]{16,})", "", text)
    return set(_NUMBER.findall(_HEX.sub(" ", text.replace("\u200b", ""))))
