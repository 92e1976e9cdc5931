"""Makes statistics.txt, the reference values of the tests in the folder above.

Needs numpy, scipy (1.17), mpmath, ppi-python (0.2) and statsmodels (0.15):
`python3 make.py > statistics.txt`. Every formula is written
out in 60-digit arithmetic or exact fractions, and checked against the scipy function that people
know where there is one: our own values are compared with neither our own code nor one rounding.
"""
import warnings
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import scipy.stats as st
from ppi_py import ppi_mean_ci, ppi_mean_pointestimate
from statsmodels.stats.inter_rater import cohens_kappa
from mpmath import betainc, erfc, exp, findroot, gammainc, log, loggamma, mp, mpf, nstr, pi, sqrt
from scipy.spatial.distance import jensenshannon

mp.dps = 60
rng = np.random.default_rng(20261123)


def text(value):
    return nstr(mpf(value), 18, min_fixed=-3, max_fixed=6)


def listed(values):
    return ",".join(str(v) for v in values)


def section(name, columns, rows):
    print(f"\n[{name}]\n# {columns}")
    for row in rows:
        print(row)


def log_gamma():
    points = """1e-10 1e-3 0.1 0.5 0.79 0.81 0.9 0.999 0.99999999 1.00000001 1.0001 1.1 1.19 1.21
        1.4616321 1.5 1.79 1.81 1.99999 2.00001 2.15 2.21 3 4.5 9.99 15.5 16 17.25 50 171.5 1000
        12345.5 1e6 123456789.5 1e9 2e12""".split()
    return [f"{x} {text(loggamma(mpf(float(x))))}" for x in points]


def survival(x, df):
    return gammainc(mpf(df) / 2, mpf(x) / 2, mp.inf, regularized=True)


def chi_square():
    points = {
        1: [1e-8, 0.004, 1, 2.9, 3.1, 3.841458820694124, 11.317418213969937, 700, 1500, 1e5, 1e9],
        2: [1e-3, 1.386, 891.7524086895996, 1370, 3000], 3: [0.5, 8, 60], 4: [2, 9.48],
        6: [221.0972128580094], 10: [131.3233258348978, 3.9, 18.3], 19: [12, 30.1, 500],
        49: [40, 66], 50: [49, 51], 99: [300, 99, 123.2, 70],
        999: [900, 998, 1001, 1073.6, 1400, 3000, 50000],
        1000000: [9e5, 1e6, 1.003e6, 1.02e6],
    }
    for df, xs in points.items():
        for x in xs:
            q = survival(x, df)
            yield f"{x!r} {df} {text(q)} {text(log(q))}"


def chi_square_quantile():
    for tail in [0.5, 0.05, 0.01, 1e-6, 0.95]:
        for df in [1, 2, 3, 9, 29, 99, 999]:
            yield f"{tail!r} {df} {float(st.chi2.isf(tail, df))!r}"


def f_survival():
    points = [
        (1e-6, 1, 7), (0.5, 1, 7), (1, 1, 7), (5.59, 1, 7), (40, 1, 7), (1e4, 1, 13), (0.2, 2, 14),
        (3.74, 2, 14), (25, 2, 60), (300, 2, 14), (1, 3, 87), (2.7, 3, 87), (11, 3, 87),
        (90, 3, 2000), (0.9, 9, 261), (1.92, 9, 261), (5, 9, 261), (1.0, 99, 2871),
        (1.25, 99, 2871), (1.02, 999, 29000), (1.08, 999, 29000), (1.3, 999, 364000),
        (0.95, 999, 364000), (2, 1, 364), (50, 1, 364), (700, 2, 100000), (1500, 2, 1000000),
    ]
    for f, d1, d2 in points:
        x = mpf(d2) / (mpf(d2) + mpf(d1) * mpf(f))
        q = betainc(mpf(d2) / 2, mpf(d1) / 2, 0, x, regularized=True)
        known = st.f.sf(f, d1, d2)
        assert known == 0 or abs(float(q) / known - 1) < 1e-6, (f, d1, d2)
        yield f"{f!r} {d1} {d2} {text(q)} {text(log(q))}"


def normal():
    points = """1e-300 1e-100 1e-20 1e-12 1e-9 1e-5 0.001 0.02 0.07 0.0749 0.0751 0.1 0.25 0.4 0.5
        0.5001 0.6 0.8 0.9 0.925 0.93 0.975 0.99 0.999 0.9999999""".split()
    for p in points:
        wanted = log(mpf(float(p)))
        start = mpf(float(st.norm.ppf(float(p))))
        z = findroot(lambda z: log(erfc(-z / sqrt(2)) / 2) - wanted, start) if p != "0.5" else 0
        yield f"{p} {text(z)}"


def table_cases():
    yield from [
        ([90, 10], [80, 20]), ([1, 0], [0, 1]), ([0, 5], [5, 0]), ([1, 1], [1, 1]),
        ([5, 3, 2], [1, 1, 0]), ([1000, 1], [1000, 0]), ([10**9 - 5, 5], [10**9 - 50, 50]),
        ([500000000, 500000000], [500010000, 499990000]), ([10**9, 1, 1], [1, 1, 10**9]),
        ([4500, 100, 250, 150], [440, 25, 20, 15]),
        ([4500, 100, 250, 150], [44990, 1010, 2495, 1505]), ([3] * 10, [2] * 10),
        ([10**6] * 5, [10**6 + 1000, 10**6 - 1000] + [10**6] * 3),
        ([7, 0, 0, 0, 0], [0, 1, 2, 3, 4]), ([999999937, 3, 60], [17, 0, 1]),
    ]
    for k, n, m in [(2, 50, 50), (3, 200, 30), (5, 1000, 1000), (8, 5000, 400),
                    (20, 100000, 2000), (40, 300, 300)]:
        p = rng.dirichlet(np.ones(k) * 0.7)
        q = rng.dirichlet(p * 40 + 0.01)
        a, c = rng.multinomial(n, p), rng.multinomial(m, q)
        keep = (a + c) > 0
        yield [int(v) for v in a[keep]], [int(v) for v in c[keep]]


def statistics(a, c):
    """PSI, JS, TV, E[TV], Hellinger, L∞, KL, X², ln p, G, V in 60 digits."""
    big_a, big_c = [mpf(x) for x in a], [mpf(x) for x in c]
    n, m, k = sum(big_a), sum(big_c), len(a)
    total = n + m
    p, q = [x / n for x in big_a], [x / m for x in big_c]
    pairs = list(zip(big_a, big_c))
    x2 = sum((x * m - y * n) ** 2 / (x + y) for x, y in pairs) / (n * m)
    g = 2 * sum(o * log(o / (side * (x + y) / total)) if o > 0 else 0
                for x, y in pairs for o, side in ((x, n), (y, m)))
    js = sqrt(sum((s * log(2 * s / (u + v)) if s > 0 else 0)
                  for u, v in zip(p, q) for s in (u, v)) / 2)
    tv = sum(abs(u - v) for u, v in zip(p, q)) / 2
    tv_null = sqrt((1 / n + 1 / m) / (2 * pi)) * sum(
        sqrt((x + y) / total * (1 - (x + y) / total)) for x, y in pairs)
    hellinger = sqrt(sum((sqrt(u) - sqrt(v)) ** 2 for u, v in zip(p, q)) / 2)
    half = mpf("0.5")
    ps = [(x + half) / (n + half * k) for x in big_a]
    qs = [(x + half) / (m + half * k) for x in big_c]
    psi = sum((v - u) * log(v / u) for u, v in zip(ps, qs))
    kl = sum(v * log(v / u) for u, v in zip(ps, qs))
    largest = max(abs(u - v) for u, v in zip(p, q))
    log_p = log(survival(x2, k - 1))
    check_with_scipy(a, c, x2, g, js, log_p)
    return psi, js, tv, tv_null, hellinger, largest, kl, x2, log_p, g, sqrt(x2 / total)


def check_with_scipy(a, c, x2, g, js, log_p):
    table = np.array([a, c], float)
    pearson = st.chi2_contingency(table, correction=False)
    likelihood = st.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert abs(pearson.statistic - float(x2)) <= 1e-6 * max(1e-3, float(x2)), (a, c)
    assert abs(likelihood.statistic - float(g)) <= 1e-6 * max(1, float(g)), (a, c)
    if pearson.pvalue > 0:
        difference = float(log(mpf(float(pearson.pvalue))) - log_p)
        assert abs(difference) < 1e-5 * max(1, abs(float(log_p))), (a, c)
    distance = jensenshannon(a, c)
    assert np.isnan(distance) or abs(distance - float(js)) < 1e-7, (a, c)


def tables():
    for a, c in table_cases():
        yield f"{listed(a)} {listed(c)} " + " ".join(text(v) for v in statistics(a, c))


def mid_p_exact(a, b, c, d):
    """By whole numbers, all tables; ties within a relative 1e-7."""
    marked, total, drawn = a + c, a + b + c + d, a + b
    weights = {x: comb(marked, x) * comb(total - marked, drawn - x)
               for x in range(max(0, drawn - b - d), min(marked, drawn) + 1)}
    observed, sum_ = weights[a], Fraction(0)
    for weight in weights.values():
        if abs(weight - observed) * 10**7 <= observed:
            sum_ += Fraction(weight, 2)
        elif weight < observed:
            sum_ += weight
    return mpf(sum_.numerator) / mpf(sum_.denominator) / comb(total, drawn)


def mid_p_large(a, b, c, d):
    """By 60-digit logarithms, from the tables as probable as the observed one outwards."""
    marked, total, drawn = a + c, a + b + c + d, a + b
    low, high = max(0, drawn - b - d), min(marked, drawn)
    lg = loggamma

    def log_density(x):
        return (lg(marked + 1) - lg(x + 1) - lg(marked - x + 1) + lg(total - marked + 1)
                - lg(drawn - x + 1) - lg(total - marked - drawn + x + 1)
                - lg(total + 1) + lg(drawn + 1) + lg(total - drawn + 1))

    def up(x):
        return mpf(marked - x) * (drawn - x) / (mpf(x + 1) * (total - marked - drawn + x + 1))

    observed, tolerance, sum_ = log_density(a), mpf("1e-7"), mpf(0)
    mode = (drawn + 1) * (marked + 1) // (total + 2)
    for step in (-1, 1):
        inner, outer = mode, low if step < 0 else high
        if log_density(outer) > observed + tolerance:
            continue
        while inner != outer:  # the table nearest the mode that is as improbable
            middle = (inner + outer) // 2 if step > 0 else -((-inner - outer) // 2)
            if log_density(middle) <= observed + tolerance:
                outer = middle
            else:
                inner = middle + step
        x, term = outer, exp(log_density(outer))
        while low <= x <= high:
            sum_ += term / 2 if log(term) >= observed - tolerance else term
            if term < sum_ * mpf("1e-30"):
                break
            if (step < 0 and x == low) or (step > 0 and x == high):
                break
            term = term * up(x) if step > 0 else term / up(x - 1)
            x += step
    return sum_


def mid_p():
    small = [
        (1, 9, 11, 3), (0, 5, 5, 0), (3, 0, 1, 2), (2, 98, 8, 92), (21, 79, 5, 95), (0, 1000, 1, 0),
        (0, 1000, 3, 97), (5, 995, 5, 995), (50, 50, 50, 50), (51, 49, 49, 51), (7, 3, 7, 4),
        (1, 1, 1, 1), (100, 4900, 25, 475), (100, 4900, 10, 490), (200, 9800, 1000, 9000),
        (900, 100, 0, 1000), (1, 2, 3, 4000), (1999, 1, 1995, 5),
    ]
    large = [
        (5, 10**9 - 5, 50, 10**9 - 50), (0, 10**9, 3, 10**6),
        (2 * 10**7, 98 * 10**7, 20010000, 979990000), (200000, 9800000, 3000, 97000),
        (5 * 10**8, 5 * 10**8, 500020000, 499980000),
    ]
    for cells in [(100, 4900, 25, 475), (5, 995, 9, 991)]:
        assert abs(mid_p_large(*cells) / mid_p_exact(*cells) - 1) < 1e-20
    for cells in small:
        p = mid_p_exact(*cells)
        a, b, c, d = cells
        urn = st.hypergeom(sum(cells), a + c, a + b)
        density = urn.pmf(np.arange(urn.support()[0], urn.support()[1] + 1))
        seen = urn.pmf(a)
        known = (density[density < seen * (1 - 1e-7)].sum()
                 + density[abs(density - seen) <= 1e-7 * seen].sum() / 2)
        assert p < 1e-250 or abs(known / float(p) - 1) < 1e-9, cells
        assert st.fisher_exact([[a, b], [c, d]]).pvalue >= float(p) * (1 - 1e-9), cells
        yield listed(cells).replace(",", " ") + f" {text(p)} {text(log(p))}"
    for cells in large:
        p = mid_p_large(*cells)
        yield listed(cells).replace(",", " ") + f" {text(p)} {text(log(p))}"


def wilson():
    for count, size in [(0, 10), (1, 10), (5, 10), (10, 10), (0, 100000), (21, 100), (5, 100),
                        (987, 1000), (123456, 10**6), (1, 10**9)]:
        for confidence in (0.95, 0.9916666666666667):
            known = st.binomtest(count, size).proportion_ci(confidence, method="wilson")
            yield f"{count} {size} {confidence!r} {float(known.low)!r} {float(known.high)!r}"


def enumerated(a, c):
    """P(X² ≥ observed) over every table with the same margins."""
    columns, n, m = [x + y for x, y in zip(a, c)], sum(a), sum(c)
    total = n + m

    def statistic(row):
        return sum(Fraction((x * total - m * k) ** 2, k) for x, k in zip(row, columns))

    observed, reached = statistic(c), 0

    def visit(index, left, weight, row):
        nonlocal reached
        if index == len(columns) - 1:
            if left <= columns[index] and statistic(row + [left]) >= observed:
                reached += weight * comb(columns[index], left)
            return
        for x in range(min(columns[index], left) + 1):
            visit(index + 1, left - x, weight * comb(columns[index], x), row + [x])

    visit(0, m, 1, [])
    return Fraction(reached, comb(total, m))


def simulated():
    for a, c in [([5, 3, 2], [1, 1, 4]), ([10, 2, 0], [6, 2, 3]), ([20, 15, 3, 1], [10, 12, 5, 3]),
                 ([3, 3, 3, 3], [3, 3, 3, 3]), ([30, 5, 1], [20, 5, 5]),
                 ([40, 3, 1, 1], [9, 2, 2, 0]), ([100, 4, 2], [28, 4, 3]),
                 ([60, 50, 2], [40, 20, 6])]:
        yield f"{listed(a)} {listed(c)} {float(enumerated(a, c))!r}"


def wobble():
    for k, days, n, kappa, m in [(2, 8, 500, None, 500), (3, 10, 2000, 300, 2000),
                                 (4, 30, 5000, 100, 5000), (5, 12, 100, None, 90),
                                 (4, 14, 1000, 2000, 1500)]:
        shares = np.array([0.8] + [0.2 / (k - 1)] * (k - 1))

        def day(size):
            return rng.multinomial(size, shares if kappa is None else rng.dirichlet(shares * kappa))

        blocks = np.array([day(n + int(rng.integers(0, 50))) for _ in range(days)])
        period = day(m)
        among = st.chi2_contingency(blocks, correction=False)
        between = st.chi2_contingency(np.array([blocks.sum(0), period]), correction=False)
        degrees = (days - 1) * (k - 1)
        assert among.dof == degrees
        phi = max(1.0, float(among.statistic) / degrees)
        p = float(st.f.sf(between.statistic / ((k - 1) * phi), k - 1, degrees))
        yield ";".join(listed(row) for row in blocks) + f" {listed(period)} {phi!r} {p!r}"


def hajek(labels, weights, k):
    indicator, total = np.eye(k)[labels], weights.sum()
    shares = (weights[:, None] * indicator).sum(0) / total
    residual = (indicator - shares) * weights[:, None]
    return shares, residual.T @ residual / total**2


def wald():
    for k, n, m in [(2, 400, 300), (3, 1000, 500), (4, 5000, 2000)]:
        before = np.array([0.85] + [0.15 / (k - 1)] * (k - 1))
        sides = []
        for size, shares in ((n, before), (m, rng.dirichlet(before * 60))):
            labels = rng.choice(k, size * 6, p=shares)
            pi_ = np.where(labels == 0, 0.05, np.where(rng.random(len(labels)) < 0.5, 1.0, 0.2))
            kept = rng.random(len(labels)) < pi_
            sides.append((labels[kept], pi_[kept]))
        (p, v), (q, u) = [hajek(labels, 1 / pi_, k) for labels, pi_ in sides]
        statistic = float((p - q) @ np.linalg.pinv(v + u) @ (p - q))
        cells = []
        for labels, pi_ in sides:
            pairs = sorted(zip(labels.tolist(), pi_.tolist()))
            cells.append(";".join(f"{label}:{x!r}:{pairs.count((label, x))}"
                                  for label, x in sorted(set(pairs))))
        yield (" ".join(cells) + f" {listed(p.tolist())} {listed(np.diag(v).tolist())}"
               f" {statistic!r} {float(st.chi2.sf(statistic, k - 1))!r}")


def false_discovery():
    for p in ([0.01, 0.02, 0.03, 0.04, 0.05], [0.001, 0.8, 0.04, 0.011, 0.9, 0.02, 0.3, 0.001],
              [1.0, 1.0, 1.0], [0.05], [1e-12] + [0.5] * 20, [0.02, 0.02, 0.9, 0.04, 0.03]):
        plain = st.false_discovery_control(p, method="bh").tolist()
        any_dependence = st.false_discovery_control(p, method="by").tolist()
        yield f"{listed(p)} {listed(plain)} {listed(any_dependence)}"


def window_evidence(baseline, phi, window, past=None, strengths=(30, 300), weight=0.5):
    """ln e of the continuous alarm: textbook formulas, as differences of ln Γ."""
    past = past or [0] * len(baseline)
    k, total, half = len(baseline), sum(baseline), mpf("0.5")
    shares = [(a + half) / (total + half * k) for a in baseline]
    null = [(a + b) / mpf(phi) + half for a, b in zip(baseline, past)]
    s = [c / mpf(phi) for c in window]

    def polya(shapes, counts):
        a, n = sum(shapes), sum(counts)
        return loggamma(a) - loggamma(a + n) + sum(
            loggamma(x + c) - loggamma(x) for x, c in zip(shapes, counts))

    def single(shapes, i):
        return polya([shapes[i], sum(shapes) - shapes[i]], [s[i], sum(s) - s[i]])

    changed = [[strength * p for p in shares] for strength in strengths]
    joint = sum(exp(polya(c, s) - polya(null, s)) for c in changed) / len(changed)
    alone = sum(exp(single(c, i) - single(null, i))
                for c in changed for i in range(k)) / (len(changed) * k)
    return log(weight * joint + (1 - mpf(weight)) * alone)


def window_evidences():
    given = [4500, 100, 250, 150]
    known = {(90, 2, 5, 3): -0.6490868041, (430, 40, 20, 10): 17.1737349212,
             (0, 0, 0, 50): 116.8899166916}
    for window, value in known.items():
        assert abs(float(window_evidence(given, 1, window)) - value) < 1e-9
    halved = window_evidence([4500, 100, 250, 0], 2, [86, 4, 6, 4])
    assert abs(float(halved) - 0.4402305402) < 1e-9
    cases = [(given, 1, window) for window in known] + [
        ([4500, 100, 250, 0], 2.0, [86, 4, 6, 4]), (given + [0], 1, [22, 1, 1, 1, 0]),
        (given + [0], 1, [0, 0, 0, 0, 25]), (given + [0], 5.5, [2200, 90, 140, 70, 3]),
        ([7, 0], 1, [1, 0]), ([7, 0], 1, [0, 1]), ([1, 0], 1, [10**9, 0]),
        ([10**9, 5, 0], 1, [24, 1, 0]), ([10**9, 5, 0], 1, [10**6, 0, 1]),
        ([10**9, 10**7, 0], 1, [10**9, 10**7 + 9000, 0]), ([900, 100, 0], 1, [10**9, 10**8, 0]),
        ([10**9, 10**7, 0], 3.25, [10**7, 10**5, 0]), ([10**9, 0], 1, [10**9, 1]),
        ([3] * 9 + [0], 1, [2] * 9 + [1]), ([40] * 50 + [0], 1, [1, 0] * 25 + [0]),
        (list(range(1, 51)) + [0], 1.75, [5] * 50 + [2]),
    ]
    cases = [(*case, [0] * len(case[0])) for case in cases] + [
        (given + [0], 1, [20, 2, 2, 1, 0], [910, 18, 42, 29, 1]),
        (given + [0], 2.5, [2000, 200, 150, 80, 0], [10**6, 10**4, 10**5, 12345, 3]),
        ([7, 0], 1, [10, 15], [10**9, 2]),
    ]
    for baseline, phi, window, past in cases:
        for strengths, weight in (((30, 300), 0.5), ((40, 150), 0.1)):
            value = window_evidence(baseline, phi, window, past, strengths, weight)
            yield (f"{listed(baseline)} {phi} {listed(window)} {listed(past)} {listed(strengths)}"
                   f" {weight} {text(value)}")


def numeric_samples():
    numbers = np.random.default_rng(312)
    yield [1, 2, 3, 4], [2, 3, 5, 8, 13]
    yield [5, 5, 5, 5], [5, 5, 5]
    yield [1, 1, 2, 2, 3], [3, 4, 4, 5, 5, 5]
    yield [0.25, -3.5, 1e9], [7, 7.5, -1e9, 2]
    yield numbers.integers(1, 6, 40).tolist(), numbers.integers(2, 6, 25).tolist()
    yield [numbers.lognormal(mean, 1, size).round(2).tolist()
           for mean, size in [(3, 60), (3.3, 90)]]


def anderson_darling(samples):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(st.anderson_ksamp(samples, variant="midrank").statistic)


def numeric():
    for a, c in numeric_samples():
        w1, ks = st.wasserstein_distance(a, c), st.ks_2samp(a, c).statistic
        ad = anderson_darling([a, c]) if len(set(a + c)) > 1 else 0.0
        points = [float(np.quantile(side, p)) for side in (a, c) for p in (0.25, 0.5, 0.9, 0.99)]
        yield f"{listed(a)} {listed(c)} {float(w1)!r} {float(ks)!r} {ad!r} {listed(points)}"


def anderson_more():
    """The second: Scholz and Stephens (1987), table 4; their A2akN is 4.480."""
    laboratories = [[38.7, 41.5, 43.8, 44.5, 45.5, 46, 47.7, 58],
                    [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8],
                    [34, 35, 39, 40, 43, 43, 44, 45],
                    [34, 34.8, 34.8, 35.4, 37.2, 37.8, 41.2, 42.8]]
    for samples in ([[1, 2, 2, 5], [2, 3, 6], [1, 7, 8, 9, 9]], laboratories):
        yield ";".join(map(listed, samples)) + f" {anderson_darling(samples)!r}"


def permuted():
    """Exact permutation p of KS and of Anderson-Darling, every assignment counted."""
    for a, c in [([1, 2, 3, 4, 6], [5, 7, 8, 9]), ([1, 1, 2, 2, 3, 3], [2, 3, 3, 4, 4]),
                 ([0.5, 0.7, 9, 11], [1, 2, 3, 4, 5, 6])]:
        pooled = a + c

        def both(chosen):
            left = [pooled[i] for i in chosen]
            right = [pooled[i] for i in range(len(pooled)) if i not in chosen]
            return float(st.ks_2samp(left, right).statistic), anderson_darling([left, right])

        seen = both(tuple(range(len(a))))
        all_ = [both(chosen) for chosen in combinations(range(len(pooled)), len(a))]
        reached = [sum(bool(row[i] >= seen[i] - 1e-9) for row in all_) for i in (0, 1)]
        p = [count / len(all_) for count in reached]
        yield f"{listed(a)} {listed(c)} {p[0]!r} {p[1]!r}"


def trend():
    for a, c, scores in [([10, 20, 30, 25, 15], [5, 12, 30, 33, 28], [1, 2, 3, 4, 5]),
                         ([100, 0, 3], [90, 1, 9], [0, 1, 10]), ([5, 5], [9, 1], [1, 2]),
                         ([400, 300, 300], [41, 29, 30], [1, 2, 3])]:
        side = np.repeat([0, 1], [sum(a), sum(c)])
        score = np.concatenate([np.repeat(scores, a), np.repeat(scores, c)])
        z = float(np.corrcoef(side, score)[0, 1] * np.sqrt(len(side)))
        yield f"{listed(a)} {listed(c)} {listed(scores)} {z!r} {float(st.chi2.sf(z * z, 1))!r}"


def prediction_powered():
    """Columns: predicted unchecked, then checked as both, missed, wrong, neither."""
    for predicted, unchecked, cells in [(180, 900, (25, 5, 8, 62)), (4000, 50000, (14, 9, 3, 174)),
                                        (40, 200, (30, 0, 0, 40)), (300, 1000, (12, 18, 18, 42))]:
        y = np.repeat([1.0, 1.0, 0.0, 0.0], cells)
        f = np.repeat([1.0, 0.0, 1.0, 0.0], cells)
        u = np.repeat([1.0, 0.0], [predicted, unchecked - predicted])
        low, high = ppi_mean_ci(y, f, u, alpha=0.05)
        share = np.asarray(ppi_mean_pointestimate(y, f, u)).item()
        yield f"{predicted} {unchecked} {listed(cells)} {share!r} {low.item()!r} {high.item()!r}"


def kappa():
    for table in ([[40, 5], [3, 52]], [[20, 3, 1], [2, 30, 4], [0, 6, 14]], [[9, 1], [1, 0]]):
        found = cohens_kappa(np.array(table))
        yield (";".join(map(listed, table))
               + f" {float(found.kappa)!r} {float(found.kappa_low)!r} {float(found.kappa_upp)!r}")


def anytime():
    """The roots of ln B(s+1/2, f+1/2) - ln B(1/2, 1/2) - s ln x - f ln(1-x) = ln(1/alpha)."""
    half = mpf("0.5")
    for s, n, alpha in [(0, 1, 0.05), (0, 40, 0.05), (3, 10, 0.05), (20, 1000, 0.05),
                        (999, 1000, 0.01), (5, 10**6, 0.05), (2 * 10**7, 10**9, 0.05)]:
        f = n - s

        def beyond(x):
            mixture = (loggamma(s + half) + loggamma(f + half) - loggamma(mpf(n) + 1) - log(pi))
            return mixture - s * log(x) - f * log(1 - x) - log(1 / mpf(repr(alpha)))

        def root(low, high):
            for _ in range(200):
                middle = (low + high) / 2
                same = (beyond(middle) > 0) == (beyond(low) > 0)
                low, high = (middle, high) if same else (low, middle)
            return low

        tiny, centre = mpf("1e-40"), mpf(s) / n
        low = root(tiny, centre) if s > 0 else 0
        high = root(1 - tiny, centre if s > 0 else tiny) if f > 0 else 1
        yield f"{s} {n} {alpha} {text(low)} {text(high)}"


print("# Reference values for the tests in the folder above, made by make.py.")
print("# A section starts with [name]; its second line says what the columns are.")
section("logGamma", "x lnGamma(x)", log_gamma())
section("chiSquare", "x df survival ln(survival)", chi_square())
section("chiSquareQuantile", "upperTail df x", chi_square_quantile())
section("f", "f d1 d2 survival ln(survival)", f_survival())
section("normal", "p z", normal())
section("tables", "baseline period PSI JS TV E[TV] Hellinger Linf KL X2 ln(p) G V", tables())
section("midP", "a b c d p ln(p)", mid_p())
section("wilson", "count size confidence low high", wilson())
section("simulated", "baseline period p", simulated())
section("wobble", "blocks period phi p", wobble())
section("wald", "baseline period (label:pi:count) shares variances statistic p", wald())
section("bh", "p adjusted(BH) adjusted(BY)", false_discovery())
section("windowEvidence", "baseline phi window past strengths jointWeight ln(e)", window_evidences())
section("numeric", "baseline period W1 KS AD quantiles(.25 .5 .9 .99 of each)", numeric())
section("andersonDarling", "samples statistic", anderson_more())
section("permuted", "baseline period p(KS) p(AD), exact", permuted())
section("trend", "baseline period scores z p", trend())
section("predictionPowered", "predicted unchecked both,missed,wrong,neither share low high",
        prediction_powered())
section("kappa", "table kappa low high", kappa())
section("anytime", "count total alpha low high", anytime())
