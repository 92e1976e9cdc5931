"""Evidently and Leeway on the same labels: the numbers side by side with scipy's, then time and
memory. Run by scripts/drift-compare, which makes the environment.

Exits 1 where Leeway's figures are not scipy's."""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon

# What to compare: name, the baseline's and the period's counts by label. They are exact, so that
# each figure has one right value.
FRAMES = [
    ("no shift, 5 labels", [400, 300, 150, 100, 50], [395, 310, 140, 103, 52]),
    ("2 to 5 %", [4900, 100], [950, 50]),
    ("four labels, ok 90 to 70 %", [4500, 100, 250, 150], [700, 150, 90, 60]),
    ("one output of a new label", [600, 400, 0], [598, 401, 1]),
    ("a label gone", [600, 300, 100], [660, 340, 0]),
    ("baseline five times the period", [2000, 1500, 1000, 500], [390, 310, 205, 95]),
]
# Evidently's tests by name, with what Leeway calls the same.
TESTS = [("jensenshannon", "js"), ("psi", "psi"), ("hellinger", "hellinger"), ("TVD", "p of TV"),
         ("chisquare", "p"), ("g_test", "p of G")]


def labels(counts):
    return np.repeat([f"label-{k}" for k in range(len(counts))], counts)


def scipy_figures(before, after):
    table = np.array([before, after], dtype=float)
    table = table[:, table.sum(axis=0) > 0]
    p, q = table[0] / table[0].sum(), table[1] / table[1].sum()
    k = table.shape[1]
    smooth = [(row + 0.5) / (row.sum() + 0.5 * k) for row in table]
    chi = stats.chi2_contingency(table, correction=False)
    g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    return {
        "js": float(jensenshannon(p, q)),
        "psi": float(((smooth[1] - smooth[0]) * np.log(smooth[1] / smooth[0])).sum()),
        "hellinger": float(np.sqrt(max(0.0, 1 - np.sqrt(p * q).sum()))),
        "tv": float(abs(p - q).sum() / 2), "p": float(chi.pvalue), "p of G": float(g.pvalue),
        "chi_square": float(chi.statistic),
    }


def evidently_figures(before, after):
    import pandas
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    definition = DataDefinition(categorical_columns=["label"])
    sides = [
        Dataset.from_pandas(pandas.DataFrame({"label": labels(c)}), data_definition=definition)
        for c in (after, before)
    ]
    figures = {}
    for test, name in TESTS:
        try:
            np.random.seed(1)
            run = Report([ValueDrift(column="label", method=test)]).run(sides[0], sides[1])
            figures[name] = float(run.dict()["metrics"][0]["value"])
        except Exception as error:  # what it does not take is a result
            figures[name] = f"{type(error).__name__}"
    return figures


def write(path, day, columns):
    """Label columns as outputs that were made in turn through a day."""
    count = len(next(iter(columns.values())))
    seconds = np.arange(count) * (86_000 / count)
    stamps = np.datetime64(f"{day}T00:00:00.000", "ms") + (seconds * 1000).astype("int64")
    with open(path, "w") as out:
        out.write("time,output," + ",".join(columns) + "\n")
        texts = np.datetime_as_string(stamps, unit="ms", timezone="UTC")
        for row in zip(texts, *columns.values()):
            out.write(row[0] + ",x," + ",".join(row[1:]) + "\n")


class Leeway:
    """An installation in a scratch directory."""

    def __init__(self, binary, directory, apps, classifiers):
        self.binary, self.directory = binary, pathlib.Path(directory)
        thresholds = self.directory / "thresholds"
        (thresholds / "apps").mkdir(parents=True)
        (thresholds / "gateway.yaml").write_text(
            "upstreams:\n  openai: { dialect: openai, url: https://api.openai.com, "
            "credentialEnv: OPENAI_API_KEY }\nstore: store.sqlite\n")
        for app in apps:
            lines = ["owner: { name: bench }", "upstream: openai", "classifiers:"]
            lines += [f"  - {{ name: {c}, kind: field, column: {c} }}" for c in classifiers]
            (thresholds / "apps" / f"{app}.yaml").write_text("\n".join(lines) + "\n")
        self.classifiers = classifiers

    def run(self, *arguments):
        """The output, wall seconds, processor seconds, and the most memory in MB."""
        start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            ["/usr/bin/env", self.binary, *arguments], cwd=self.directory, capture_output=True,
            text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in (0,):
            sys.exit(f"leeway {' '.join(arguments)}: {done.stderr}")
        processor = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
        return done.stdout, time.monotonic() - start, processor

    def load(self, app, day, columns):
        write(self.directory / "import.csv", day, columns)
        return self.read(app, "import.csv", list(columns))

    def read(self, app, file, names):
        maps = [text for name in ["time", "output"] for text in ("--map", f"{name}={name}")]
        maps += [text for name in names for text in ("--map", f"label.{name}={name}")]
        return self.run("samples", "import", file, "--app", app, *maps)

    def pin(self, app, until):
        return self.run("baseline", "pin", app, "good", "--reason", "bench", "--until", until)

    def compare(self, app, since, until=None):
        edges = ["--since", since] + (["--until", until] if until else [])
        return self.run("drift", app, "--against", "good", *edges, "--json")


def cell(value):
    return "" if value is None else value if isinstance(value, str) else f"{value:.6f}"


def numbers(binary):
    """A table of figures; the count of Leeway's that are not scipy's."""
    wrong = 0
    with tempfile.TemporaryDirectory() as directory:
        apps = [f"app-{n}" for n in range(len(FRAMES))]
        leeway = Leeway(binary, directory, apps, ["label"])
        print(f"{'':34}{'figure':12}{'scipy':>12}{'Leeway':>12}{'Evidently':>14}")
        for app, (name, before, after) in zip(apps, FRAMES):
            leeway.load(app, "2026-01-01", {"label": labels(before)})
            leeway.pin(app, "2026-01-02")
            leeway.load(app, "2026-01-02", {"label": labels(after)})
            report = json.loads(leeway.compare(app, "2026-01-02")[0])["classifiers"][0]
            right, evidently = scipy_figures(before, after), evidently_figures(before, after)
            own = {"js": report["js_distance"], "psi": report["psi"],
                   "hellinger": report["hellinger"], "tv": report["total_variation"],
                   "p": report["p_asymptotic"]}
            for figure, value in own.items():
                if abs(value - right[figure]) > 1e-9:
                    wrong += 1
            for figure in ["js", "psi", "hellinger", "tv", "p", "p of G", "p of TV"]:
                cells = [cell(side.get(figure)) for side in (right, own, evidently)]
                print(f"{name if figure == 'js' else '':34}{figure:12}"
                      f"{cells[0]:>12}{cells[1]:>12}{cells[2]:>14}")
            verdict = report["verdict"]
            print(f"{'':34}verdict: {verdict}, p {report['p_value']:.4f} ({report['p_method']})")
    return wrong


def false_alarms(runs=300, size=1000, seed=7):
    """How often no shift is called one at 5 %, by each one's chi-square."""
    from evidently.legacy.calculations.stattests import chi_stat_test
    import pandas
    from evidently.legacy.core import ColumnType

    generator = np.random.default_rng(seed)
    shares = [0.4, 0.3, 0.15, 0.1, 0.05]
    theirs = right = 0
    for _ in range(runs):
        sides = [generator.multinomial(size, shares) for _ in range(2)]
        p = chi_stat_test.func(
            pandas.Series(labels(sides[0])), pandas.Series(labels(sides[1])), ColumnType.Categorical,
            0.05)[0]
        theirs += p < 0.05
        right += stats.chi2_contingency(np.array(sides), correction=False).pvalue < 0.05
    print(f"\nOf {runs} pairs of {size} outputs without a shift, called one at 5 %: "
          f"Evidently's chi-square {theirs / runs:.1%}, the homogeneity test {right / runs:.1%}")


def evidently_run(path_before, path_after):
    """In a process of its own: its default report on two pickled frames."""
    import pandas
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    before, after = pandas.read_pickle(path_before), pandas.read_pickle(path_after)
    definition = DataDefinition(categorical_columns=list(before.columns))
    start = time.monotonic()
    Report([DataDriftPreset()]).run(
        Dataset.from_pandas(after, data_definition=definition),
        Dataset.from_pandas(before, data_definition=definition)).dict()
    print(time.monotonic() - start)


def prepare(directory, rows, columns):
    """In a process of its own, whose memory would else be counted as its parent's children's."""
    import pandas

    generator = np.random.default_rng(1)
    names = [f"c{n}" for n in range(columns)]
    for side, day in (("before", "2026-01-01"), ("after", "2026-01-02")):
        labels = {name: generator.choice(["answer", "refusal", "error", "other"], size=rows,
                                         p=[0.9, 0.02, 0.05, 0.03]) for name in names}
        pandas.DataFrame(labels).to_pickle(os.path.join(directory, f"{side}.pickle"))
        write(os.path.join(directory, f"{side}.csv"), day, labels)


def speed(binary, rows, columns):
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sys.executable, __file__, "--prepare", directory, str(rows), str(columns)],
                       check=True)
        paths = [os.path.join(directory, f"{side}.pickle") for side in ("before", "after")]
        done = measured([sys.executable, __file__, "--evidently", *paths])
        line = "{:44}{:>9.2f} s{:>10.2f} s{:>9.0f} MB"
        print(f"\n{rows:,} outputs × {columns} classifiers\n"
              f"{'':44}{'wall':>11}{'processor':>12}{'memory':>12}")
        print(line.format("Evidently, its drift preset", *done[1:]))
        names = [f"c{n}" for n in range(columns)]
        leeway = Leeway(binary, directory, ["app"], names)
        once = [leeway.read("app", "before.csv", names), leeway.pin("app", "2026-01-02"),
                leeway.read("app", "after.csv", names)]
        once.append(leeway.compare("app", "2026-01-02", "2026-01-03"))
        os.chdir(directory)
        command = [binary, "drift", "app", "--against", "good", "--json", "--until", "2026-01-03"]
        print(line.format("Leeway, from tallies",
                          *measured([*command, "--since", "2026-01-02"])[1:]))
        print(line.format("Leeway, from the labels",
                          *measured([*command, "--since", "2026-01-02T00:00:01Z"])[1:]))
        print("Once, as outputs come in: import and label both sides "
              f"{sum(step[1] for step in once):.0f} s, wall")


def measured(command):
    """Output, wall seconds, processor seconds and peak MB of one process."""
    done = subprocess.Popen(command, stdout=subprocess.PIPE)
    start = time.monotonic()
    output = done.stdout.read()
    _, status, usage = os.wait4(done.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} ended with {status}")
    return output, time.monotonic() - start, usage.ru_utime + usage.ru_stime, \
        usage.ru_maxrss * 1024 / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leeway", default="leeway", help="the binary")
    parser.add_argument("--rows", type=int, default=1_000_000, help="0: no speed")
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--evidently", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--prepare", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.evidently:
        return evidently_run(*arguments.evidently)
    if arguments.prepare:
        return prepare(arguments.prepare[0], *map(int, arguments.prepare[1:]))
    binary = os.path.abspath(arguments.leeway)
    wrong = numbers(binary)
    false_alarms()
    if arguments.rows:
        speed(binary, arguments.rows, arguments.columns)
    if wrong:
        sys.exit(f"{wrong} of Leeway's figures are not scipy's")


if __name__ == "__main__":
    main()
