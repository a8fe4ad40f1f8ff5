"""The compilers of this machine."""

import subprocess

import pytest

from wengert.cpp import toolchain
from wengert.errors import CppError

STRICT = ["-O1", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-ffp-contract=off"]


@pytest.fixture(scope="session")
def compiler():
    """A C++ compiler, or the test is skipped."""
    try:
        return toolchain.find_compiler()
    except CppError as error:
        pytest.skip(error.what)


@pytest.fixture
def run_export(compiler, tmp_path):
    """Write an export with its test, compile it without a warning, run it; what it printed."""

    def run(export, eigen=False, compiler=compiler):
        export.write(tmp_path)
        sources = [f for f in export.files if f.endswith(("_test.cpp", ".c"))]
        standard = "-std=c++17"
        if sources[0].endswith(".c"):
            compiler, standard = (
                compiler.replace("clang++", "clang").replace("g++", "gcc"),
                "-std=c99",
            )
        where = ["-isystem", toolchain.find_eigen()] if eigen else []
        command = [compiler, standard, *STRICT, *where, *sources, "-o", "program", "-lm"]
        built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr[:3000]
        ran = subprocess.run(
            [str(tmp_path / "program")], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout
        return ran.stdout

    return run
