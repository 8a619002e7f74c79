"""What adult blood usually holds."""

from __future__ import annotations

#: Share of the leukocytes.
USUAL_SHARE = {
    "neutrophil": 0.57,
    "lymphocyte": 0.31,
    "monocyte": 0.08,
    "eosinophil": 0.03,
    "basophil": 0.01,
}
