"""Whether the order of events in a recording is beyond doubt.

Events of different requests have to be at least 1 ms apart, from each other and from the moments at
which cooldowns end, minutes turn and upstream windows open or close.
"""

import bisect

APART = 0.001
MINUTE_STRATEGIES = {"usage-based-routing", "usage-based-routing-v2", "latency-based-routing", "cost-based-routing"}


def events(case):
    """(moment, request) of everything that happens on behalf of a request."""
    observed = case["observed"]
    found = {(r["at"], i) for i, r in enumerate(case["requests"])}
    for attempt in observed["attempts"]:
        for field in ("start", "end", "stream_end"):
            if field in attempt:
                found.add((attempt[field], attempt["request"]))
    for response in observed["responses"]:
        found.add((response["t"], response["request"]))
        if "first" in response:
            found.add((response["first"], response["request"]))
    return sorted(found)


def edges(case):
    """Moments of no request at which something changes."""
    found = {c["t"] + c["for"] for c in case["observed"]["cooldowns"]}
    for script in case["upstreams"].values():
        for window in script.get("windows", []):
            found.add(window["from"])
            if "until" in window:
                found.add(window["until"])
    router = case["config"].get("router_settings", {})
    if router.get("routing_strategy") in MINUTE_STRATEGIES or router.get("optional_pre_call_checks"):
        moment = 60 - case["start"] % 60
        last = max((r["t"] for r in case["observed"]["responses"]), default=0)
        while moment < last:
            found.add(moment)
            moment += 60
    return sorted(found)


def too_close(case):
    """The first moment whose order is in doubt with the requests involved, or None."""
    timeline = events(case)
    worst = []
    for (t, request), (u, other) in zip(timeline, timeline[1:]):
        # What one request sets in motion for another one happens at the same moment, in the order of their causes.
        if request != other and 0 < u - t < APART:
            worst.append((u, {request, other}))
            break
    moments = [t for t, _ in timeline]
    for edge in edges(case):
        i = bisect.bisect_left(moments, edge - APART)
        if i < len(timeline) and timeline[i][0] < edge + APART:
            worst.append((timeline[i][0], {timeline[i][1]}))
            break
    return min(worst, default=None, key=lambda w: w[0])
