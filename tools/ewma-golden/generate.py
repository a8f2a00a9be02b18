"""Writes the golden vectors of libs/ewma: what pandas makes of fixed series.

Run in a virtual environment outside the repository:

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install pandas==3.1.1
    /tmp/golden/bin/python tools/ewma-golden/generate.py && npx oxfmt libs/ewma

The pinned version is checked, and printed into the output. Series are written out, not drawn by a
random generator, so that the output depends on pandas alone.
"""

import json
import math
import pathlib
import sys

import pandas

PANDAS = "3.1.1"
FOLDER = pathlib.Path(__file__).parents[2] / "libs" / "ewma" / "golden"

WALK = [97123.5 + 40 * math.floor(1000 * math.sin(step * 1.7)) / 1000 for step in range(60)]
SERIES = {
    "prices": WALK,
    "constant": [0.1] * 12,
    "one value": [42.5],
    "small and large": [1e-12, 3.5e9, -2.25, 7e-9, 1e15, 0.0, 0.0, 12.5],
    "a step": [1.0] * 5 + [2.0] * 15,
}
DECAYS = [
    {"alpha": 1.0},
    {"alpha": 0.5},
    {"alpha": 0.01},
    {"span": 1},
    {"span": 12},
    {"span": 26.5},
    {"com": 0},
    {"com": 1},
    {"com": 9.5},
    {"halflife": 0.25},
    {"halflife": 1},
    {"halflife": 20},
]
# Milliseconds: regular, bursts at one time, long silence, and one step back.
TIMES = {
    "each second": [1_700_000_000_000 + 1000 * step for step in range(60)],
    "irregular": [
        1_700_000_000_000 + 137 * step * step + (90_000 if step > 30 else 0) for step in range(60)
    ],
    "bursts": [1_700_000_000_000 + 2500 * (step // 4) for step in range(60)],
    "one step back": [1_700_000_000_000 + 1000 * step - (1500 if step == 20 else 0) for step in range(60)],
}
HALFLIVES_MS = [250, 1_000, 30_000, 86_400_000]


def values(means):
    return [None if math.isnan(mean) else mean for mean in means]


def by_observation():
    for name, series in SERIES.items():
        for decay in DECAYS:
            for adjust in (True, False):
                for min_periods in (0, 1, 5):
                    ewm = pandas.Series(series).ewm(
                        **decay, adjust=adjust, min_periods=min_periods, ignore_na=False
                    )
                    yield {
                        "series": name,
                        "decay": decay,
                        "adjust": adjust,
                        "minPeriods": min_periods,
                        "expected": values(ewm.mean()),
                    }


def by_time():
    for name, times in TIMES.items():
        for halflife in HALFLIVES_MS:
            for adjust in (True, False):
                for min_periods in (0, 3):
                    ewm = pandas.Series(WALK).ewm(
                        halflife=pandas.Timedelta(milliseconds=halflife),
                        times=pandas.to_datetime(times, unit="ms"),
                        adjust=adjust,
                        min_periods=min_periods,
                    )
                    yield {
                        "series": "prices",
                        "times": name,
                        "halflifeMs": halflife,
                        "adjust": adjust,
                        "minPeriods": min_periods,
                        "expected": values(ewm.mean()),
                    }


def write(file, content):
    head = {"madeBy": "tools/ewma-golden/generate.py", "pandas": pandas.__version__}
    lines = ",\n".join("    " + json.dumps(case) for case in content.pop("cases"))
    rest = "".join(f'  "{key}": {json.dumps(value)},\n' for key, value in (head | content).items())
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / file).write_text("{\n" + rest + '  "cases": [\n' + lines + "\n  ]\n}\n")


if pandas.__version__ != PANDAS:
    sys.exit(f"pandas {PANDAS} makes these vectors, found {pandas.__version__}: pip install pandas=={PANDAS}")
write("by-observation.json", {"series": SERIES, "cases": list(by_observation())})
write("by-time.json", {"series": {"prices": WALK}, "times": TIMES, "cases": list(by_time())})
