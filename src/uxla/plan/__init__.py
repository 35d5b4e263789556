"""What a run will cost, before it begins: its own algorithm, carried out with work that is counted instead of done."""
