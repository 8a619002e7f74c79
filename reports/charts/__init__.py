"""Charts as inline SVG: drawn in classes of the style sheet, so they follow paper, day and dark."""
