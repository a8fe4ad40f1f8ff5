"""Learn to read handwritten digits, step by step: layers, a tape, and Adam."""

import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import wengert as wg

he = wg.nn.initializers.he_normal


def draw(history, accuracies, out):
    """How the loss fell, and the accuracy on unseen digits rose."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    left.semilogy(history, color="tab:blue", linewidth=1, alpha=0.4)
    window = min(25, len(history))
    smooth = np.convolve(history, np.full(window, 1 / window), "valid")
    left.semilogy(np.arange(window - 1, len(history)), smooth, color="tab:blue", linewidth=2)
    left.set(title="Loss of each batch", xlabel="step of Adam", ylabel="cross-entropy")
    steps, values = zip(*accuracies, strict=True)
    right.plot(steps, np.multiply(values, 100), color="tab:green", linewidth=2)
    right.set(title="Unseen digits read correctly", xlabel="step of Adam", ylabel="%")
    for axes in (left, right):
        axes.spines[["right", "top"]].set_visible(False)
        axes.grid(alpha=0.3)
    figure.savefig(out / "digits_by_tape.png", dpi=150)
    plt.close(figure)


def main(steps=600, out=Path("out")):
    digits = load_digits()
    images, unseen, labels, truth = train_test_split(
        digits.data / 16, digits.target, test_size=0.2, stratify=digits.target, random_state=0
    )
    model = wg.nn.Sequential(
        [
            wg.nn.Dense(64, "relu", kernel_initializer=he(seed=1)),
            wg.nn.Dense(10, kernel_initializer=he(seed=2)),
        ]
    )
    loss_of = wg.nn.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = wg.optim.Adam(learning_rate=5e-3)
    rng = np.random.default_rng(0)

    def accuracy():
        return float(np.mean(np.argmax(model(unseen), axis=1) == truth))

    history, accuracies = [], []
    began = time.perf_counter()
    for step in (bar := tqdm(range(steps), unit=" steps")):
        batch = rng.integers(0, len(images), 64)
        with wg.GradientTape() as tape:
            loss = loss_of(labels[batch], model(images[batch]))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        history.append(float(loss))
        if step % 20 == 19 or step == steps - 1:
            accuracies.append((step + 1, accuracy()))
            bar.set_postfix(loss=f"{history[-1]:.4f}", unseen=f"{accuracies[-1][1]:.1%}")
    seconds = time.perf_counter() - began

    print(f"{accuracies[-1][1]:.1%} of {len(truth)} unseen digits read correctly", end=" ")
    print(f"after {steps} steps in {seconds:.1f} s ({model.count_params()} weights)")
    out.mkdir(exist_ok=True)
    draw(history, accuracies, out)
    print(f"picture: {out / 'digits_by_tape.png'}")
    return accuracies[-1][1]


if __name__ == "__main__":
    assert main() > 0.95
