"""wengert beside GradBench's `manual` tool: derivatives by hand in C++, built from a checkout of theirs.

    python benchmarks/gradbench_manual.py PATH_TO_GRADBENCH [--only ba gmm]

The checkout needs `json.hpp` (nlohmann's) in its folder `cpp/`. Both get the same numbers; theirs run
with OpenMP in a process of their own, rounds alternate, figures are medians of rounds' medians.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from statistics import median

import numpy

from against_peers import seconds
from peers import wengert
from workloads import ba, gmm, kmeans, llsq, lse, lstm


def as_lists(**arrays):
    return {k: a.tolist() if isinstance(a, numpy.ndarray) else a for k, a in arrays.items()}


def ba_input(cameras, points, weights, features, who, what):
    """Their tool repeats one camera, point and feature: the work is the same."""
    return as_lists(
        n=len(cameras), m=len(points), p=len(weights), cam=cameras[0], x=points[0],
        w=float(weights[0]), feat=features[0],
    )  # fmt: skip


def gmm_input(alpha, mu, q, l, x):
    (k, d), n = mu.shape, len(x)
    return as_lists(d=d, k=k, n=n, alpha=alpha, mu=mu, q=q, l=l, x=x, gamma=gmm.GAMMA, m=gmm.M)


def lstm_input(main, extra, state, sequence):
    return as_lists(main_params=main, extra_params=extra, state=state, sequence=sequence)


INPUTS = {
    "ba": (ba, "jacobian", ba_input),
    "gmm": (gmm, "jacobian", gmm_input),
    "lstm": (lstm, "jacobian", lstm_input),
    "kmeans": (kmeans, "dir", lambda c, p: as_lists(points=p, centroids=c)),
    "llsq": (llsq, "gradient", lambda x, t, s: as_lists(x=x, n=len(t))),
    "lse": (lse, "gradient", lambda x: as_lists(x=x)),
}


def theirs(tool, function, file):
    """Median of the milliseconds of one process's runs."""
    said = subprocess.run([tool, file, function], capture_output=True, text=True, check=True).stdout
    rows = [json.loads(line) for line in said.splitlines() if '"name"' in line]
    return median(r["nanoseconds"] for r in rows if r["name"] == "evaluate") / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", nargs="*", default=list(INPUTS))
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    folder = asked.checkout / "tools" / "manual"
    targets = [f"bin/{name}" for name in asked.only]
    subprocess.run(["make", "-s", "-C", folder, "MULTITHREADED=yes", *targets], check=True)
    print("| workload | wengert ms | by hand ms | by hand / wengert |\n|---|--:|--:|--:|")
    for name in asked.only:
        module, function, write = INPUTS[name]
        for case in module.cases():
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump({**write(*case.args), "min_runs": 10, "min_seconds": 0.3}, file)
                file.flush()
                call = wengert(case)
                call()
                pairs = []
                for _ in range(asked.rounds):
                    times = max(1, int(0.1 / seconds(call, 1)))
                    ours = 1e3 * median(seconds(call, 1) for _ in range(times))
                    pairs.append((ours, theirs(folder / "bin" / name, function, file.name)))
            a, b = (median(p) for p in zip(*pairs, strict=True))
            ratio = median(y / x for x, y in pairs)
            print(f"| {case.name} | {a:.4g} | {b:.4g} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
