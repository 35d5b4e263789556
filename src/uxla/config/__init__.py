"""A run in YAML: sections and keys, presets, and answers to mistakes."""
