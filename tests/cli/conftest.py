"""A folder with the file of `source`, and a command that runs in it."""

import sys

import pytest
from tests.cli.source import SOURCE

from wengert.cli.main import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "model.py").write_text(SOURCE)
    (tmp_path / "bad_syntax.py").write_text("def f(x:\n")
    (tmp_path / "bad_import.py").write_text("import nothing_of_this_name\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    def command(*words):
        code = main([str(w) for w in words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return command
