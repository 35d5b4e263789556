"""The registry of methods: what a run can compare, each one value."""
