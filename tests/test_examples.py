"""Every script of examples/ runs, with few steps where it takes their number."""

import inspect
import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    main = runpy.run_path(str(path))["main"]
    main(**{"steps": 5} if "steps" in inspect.signature(main).parameters else {})
