"""Masked LMs that read raw text: tune one, or make one."""
