"""Smaller models: one model in place of three, and one without the pieces of other languages."""
