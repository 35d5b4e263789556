"""What the tests of executors share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def jobs():
    """The module of the jobs' functions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        import executor_jobs

        yield executor_jobs
