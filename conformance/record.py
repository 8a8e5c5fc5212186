"""Records what the installed LiteLLM Router does with conformance cases."""

import argparse
import os
import sys
from pathlib import Path


def isolate():
    """Start over in a process whose outcome depends on nothing but its arguments."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])


def in_child(work):
    """Run ``work`` in a forked process: a Router leaves traces in LiteLLM's module globals."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = work()
        except Exception:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def find_cases(paths):
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(path.rglob("*.json"))
        else:
            yield path


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", help="case files, or folders of them")
    parser.add_argument("--out", help="folder for the recordings (default: next to the cases, replacing them)")
    parser.add_argument("--check", action="store_true", help="compare with what is on disk, write nothing")
    parser.add_argument("--recorded-draws", action="store_true", help="take random numbers from the recording, not the seed")
    return parser.parse_args()


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


def record_one(path, arguments):
    import case_file
    import drive

    case = case_file.load(path)
    before = case.pop("observed", None)
    numbers = iter([d["u"] for d in before["draws"]]) if arguments.recorded_draws else None
    case["litellm"] = drive.LITELLM_VERSION
    case["observed"] = drive.Recording(case, numbers).run()
    if arguments.check:
        for part in ("attempts", "draws", "cooldowns", "responses"):
            difference = first_difference(before[part], case["observed"][part], part)
            if difference:
                print(f"{path}: differs: {difference}")
                return 1
        difference = first_difference(before, case["observed"])
        if difference:
            print(f"{path}: differs: {difference}")
            return 1
        return 0
    target = Path(arguments.out) / path.name if arguments.out else path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(case_file.dumps(case), encoding="utf-8")
    return 0


def main():
    isolate()
    arguments = parse_arguments()
    import drive  # noqa: F401  # once, before the children fork

    paths = list(find_cases(arguments.paths))
    failed = sum(in_child(lambda: record_one(path, arguments)) != 0 for path in paths)
    if arguments.check or failed:
        print(f"{len(paths) - failed} of {len(paths)} cases {'are equal' if arguments.check else 'recorded'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
