"""Exported derivatives beside Eigen::AutoDiffScalar, CasADi's generated C, duals and code by hand.

    python benchmarks/cpp/run.py [--repeats 200] [--compiler g++]

Everything is compiled with the same flags (-O3 -march=native) and timed side by side in one run: calls
at points that differ, one after the other, the least time of many. Before anything is printed, all numbers
are compared. Times depend on the machine: compare ratios. Sizes are the object's code and constants.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import functions
import numpy as np

import wengert as wg
from wengert.cpp import INCLUDE
from wengert.cpp.toolchain import find_compiler, find_eigen

HERE = Path(__file__).parent
FLAGS = ["-O3", "-march=native"]


def build(place, compiler, case, tools):
    """One object per tool; the program that times them."""
    entries = []
    for tool in tools:
        entry, target = f"run_{tool}_{case}", place / f"{tool}_{case}.o"
        defines = [f"-DENTRY={entry}", f"-DCASE_{case}"]
        if tool.startswith("casadi"):
            name = f"{tool}_{case}"
            defines += [f"-DNAME={name}", f'-DCODE="{name}.c"']
            command = [
                "gcc",
                *FLAGS,
                "-std=gnu99",
                f"-I{place}",
                *defines,
                "-c",
                HERE / "casadi_entry.c",
            ]
        else:
            defines += [f"-DTOOL_{tool.upper()}", f'-DHEADER="{case}.hpp"']
            source = place / f"{tool}_{case}.cpp"
            source.write_text('#include "entries.hpp"\n')
            command = [
                compiler,
                *FLAGS,
                "-std=c++17",
                f"-I{place}",
                f"-I{HERE}",
                "-isystem",
                INCLUDE,
            ]
            command += ["-isystem", find_eigen() or ".", *defines, "-c", source]
        subprocess.run([*map(str, command), "-o", str(target)], check=True)
        entries.append((tool, entry, target))
    _, args, _, _ = functions.CASES[case]
    point = np.concatenate([np.ravel(a) for a in args])
    lines = [f'extern "C" void {entry}(const double*, double*);' for _, entry, _ in entries]
    lines += ["static const Run runs[] = {"]
    lines += [f'    {{"{tool}", {entry}}},' for tool, entry, _ in entries]
    lines += ["};", f"static const int count = {len(entries)};"]
    lines += [f"static const double input[] = {{{', '.join(repr(float(v)) for v in point)}}};"]
    sizes = {"sigmoid": 2, "layer": 7, "residual": 30, "arm": 21}
    lines += [f"static const int input_size = {len(point)}, output_size = {sizes[case]};"]
    (place / "list.inc").write_text("\n".join(lines) + "\n")
    program = place / f"time_{case}"
    command = [compiler, "-O2", "-std=c++17", f"-I{place}", HERE / "main.cpp"]
    command += [target for *_, target in entries]
    subprocess.run([*map(str, command), "-o", str(program)], check=True)
    return program, {tool: code_size(target) for tool, _, target in entries}


def code_size(target):
    """Bytes of code and constants."""
    text = subprocess.run(
        ["size", "-A", str(target)], capture_output=True, text=True, check=True
    ).stdout
    return sum(int(n) for n in re.findall(r"^\.(?:text|rodata)\S*\s+(\d+)", text, re.MULTILINE))


def by_rows(case, tool, numbers):
    """CasADi writes matrices column by column."""
    if not tool.startswith("casadi"):
        return numbers
    if case == "arm":
        return numbers.reshape(7, 3).T.ravel()
    if case == "residual":
        rows = numbers.reshape(15, 2).T
        return np.concatenate([rows[:, :11].ravel(), rows[:, 11:14].ravel(), rows[:, 14]])
    return numbers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--compiler", default=None)
    options = parser.parse_args()
    compiler = find_compiler(options.compiler)
    tools = ["wengert", "hand", "dual"]
    if find_eigen():
        tools += ["eigen", "eigen_xd"]  # derivatives of fixed size; VectorXd, the usual way
    try:
        import casadi_code
    except ImportError:
        casadi_code = None
        print("(casadi is not installed: pip install casadi)")
    else:
        tools += ["casadi", "casadi_cse"]
    print(
        f"{compiler}, {' '.join(FLAGS)}; ns per call, and times those of wengert; bytes of code\n"
    )
    print("| function | " + " | ".join(tools) + " |\n|---|" + "---|" * len(tools))
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        if casadi_code is not None:
            casadi_code.generate(place)
        for case, (f, args, what, argnums) in functions.CASES.items():
            wg.export_cpp(f, *args, what=what, argnums=argnums, name=case, directory=place)
            # (sums of constants and variables of VectorXd abort: Eigen finds no common size)
            able = [t for t in tools if (t, case) != ("eigen_xd", "arm")]
            program, sizes = build(place, compiler, case, able)
            lines = subprocess.run(
                [str(program), str(options.repeats)], capture_output=True, text=True, check=True
            ).stdout.splitlines()
            times, numbers = {}, {}
            for line in lines:
                tool, time, *found = line.split()
                times[tool] = float(time)
                numbers[tool] = by_rows(case, tool, np.array(found, float))
            for tool, found in numbers.items():
                np.testing.assert_allclose(
                    found, numbers["hand"], rtol=1e-9, atol=1e-12, err_msg=tool
                )
            cells = [
                f"{times[t]:.1f} ({times[t] / times['wengert']:.2f}×) {sizes[t]} B"
                if t in able
                else "–"
                for t in tools
            ]
            print(f"| {case} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
