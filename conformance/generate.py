"""Writes the inputs of the cases: the hand-written ones, and random ones from a seed."""

import argparse
from pathlib import Path

import case_file
import hand_cases
import random_cases
import wide_cases


def inputs(version, seed, count, wide):
    for case in hand_cases.CASES:
        if version in case["versions"]:
            yield case["content"]
    for index in range(count):
        yield random_cases.make(seed, index)
    for index in range(wide):
        yield wide_cases.make(seed, index)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", help="folder for the inputs")
    parser.add_argument("--litellm", default="1.109.1", help="release they are for")
    parser.add_argument("--seed", type=int, default=7, help="of the random cases")
    parser.add_argument("--count", type=int, default=60, help="of the random cases")
    parser.add_argument("--wide", type=int, default=0, help="of the wide random cases, which mix rare settings")
    arguments = parser.parse_args()
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    for content in inputs(arguments.litellm, arguments.seed, arguments.count, arguments.wide):
        (out / f"{content['name']}.json").write_text(case_file.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main()
