"""The paper, without torch: Algorithm 1 and its parts. Start at cotraining.py."""
