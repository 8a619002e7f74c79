"""Names of what is measured of a cell; loads nothing, so that whoever only reads cells may ask."""

#: Features of a cell's pictures, in the order of the columns (see ``pipeline.features``).
FEATURES = (
    "area_um2",
    "diameter_um",
    "eccentricity",
    "solidity",
    "contrast_mean",
    "contrast_sd",
    "granularity",
    "texture",
    "focus",
)
