"""Files, data sets of the Hub and rows in memory as corpora: one reader a format; checks; writing rows back."""
