"""Learn to read handwritten digits.

A network in plain NumPy, trained by SciPy's L-BFGS-B; wengert supplies the derivatives.
"""

import time
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import wengert as wg


def network(params, images):
    *hidden, last = params
    for layer in hidden:
        images = np.maximum(images @ layer["w"] + layer["b"], 0)
    return images @ last["w"] + last["b"]


def loss(params, images, labels, decay=1e-3):
    """Mean cross-entropy, plus a little weight decay."""
    scores = network(params, images)
    scores = scores - np.max(scores, axis=1, keepdims=True)
    log_total = np.log(np.sum(np.exp(scores), axis=1))
    log_likelihood = scores[np.arange(len(labels)), labels] - log_total
    return decay * sum(np.sum(layer["w"] ** 2) for layer in params) - np.mean(log_likelihood)


def initial(sizes, rng):
    return [
        {"w": rng.normal(size=(n, m)) / np.sqrt(n), "b": np.zeros(m)} for n, m in pairwise(sizes)
    ]


def draw(history, images, truth, read, out):
    """Two pictures: how the loss fell, and the digits that were misread."""
    figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
    axes.semilogy(range(1, len(history) + 1), history, color="tab:blue", linewidth=2)
    axes.set(title="Learning to read digits", xlabel="iteration of L-BFGS-B", ylabel="loss")
    axes.spines[["right", "top"]].set_visible(False)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3, which="both")
    figure.savefig(out / "digits_loss.png", dpi=150)

    wrong = np.flatnonzero(read != truth)
    rows = -(-len(wrong) // 8)
    figure = plt.figure(figsize=(9, 0.5 + 1.5 * rows), layout="constrained")
    figure.suptitle(f"{len(wrong)} of {len(truth)} unseen digits misread")
    for place, k in enumerate(wrong, 1):
        axes = figure.add_subplot(rows, 8, place, title=f"{truth[k]}, read as {read[k]}")
        ink = np.pad(images[k].reshape(8, 8), 1)
        axes.imshow(ink, cmap="gray_r", interpolation="bicubic")
        axes.title.set_fontsize(10)
        axes.axis("off")
    figure.savefig(out / "digits_misread.png", dpi=150)


def main(steps=100, out=Path("out")):
    digits = load_digits()  # 1797 images of 8 × 8 pixels, from 0 (paper) to 16 (ink)
    images, unseen, labels, truth = train_test_split(
        digits.data, digits.target, test_size=0.2, stratify=digits.target, random_state=0
    )
    centre = images.mean(axis=0)
    start = initial([64, 64, 10], np.random.default_rng(0))
    problem = wg.for_scipy(loss, start, (images - centre) / 6, labels)

    history = []
    began = time.perf_counter()
    with tqdm(total=steps, unit=" iterations") as bar:

        def report(intermediate_result):
            history.append(intermediate_result.fun)
            bar.set_postfix(loss=f"{intermediate_result.fun:.4f}", refresh=False)
            bar.update()

        options = {"maxiter": steps}
        found = minimize(
            problem.fun, problem.x0, jac=True, method="L-BFGS-B", options=options, callback=report
        )
    seconds = time.perf_counter() - began

    read = np.argmax(network(problem.unflatten(found.x), (unseen - centre) / 6), axis=1)
    accuracy = float(np.mean(read == truth))
    print(f"{accuracy:.1%} of {len(truth)} unseen digits read correctly after {seconds:.1f} s")
    out.mkdir(exist_ok=True)
    draw(history, unseen, truth, read, out)
    print(f"pictures: {out / 'digits_loss.png'}, {out / 'digits_misread.png'}")
    return accuracy


if __name__ == "__main__":
    assert main() > 0.96
