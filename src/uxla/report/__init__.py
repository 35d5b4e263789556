"""What a run found, from its folder: tables, figures, the HTML report; the paper's own in the room paper."""
