"""Writes oracle.json: what scipy says of the judge's arithmetic. `python3 oracle.py > oracle.json`, with scipy 1.17.1."""

import itertools
import json

import numpy as np
from scipy import optimize, special, stats

EDGES = [(1.1, 0.0005), (1.1, 0.005), (1.0, 0.01), (1.0, 0.2), (0.9, 0.1)]
HARM = [(1e-4, 0.02), (0.01, 0.05), (0.1, 0.4), (0.3, 0.7)]


def projection(n_c, n_s, edge, guess):
    """Stable's ratio at the point of the edge with the least Kullback-Leibler divergence from the guess, by minimising it."""
    factor, margin = edge
    stable, canary = guess

    def divergence(x):
        p_s = special.expit(x)
        p_c = factor * p_s + margin
        part = lambda q, p: special.rel_entr(q, p) + special.rel_entr(1 - q, 1 - p)
        return n_c * part(canary, p_c) + n_s * part(stable, p_s)

    highest = (1 - margin) / factor * (1 - 1e-9)
    top = 36.0 if highest >= 1 else float(special.logit(highest))
    grid = np.linspace(-20, top, 4001)
    best = grid[int(np.argmin(divergence(grid)))]
    step = grid[1] - grid[0]
    found = optimize.minimize_scalar(divergence, bounds=(best - step, min(top, best + step)), method="bounded", options={"xatol": 1e-13})
    return float(special.expit(found.x))


def wealth(counts, sizes, edge, guess, at):
    """The bet as a ratio of likelihoods: the guess against its projection on the edge."""
    (k_c, k_s), (n_c, n_s) = counts, sizes
    on_edge = edge[0] * at + edge[1]
    canary = stats.binom.logpmf(k_c, n_c, guess[1]) - stats.binom.logpmf(k_c, n_c, on_edge)
    return float(canary + stats.binom.logpmf(k_s, n_s, guess[0]) - stats.binom.logpmf(k_s, n_s, at))


def is_plain(sizes, edge, guess, at):
    """Whether no factor is so small that the bet is scaled down: only then it is a ratio of likelihoods."""
    on_edge = edge[0] * at + edge[1]
    return min(guess[1] / on_edge, (1 - guess[1]) / (1 - on_edge), guess[0] / at, (1 - guess[0]) / (1 - at)) > 0.03


def bets():
    """Logarithms of wealth, and its mean at points of the null, harm and safety."""
    sizes = [(1, 1), (3, 40), (20, 400), (250, 250), (2000, 100)]
    guesses = [(edge, guess) for edge in EDGES for guess in HARM if guess[1] > edge[0] * guess[0] + edge[1]]
    guesses += [((1.0, margin), (s, s + part * margin)) for margin in (0.005, 0.05, 0.4) for s in (0.001, 0.2) for part in (0, 1 / 3)]
    for (n_c, n_s), (edge, guess) in itertools.product(sizes, guesses):
        at = projection(n_c, n_s, edge, guess)
        if not is_plain((n_c, n_s), edge, guess, at):
            continue
        hits = sorted({(0, 0), (1, 0), (0, 1), (n_c // 3, n_s // 7), (n_c, n_s)})
        rows = [[k_c, k_s, wealth((k_c, k_s), (n_c, n_s), edge, guess, at)] for k_c, k_s in hits]
        yield {
            "canary": n_c,
            "stable": n_s,
            "edge": {"factor": edge[0], "margin": edge[1]},
            "guess": {"stable": guess[0], "canary": guess[1]},
            "logWealth": rows,
            "means": means((n_c, n_s), edge, guess, at) if n_c * n_s <= 8000 else [],
        }


def means(sizes, edge, guess, at):
    """Mean wealth on the edge, over all outcomes."""
    n_c, n_s = sizes
    k_c, k_s = np.arange(n_c + 1), np.arange(n_s + 1)
    on_edge = edge[0] * at + edge[1]
    of_canary = np.exp(stats.binom.logpmf(k_c, n_c, guess[1]) - stats.binom.logpmf(k_c, n_c, on_edge))
    of_stable = np.exp(stats.binom.logpmf(k_s, n_s, guess[0]) - stats.binom.logpmf(k_s, n_s, at))
    rows = []
    for p_s in (0.0001, 0.01, at, 0.2, 0.5):
        p_c = edge[0] * p_s + edge[1]
        if p_c <= 1:
            mean = np.dot(stats.binom.pmf(k_c, n_c, p_c), of_canary) * np.dot(stats.binom.pmf(k_s, n_s, p_s), of_stable)
            rows.append([float(p_s), float(p_c), float(mean)])
    return rows


def halves():
    """Variance of a half's hits when all hits fall by chance: hypergeometric."""
    for total, half, hits in [(2, 1, 1), (40, 20, 3), (1000, 480, 7), (1000, 480, 990), (90000, 45100, 450)]:
        yield {"all": total, "half": half, "hits": hits, "variance": float(stats.hypergeom.var(total, hits, half))}


def shots():
    """One ratio against a fixed one: logarithm of the likelihood ratio of the guess that has so many times the odds."""
    for edge, times, (hits, total) in itertools.product((0.0005, 0.01, 0.3), (0.25, 1.4, 4, 100), ((0, 50), (3, 200), (40, 400))):
        guess = times * edge / (1 - edge + times * edge)
        ratio = stats.binom.logpmf(hits, total, guess) - stats.binom.logpmf(hits, total, edge)
        yield {"edge": edge, "times": times, "hits": hits, "all": total, "logWealth": float(ratio)}


def latency():
    """Part of the requests that are slower, in the benchmark's mixtures of lognormal distributions."""
    mixture = [(0.975, 80.0, 0.6), (0.025, 600.0, 0.3)]
    for ms in (8, 32, 80, 181, 323, 512, 1448, 4096):
        slower = sum(w * stats.lognorm.sf(ms, sigma, scale=median) for w, median, sigma in mixture)
        yield {"ms": ms, "slower": float(slower)}


def lines(make):
    """A list with an item a line."""
    return "[\n  " + ",\n  ".join(json.dumps(item) for item in make()) + "\n]"


print("{" + ",\n".join(f'"{make.__name__}": {lines(make)}' for make in (bets, halves, shots, latency)) + "}")
