"""The workloads, each from its public definition (GradBench and ADBench where they have it)."""

from workloads import ba, chain, gmm, kmeans, llsq, lse, lstm, mlp, ode, rosenbrock, softmax

ALL = (rosenbrock, gmm, ba, lstm, kmeans, llsq, lse, ode, mlp, softmax, chain)
