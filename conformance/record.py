"""Records what the installed LiteLLM Router does with conformance cases."""

import argparse
import os
import pickle
import sys
import traceback
from pathlib import Path


def isolate():
    """Start over in a process whose outcome depends on nothing but its arguments."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])


def run_and_exit(work):
    code = 1
    try:
        code = work()
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def in_child(work):
    """Run ``work`` in a forked process: a Router leaves traces in LiteLLM's module globals."""
    pid = os.fork()
    if pid == 0:
        run_and_exit(work)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def from_child(work):
    """The result of ``work`` done in a forked process."""
    reader, writer = os.pipe()

    def send():
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(work(), pipe)
        return 0

    pid = os.fork()
    if pid == 0:
        run_and_exit(send)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    return pickle.loads(data)


def find_cases(paths):
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(path.rglob("*.json"))
        else:
            yield path


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", help="case files, or folders of them")
    parser.add_argument("--config", help="a config.yaml to record instead, with --requests")
    parser.add_argument("--requests", help="the requests to send it, and what its upstreams answer")
    parser.add_argument("--out", help="folder for the recordings (default: next to the cases, replacing them)")
    parser.add_argument("--check", action="store_true", help="compare with what is on disk, write nothing")
    parser.add_argument(
        "--space", action="store_true", help="move requests until events of different ones are 1 ms apart"
    )
    parser.add_argument(
        "--recorded-draws", action="store_true", help="take random numbers from the recording, not the seed"
    )
    arguments = parser.parse_args()
    if bool(arguments.config) != bool(arguments.requests):
        parser.error("--config and --requests go together")
    if bool(arguments.paths) == bool(arguments.config):
        parser.error("either case files or --config is needed")
    if arguments.config and not arguments.out:
        parser.error("--config needs --out")
    return arguments


def first_difference(expected, actual, where="observed"):
    if isinstance(expected, dict) and isinstance(actual, dict):
        if list(expected) != list(actual):
            return f"{where}: fields {list(expected)} became {list(actual)}: {expected} became {actual}"
        for key in expected:
            found = first_difference(expected[key], actual[key], f"{where}.{key}")
            if found:
                return found
        return None
    if isinstance(expected, list) and isinstance(actual, list):
        for i, (a, b) in enumerate(zip(expected, actual)):
            found = first_difference(a, b, f"{where}[{i}]")
            if found:
                return found
        if len(expected) != len(actual):
            return f"{where}: {len(expected)} entries became {len(actual)}"
        return None
    if expected != actual or type(expected) is not type(actual):
        return f"{where}: {expected!r} became {actual!r}"
    return None


def observe_case(case, numbers=None):
    import drive

    return {**case, "litellm": drive.LITELLM_VERSION, "observed": drive.Recording(case, numbers).run()}


def spaced(case, rounds=90):
    """Recorded with arrivals moved by a few milliseconds where the order of events is in doubt."""
    from spacing import too_close

    stuck_at, mover = None, None
    for _ in range(rounds):
        # A child each time: every recording must start from the same state.
        recorded = from_child(lambda: observe_case(case))
        doubt = too_close(recorded)
        if doubt is None:
            return recorded
        if doubt[0] == stuck_at and mover > 0:
            # That one waited for something that an earlier one decides.
            mover -= 1
        else:
            # Later arrivals cannot disturb what happened before, so the doubt moves on.
            stuck_at, mover = doubt[0], max(doubt[1])
        requests = [dict(r) for r in case["requests"]]
        requests[mover]["at"] = round(requests[mover]["at"] + 0.0023, 6)
        for i in range(mover + 1, len(requests)):
            requests[i]["at"] = max(requests[i]["at"], round(requests[i - 1]["at"] + 0.0011, 6))
        case = {**case, "requests": requests}
    raise RuntimeError(f"events stay within 1 ms around {doubt}")


def check(path, before, after):
    for part in ("attempts", "draws", "cooldowns", "responses"):
        difference = first_difference(before[part], after[part], part)
        if difference:
            break
    else:
        difference = first_difference(before, after)
    if difference:
        print(f"{path}: differs: {difference}")
        return 1
    return 0


def record_one(path, arguments):
    import case_file
    from spacing import too_close

    if arguments.config:
        from from_config import make_case

        case = make_case(arguments.config, path)
        path = Path(case["name"] + ".json")
    else:
        case = case_file.load(path)
    before = case.pop("observed", None)
    if arguments.check and before is None:
        print(f"{path}: has no recording to compare with")
        return 1
    if arguments.space:
        recorded = spaced(case)
    else:
        numbers = iter([d["u"] for d in before["draws"]]) if arguments.recorded_draws else None
        recorded = observe_case(case, numbers)
    if arguments.check:
        return check(path, before, recorded["observed"])
    doubt = too_close(recorded)
    if doubt:
        print(f"{path}: events of requests {sorted(doubt[1])} are within 1 ms at {doubt[0]}")
    target = Path(arguments.out) / path.name if arguments.out else path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(case_file.dumps(recorded), encoding="utf-8")
    return 0


def main():
    isolate()
    arguments = parse_arguments()
    import drive  # noqa: F401  # once, before the children fork

    paths = [Path(arguments.requests)] if arguments.config else list(find_cases(arguments.paths))
    failed = sum(in_child(lambda: record_one(path, arguments)) != 0 for path in paths)
    if arguments.check or failed:
        print(f"{len(paths) - failed} of {len(paths)} cases {'are equal' if arguments.check else 'recorded'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
