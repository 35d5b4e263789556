"""The inputs and their judges lie beside the tests; bench/fuzz.py uses the same."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
