"""Labelling files with the ensemble of a run."""
