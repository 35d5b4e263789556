"""Finished work by the digest of its inputs; locks, housekeeping, and the journal of a run."""
