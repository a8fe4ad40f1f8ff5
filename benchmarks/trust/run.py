"""Runs the yardstick: how often is a gradient wrong, and does anybody say so?

    python benchmarks/trust/run.py ../shared/yardstick [--tools wengert check compiled jax torch autograd] [--sets everyday full traps]

prints the yardstick's own lines for each tool, and for wengert what share of the points was handed
to balls. Tools that are not installed are left out, with a word.
"""

import argparse
import importlib.util
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
TOOLS = {
    "wengert": ("adapter.py", "Wengert"),
    "check": ("adapter.py", "Checked"),
    "compiled": ("adapter.py", "Compiled"),
    "jax": ("peers.py", "Jax"),
    "torch": ("peers.py", "Torch"),
    "autograd": ("peers.py", "Autograd"),
}


def module(path):
    """A module from its file."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def main():
    """Score the tools that are asked for."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    p.add_argument("yardstick", help="the folder that holds score.py and its data")
    p.add_argument("--tools", nargs="+", default=["wengert", "check"], choices=TOOLS)
    p.add_argument("--sets", nargs="+", default=["everyday", "full", "traps"])
    p.add_argument("--formats", nargs="+", default=["f64", "f32"])
    p.add_argument("--list", action="store_true")
    given = p.parse_args()
    warnings.filterwarnings("ignore")
    sys.path.insert(0, str(HERE))
    score = module(Path(given.yardstick) / "score.py")
    for name in given.tools:
        file, kind = TOOLS[name]
        print(f"--- {name}")
        try:
            make = getattr(module(HERE / file), kind)
            make()
        except ImportError as error:
            print(f"not installed: {error}")
            continue
        for which in given.sets:
            if which == "traps":
                score.score_traps(make(), given.list)
                continue
            for fmt in given.formats:
                tool = make()
                score.score_expressions(tool, which, fmt, given.list)
                if getattr(tool, "points", 0):
                    print(
                        f"  handed to balls: {tool.looked / tool.points:.2%} of {tool.points} points"
                    )


if __name__ == "__main__":
    main()
