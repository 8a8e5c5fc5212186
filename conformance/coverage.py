"""Writes COVERAGE.md: which recorded cases pin which rule.

A hand-written case names the rules it shows. A random case is listed under no rule: what it reaches is
counted at the end, by what its configuration sets and its recording shows.
"""

import collections
import json
from pathlib import Path

import hand_cases
from case_file import load

HERE = Path(__file__).parent


def recorded():
    """{release: {name: case}}"""
    return {
        folder.name: {path.stem: load(path) for path in sorted(folder.glob("*.json"))}
        for folder in sorted((HERE / "cases").iterdir())
        if folder.is_dir()
    }


def is_random(name):
    return name.startswith(("random-", "wide-"))


def features(case):
    """What a case reaches: settings in use, outcomes seen."""
    config = case["config"]
    for key in config.get("router_settings", {}):
        yield f"router_settings.{key}"
    strategy = config.get("router_settings", {}).get("routing_strategy", "simple-shuffle")
    yield f"strategy {strategy}"
    for key in config.get("litellm_settings", {}):
        yield f"litellm_settings.{key}"
    for entry in config["model_list"]:
        for key in entry["litellm_params"]:
            yield f"litellm_params.{key}"
        for key in entry["model_info"]:
            yield f"model_info.{key}"
    for request in case["requests"]:
        if request.get("stream"):
            yield "request stream"
        for key in request.get("params", {}):
            yield f"request {key}"
    for attempt in case["observed"]["attempts"]:
        status = f" {attempt['status']}" if "status" in attempt else ""
        refused = "" if attempt["sent"] else " (no call made)"
        yield f"attempt {attempt['result']}{status}{refused}"
        if "stream" in attempt:
            yield f"stream {attempt['stream']}"
    if case["observed"]["cooldowns"]:
        yield "cooldown"
    yield f"entry {case['entry']}"


def main():
    rules = load(HERE / "rules.json")
    cases = recorded()
    pinned = collections.defaultdict(list)
    for case in hand_cases.CASES:
        for rule in case["pins"]:
            pinned[rule].append(case["content"]["name"])
    lines = ["# Coverage", "", "Written by `coverage.py`; do not edit.", ""]
    releases = list(cases)
    lines += ["| release | hand-written | random | requests | attempts |", "|---|---|---|---|---|"]
    for release in releases:
        chosen = cases[release].values()
        random = [c for c in chosen if is_random(c["name"])]
        requests = sum(len(c["requests"]) for c in chosen)
        attempts = sum(len(c["observed"]["attempts"]) for c in chosen)
        lines.append(f"| {release} | {len(chosen) - len(random)} | {len(random)} | {requests} | {attempts} |")
    missing = []
    section = None
    for rule in rules["rules"]:
        if rule["section"] != section:
            section = rule["section"]
            lines += ["", f"## {section}", "", "| rule | says | cases |", "|---|---|---|"]
        names = []
        for name in pinned[rule["id"]]:
            where = [r for r in releases if name in cases[r]]
            if where == releases:
                names.append(f"`{name}`")
            elif where:
                names.append(f"`{name}` ({', '.join(where)})")
        if not names:
            missing.append(rule["id"])
        lines.append(f"| `{rule['id']}` | {rule['rule']} | {', '.join(names) or '**none**'} |")
    lines += ["", "## Rules that no case reaches", ""]
    lines += [f"- `{rule}`" for rule in missing] or ["None."]
    lines += ["", "## Out of scope", ""]
    lines += [f"- {item['what']}: {item['why']}." for item in rules["out_of_scope"]]
    lines += [
        "",
        "## What the random cases reach",
        "",
        f"| | {' | '.join(releases)} |",
        "|---" * (len(releases) + 1) + "|",
    ]
    counts = {
        release: collections.Counter(
            feature
            for name, case in cases[release].items()
            if is_random(name)
            for feature in set(features(case))
        )
        for release in releases
    }
    for feature in sorted(set().union(*counts.values())):
        lines.append(f"| {feature} | {' | '.join(str(counts[r][feature]) for r in releases)} |")
    (HERE / "COVERAGE.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
