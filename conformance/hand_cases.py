"""The hand-written cases: each is small and shows a few rules, which ``pins`` names (see rules.json)."""

START = 1800000000.0
BOTH = ("1.80.17", "1.109.1")

CASES = []


def deployment(group, name, info=None, **params):
    return {
        "model_name": group,
        "litellm_params": {"model": params.pop("model", f"openai/{group}"), **params},
        "model_info": {"id": name, **(info or {})},
    }


def ok(after=0.2, **fields):
    return {"after": after, **fields}


def fails(status, after=0.05, message=None, code=None, retry_after=None, **fields):
    reply = {"status": status, "after": after, **fields}
    if message or code:
        reply["error"] = {k: v for k, v in (("code", code), ("message", message)) if v}
    if retry_after is not None:
        reply["headers"] = {"retry-after": retry_after}
    return reply


def always(reply):
    return {"default": reply}


def during(start, until, reply, otherwise=None):
    window = {"from": start, "reply": reply}
    if until is not None:
        window["until"] = until
    return {"default": otherwise or ok(), "windows": [window]}


def first_calls(replies, otherwise=None):
    return {"default": otherwise or ok(), "calls": {str(i): reply for i, reply in enumerate(replies)}}


def every(step, count, model="gpt-4", first=0.1, **fields):
    return [{"at": round(first + i * step, 6), "model": model, **fields} for i in range(count)]


def at(moment, model="gpt-4", **fields):
    return {"at": moment, "model": model, **fields}


def case(
    name,
    about,
    pins,
    models,
    upstreams,
    requests,
    router=None,
    settings=None,
    entry="proxy",
    versions=BOTH,
    start=START,
):
    config = {"model_list": models}
    if router:
        config["router_settings"] = router
    if settings:
        config["litellm_settings"] = settings
    content = {
        "format": 1,
        "name": name,
        "about": about,
        "entry": entry,
        "seed": 1000 + len(CASES),
        "start": start,
        "config": config,
        "upstreams": upstreams,
        "requests": requests,
    }
    CASES.append({"content": content, "pins": pins, "versions": versions})


def one(**params):
    return [deployment("gpt-4", "a", **params)]


def two(**params):
    return [deployment("gpt-4", "a", **params), deployment("gpt-4", "b", **params)]


def three(**params):
    return [*two(**params), deployment("gpt-4", "c", **params)]


def groups(*names, count=1):
    return [deployment(name, f"{name}-{i + 1}", info=None) for name in names for i in range(count)]


# --- timeouts ---------------------------------------------------------------------------------

HANG = always({"hang": True})

case(
    "timeout-precedence",
    "which of the places that can hold a timeout wins, for requests that are not streamed",
    ["timeout.precedence", "timeout.zero-is-unset"],
    [
        deployment("plain", "plain"),
        deployment("own", "own", timeout=1.3),
        deployment("own-request", "own-request", request_timeout=1.7),
        deployment("own-both", "own-both", timeout=1.1, request_timeout=0.7),
        deployment("own-zero", "own-zero", timeout=0),
    ],
    {n: HANG for n in ("plain", "own", "own-request", "own-both", "own-zero")},
    [
        at(0.1, "plain"),
        at(5.1, "own"),
        at(10.1, "own-request"),
        at(15.1, "own-both"),
        at(20.1, "own-zero"),
        at(25.1, "own", params={"timeout": 0.6}),
        at(30.1, "own", params={"request_timeout": 0.8}),
        at(35.1, "own", params={"timeout": 0.9, "request_timeout": 0.5}),
    ],
    {"num_retries": 0, "timeout": 2.3, "disable_cooldowns": True},
)
for where, router, settings in (
    ("router", {"timeout": 2.1}, None),
    ("litellm", {}, {"request_timeout": 1.4}),
    ("both", {"timeout": 2.1}, {"request_timeout": 1.4}),
    ("zero", {"timeout": 0}, {"request_timeout": 1.4}),
):
    case(
        f"timeout-default-{where}",
        "the timeout of a request that names none, on a deployment that names none",
        ["timeout.precedence", "timeout.explicit-request-timeout", "settings.litellm-defaults"],
        one(),
        {"a": HANG},
        [at(0.1), at(5.2, stream=True)],
        {"num_retries": 0, "disable_cooldowns": True, **router},
        settings,
    )
case(
    "timeout-streamed",
    "streamed requests look for a stream timeout first",
    ["timeout.stream"],
    [
        deployment("plain", "plain"),
        deployment("own", "own", stream_timeout=0.7, timeout=2.9),
        deployment("own-plain", "own-plain", timeout=2.7),
    ],
    {n: HANG for n in ("plain", "own", "own-plain")},
    [
        at(0.1, "plain", stream=True),
        at(5.1, "own", stream=True),
        at(10.1, "own-plain", stream=True),
        at(15.1, "own", stream=True, params={"stream_timeout": 0.4}),
        at(20.1, "own", stream=True, params={"timeout": 1.6}),
        at(25.1, "own"),
        at(30.1, "plain", params={"stream_timeout": 0.3}),
    ],
    {"num_retries": 0, "timeout": 3.1, "stream_timeout": 1.2, "disable_cooldowns": True},
)
case(
    "timeout-per-attempt",
    "a timeout bounds one attempt: retries start anew, and the group waits after the last one too",
    ["timeout.per-attempt", "retry.sleep-after-last"],
    one(timeout=0.5),
    {"a": HANG},
    [at(0.1)],
    {"num_retries": 2},
)
case(
    "timeout-default-litellm-params",
    "default_litellm_params beats what the deployment says",
    ["settings.default-litellm-params"],
    one(timeout=2.2),
    {"a": HANG},
    [at(0.1)],
    {"num_retries": 0, "default_litellm_params": {"timeout": 0.9}},
)
case(
    "timeout-slow-stream",
    "a stream may take longer than its timeout as long as no gap does",
    ["timeout.per-read", "stream.stall"],
    one(timeout=0.9),
    {
        "a": first_calls(
            [
                ok(0.3, chunks=4, gap=0.7),
                ok(0.3, chunks=4, gap=0.2, stall_after=2),
                ok(0.3, chunks=3, gap=0.2, stall_after=0),
            ]
        )
    },
    [at(0.1, stream=True), at(10.3, stream=True), at(20.7, stream=True)],
    {"num_retries": 0},
)

# --- settings ---------------------------------------------------------------------------------

case(
    "settings-ignored-keys",
    "settings that are no parameters of the Router are ignored",
    ["settings.ignored", "settings.misplaced"],
    one(),
    {"a": during(0, 3, {"hang": True})},
    [at(0.1), at(4.3)],
    {"num_retries": 0, "request_timeout": 1.5, "max_retries": 3, "fallback_timeout": 2},
    {"cooldown_time": 77, "retry_after": 6, "timeout": 0.5},
)
case(
    "settings-litellm-allowed-fails",
    "allowed_fails among the litellm settings never switches to counting",
    ["settings.litellm-allowed-fails"],
    two(),
    {"a": always(fails(429)), "b": always(ok())},
    every(1.311, 8),
    {"num_retries": 1, "cooldown_time": 3},
    {"allowed_fails": 2},
)
case(
    "settings-litellm-fallbacks-unset",
    "an empty list of fallbacks in the router settings leaves room for the litellm settings",
    ["settings.litellm-defaults", "fallback.null"],
    groups("gpt-4", "backup"),
    {"gpt-4-1": always(fails(500)), "backup-1": always(ok())},
    every(3.3, 2),
    {"num_retries": 0, "fallbacks": []},
    {"fallbacks": [{"gpt-4": ["backup"]}]},
)
case(
    "settings-router-wins",
    "router settings win over litellm settings, and 0 retries count as set",
    ["settings.litellm-defaults", "retry.count-precedence"],
    groups("gpt-4", "backup", "other"),
    {"gpt-4-1": always(fails(500)), "backup-1": always(ok()), "other-1": always(ok())},
    every(3.3, 2),
    {"num_retries": 0, "fallbacks": [{"gpt-4": ["backup"]}]},
    {"num_retries": 3, "fallbacks": [{"gpt-4": ["other"]}]},
)
case(
    "settings-retries-per-request",
    "num_retries_per_request stops fallbacks as well as retries",
    ["settings.retries-per-request"],
    groups("gpt-4", "backup"),
    {"gpt-4-1": always(fails(500)), "backup-1": always(ok())},
    [at(0.1)],
    {"num_retries": 3, "fallbacks": [{"gpt-4": ["backup"]}]},
    {"num_retries_per_request": 1},
)

# --- selection --------------------------------------------------------------------------------

for entry in ("proxy", "sdk"):
    case(
        f"select-by-id-{entry}",
        "a deployment called by its id: neither its cooldown nor retries matter",
        ["select.by-id", "retry.by-id"],
        two(),
        {"a": first_calls([fails(401), ok(), fails(500), fails(500)]), "b": always(ok())},
        [at(0.1, "a"), at(1.3, "a"), at(2.7), at(3.9, "a"), at(14.7, "a"), at(30.3, "b")],
        {"num_retries": 2, "cooldown_time": 9},
        entry=entry,
    )
case(
    "select-by-id-is-group",
    "a deployment whose id is the name of its group",
    ["select.by-id", "select.id-equals-group"],
    [deployment("gpt-4", "gpt-4"), deployment("gpt-4", "b")],
    {"gpt-4": during(3, 8, fails(500)), "b": always(ok())},
    every(0.911, 10),
    {"num_retries": 1},
)
case(
    "alias-shadows-group",
    "an alias beats a group of the same name, and is followed once only",
    ["select.alias-shadows", "select.alias-once"],
    groups("gpt-4", "mini", "third"),
    {"gpt-4-1": always(ok()), "mini-1": always(ok()), "third-1": always(ok())},
    [at(0.1), at(1.2, "mini"), at(2.3, "fast"), at(3.4, "hidden"), at(4.5, "third")],
    {
        "num_retries": 0,
        "model_group_alias": {"gpt-4": "mini", "fast": "gpt-4", "hidden": {"model": "third", "hidden": True}},
    },
)
case(
    "alias-fallback-key",
    "fallbacks are looked up under the name the client sent",
    ["select.alias-fallback-key", "fallback.key-as-called"],
    groups("gpt-4", "backup", "other"),
    {"gpt-4-1": always(fails(500)), "backup-1": always(ok()), "other-1": always(ok())},
    [at(0.1), at(2.2, "smart"), at(4.3, "plain")],
    {
        "num_retries": 0,
        "model_group_alias": {"smart": "gpt-4", "plain": "gpt-4"},
        "fallbacks": [{"gpt-4": ["backup"]}, {"smart": ["other"]}],
    },
)
case(
    "alias-fallback-target",
    "a fallback to a group that an alias shadows goes where the alias points",
    ["select.alias-shadows", "fallback.target-alias"],
    groups("gpt-4", "backup", "other"),
    {"gpt-4-1": always(fails(500)), "backup-1": always(ok()), "other-1": always(ok())},
    [at(0.1), at(2.2)],
    {"num_retries": 0, "model_group_alias": {"backup": "other"}, "fallbacks": [{"gpt-4": ["backup"]}]},
)
case(
    "select-wildcard",
    "wildcard groups: the longest pattern wins, and their deployments never cool down",
    ["select.wildcard", "cooldown.wildcard-never"],
    [
        deployment("openai/*", "wide", model="openai/*"),
        deployment("openai/gpt-*", "narrow-1", model="openai/gpt-*"),
        deployment("openai/gpt-*", "narrow-2", model="openai/gpt-*"),
        deployment("openai/gpt-5", "exact", model="openai/gpt-5"),
    ],
    {
        "wide": always(fails(401)),
        "narrow-1": always(fails(429)),
        "narrow-2": always(ok()),
        "exact": always(ok()),
    },
    [
        at(0.1, "openai/gpt-4o"),
        at(1.2, "openai/gpt-4o"),
        at(2.3, "openai/gpt-5"),
        at(3.4, "openai/o1"),
        at(4.5, "openai/o1"),
        at(5.6, "openai/gpt-4o-mini"),
        at(6.7, "openai/gpt-4o-mini"),
    ],
    {"num_retries": 1},
)
case(
    "select-by-upstream-name",
    "a name that is no group, but what a deployment calls its model",
    ["select.upstream-name"],
    [deployment("gpt-4", "a", model="openai/special"), deployment("mini", "b", model="openai/special")],
    {"a": always(ok()), "b": always(ok())},
    every(1.1, 4, "openai/special"),
    {"num_retries": 0},
    entry="sdk",
)
case(
    "select-unknown-with-default",
    "an unknown name with default fallbacks takes their first group, and then their chain",
    ["select.unknown-default-fallback"],
    groups("gpt-4", "backup"),
    {"gpt-4-1": first_calls([ok(), fails(500), fails(500)]), "backup-1": always(ok())},
    [at(0.1, "nothing"), at(2.2, "nothing")],
    {"num_retries": 0, "default_fallbacks": ["gpt-4", "backup"]},
    entry="sdk",
)
case(
    "select-unknown",
    "an unknown name without default fallbacks is a bad request, at once",
    ["select.unknown"],
    groups("gpt-4"),
    {"gpt-4-1": always(ok())},
    [at(0.1, "nothing")],
    {"num_retries": 2},
    entry="sdk",
)
case(
    "select-blocked",
    "a blocked deployment is left out",
    ["select.blocked"],
    [deployment("gpt-4", "a", {"blocked": True}), deployment("gpt-4", "b"), deployment("solo", "c", {"blocked": True})],
    {"a": always(ok()), "b": always(ok()), "c": always(ok())},
    [*every(0.7, 4), at(4.1, "solo"), at(5.3, "a")],
    {"num_retries": 0},
)
case(
    "select-identical-entries",
    "two entries with the same id: twice the weight, one cooldown",
    ["select.identical-entries"],
    [deployment("gpt-4", "a"), deployment("gpt-4", "a"), deployment("gpt-4", "b")],
    {"a": during(4, 7, fails(401)), "b": always(ok())},
    every(0.711, 16),
    {"num_retries": 1, "cooldown_time": 2.5},
)
case(
    "precall-context",
    "the context-window check drops what is too small, and fails the request when nothing is left",
    ["precall.context-window", "precall.unknown-window", "fallback.context-window"],
    [
        deployment("gpt-4", "small", {"max_input_tokens": 50}),
        deployment("gpt-4", "large", {"max_input_tokens": 200}),
        deployment("tiny", "tiny", {"max_input_tokens": 20}),
        deployment("mixed", "limited", {"max_input_tokens": 20}),
        deployment("mixed", "unknown"),
        deployment("long", "long", {"max_input_tokens": 4000}),
    ],
    {n: always(ok()) for n in ("small", "large", "tiny", "limited", "unknown", "long")},
    [
        at(0.1, prompt_tokens=50),
        at(1.1, prompt_tokens=51),
        at(2.1, prompt_tokens=201),
        at(3.1, "tiny", prompt_tokens=21),
        at(4.1, "mixed", prompt_tokens=90),
        at(5.1, "mixed", prompt_tokens=9),
        at(6.1, "gpt-4", prompt_tokens=5000),
    ],
    {"num_retries": 1, "enable_pre_call_checks": True, "context_window_fallbacks": [{"gpt-4": ["long"]}]},
)
case(
    "precall-off",
    "without pre-call checks a context window is not looked at",
    ["precall.context-window"],
    [deployment("gpt-4", "small", {"max_input_tokens": 50}), deployment("gpt-4", "large", {"max_input_tokens": 200})],
    {"small": always(ok()), "large": always(ok())},
    every(0.7, 6, prompt_tokens=300),
    {"num_retries": 1},
)
case(
    "precall-context-and-cooldown",
    "one deployment cools down and the other is too small: the request is too long",
    ["precall.context-window"],
    [deployment("gpt-4", "small", {"max_input_tokens": 50}), deployment("gpt-4", "large", {"max_input_tokens": 900})],
    {"small": always(ok()), "large": during(0, 3, fails(401))},
    every(1.3, 6, prompt_tokens=100),
    {"num_retries": 1, "enable_pre_call_checks": True, "fallbacks": [{"gpt-4": ["gpt-4"]}]},
)
case(
    "precall-region",
    "pre-call checks keep the deployments of the region the request allows",
    ["precall.region"],
    [deployment("gpt-4", "eu", region_name="eu"), deployment("gpt-4", "us", region_name="us")],
    {"eu": always(ok()), "us": always(ok())},
    [
        *every(0.7, 3, params={"allowed_model_region": "eu"}),
        at(3.3, params={"allowed_model_region": "asia"}),
        *every(0.7, 3, first=4.1),
    ],
    {"num_retries": 0, "enable_pre_call_checks": True},
    entry="sdk",
)
case(
    "precall-rpm",
    "pre-call checks and rpm: only the older release counts",
    ["precall.rpm", "limits.per-strategy"],
    [
        deployment("gpt-4", "a", rpm=3, max_parallel_requests=9),
        deployment("gpt-4", "b", rpm=2, max_parallel_requests=9),
    ],
    {"a": always(ok()), "b": always(ok())},
    [*every(3.7, 9), *every(3.7, 9, first=61.3)],
    {"num_retries": 0, "enable_pre_call_checks": True},
)
TAGGED = [
    deployment("gpt-4", "free", tags=["free"]),
    deployment("gpt-4", "paid", tags=["paid", "fast"]),
    deployment("gpt-4", "usual", tags=["default"]),
    deployment("gpt-4", "bare"),
    deployment("none", "none-1", tags=["free"]),
    deployment("none", "none-2"),
]
for match_any in (True, False):
    case(
        f"tags-match-{'any' if match_any else 'all'}",
        "tag filtering: requests with known, unknown and no tags",
        ["tags.match", "tags.default", "tags.unknown"],
        TAGGED,
        {n: always(ok()) for n in ("free", "paid", "usual", "bare", "none-1", "none-2")},
        [
            *every(0.7, 2, params={"metadata": {"tags": ["free"]}}),
            at(2.1, params={"metadata": {"tags": ["free", "fast"]}}),
            at(3.1, params={"metadata": {"tags": ["paid", "fast"]}}),
            at(4.1, params={"metadata": {"tags": ["other"]}}),
            *every(0.7, 3, first=5.1),
            at(8.1, "none", params={"metadata": {"tags": ["paid"]}}),
            at(9.1, "none", params={"metadata": {"tags": ["free"]}}),
            *every(0.7, 4, "none", first=10.1),
        ],
        {"num_retries": 0, "enable_tag_filtering": True, "tag_filtering_match_any": match_any},
        entry="sdk",
    )

# --- order ------------------------------------------------------------------------------------


def levels(where="params"):
    def made(name, order):
        if where == "params":
            return deployment("gpt-4", name, order=order)
        return deployment("gpt-4", name, {"order": order})

    return [made("a", 1), made("b", 1), made("c", 2), made("d", 3)]


for precall in (False, True):
    case(
        f"order-levels{'-precall' if precall else ''}",
        "order levels: the lowest serves, later ones take over when it fails",
        ["order.lowest", "order.precall-only", "order.levels-as-fallbacks", "order.last-error"],
        levels(),
        {
            "a": during(3, 12, fails(500)),
            "b": during(3, 12, fails(503)),
            "c": during(6, 12, fails(502)),
            "d": during(9, 12, fails(504)),
        },
        every(1.171, 14),
        {"num_retries": 1, "cooldown_time": 2, "enable_pre_call_checks": precall},
    )
case(
    "order-model-info",
    "order given in model_info",
    ["order.model-info"],
    levels("info"),
    {"a": during(3, 6, fails(401)), "b": during(3, 6, fails(401)), "c": always(ok()), "d": always(ok())},
    every(0.871, 12),
    {"num_retries": 1, "cooldown_time": 2},
)
case(
    "order-some-without",
    "deployments without an order are left out while one with an order is there",
    ["order.without"],
    [deployment("gpt-4", "a", order=2), deployment("gpt-4", "b"), deployment("gpt-4", "c")],
    {"a": during(3, 6, fails(401)), "b": always(ok()), "c": always(ok())},
    every(0.871, 12),
    {"num_retries": 1, "cooldown_time": 2.3, "enable_pre_call_checks": True},
)
case(
    "order-bad-request",
    "a bad request moves on to the next level, a too long one does not",
    ["order.levels-as-fallbacks", "order.not-for-context"],
    [*levels(), deployment("backup", "backup")],
    {
        "a": first_calls(
            [fails(400), fails(400, code="context_length_exceeded"), fails(400, code="content_policy_violation")]
        ),
        "b": first_calls(
            [fails(400), fails(400, code="context_length_exceeded"), fails(400, code="content_policy_violation")]
        ),
        "c": always(ok()),
        "d": always(ok()),
        "backup": always(ok()),
    },
    every(1.3, 7),
    {"num_retries": 0, "fallbacks": [{"gpt-4": ["backup"]}]},
)
case(
    "order-then-fallbacks",
    "when every level has failed, the fallbacks of the group follow",
    ["order.levels-as-fallbacks", "order.then-chain", "order.last-error"],
    [deployment("gpt-4", "a", order=1), deployment("gpt-4", "b", order=2), *groups("backup", "other")],
    {
        "a": always(fails(500)),
        "b": always(fails(503)),
        "backup-1": first_calls([ok(), fails(502), ok(), fails(502)]),
        "other-1": first_calls([ok(), fails(504)]),
    },
    every(6.3, 5),
    {"num_retries": 1, "fallbacks": [{"gpt-4": ["backup", "other"]}]},
)

# --- strategies -------------------------------------------------------------------------------

for name, values in (
    ("weight", [{"weight": 3}, {"weight": 1}, {"weight": 0}]),
    ("rpm", [{"rpm": 60}, {"rpm": 20}, {"rpm": 20}]),
    ("tpm", [{"tpm": 60000}, {"tpm": 20000}, {}]),
    ("mixed", [{"weight": 2, "rpm": 10}, {"rpm": 90}, {"weight": 5}]),
    ("later", [{}, {"rpm": 50}, {"weight": 4}]),
    ("none", [{}, {}, {}]),
):
    case(
        f"shuffle-by-{name}",
        "simple-shuffle: which figure of the deployments weighs",
        ["shuffle.metric", "shuffle.first-candidate", "shuffle.uniform", "shuffle.zero-weight"],
        [deployment("gpt-4", n, **v) for n, v in zip("abc", values)],
        {"a": during(6, 9, fails(429)), "b": always(ok()), "c": always(ok())},
        every(0.611, 30),
        {"num_retries": 1, "cooldown_time": 4},
    )
case(
    "shuffle-all-zero",
    "weights that add up to nothing",
    ["shuffle.zero-sum"],
    two(weight=0),
    {"a": always(ok()), "b": always(ok())},
    every(1.1, 4),
    {"num_retries": 0},
)
for entry in ("proxy", "sdk"):
    case(
        f"least-busy-burst-{entry}",
        "least-busy: bursts that overlap, failures, and an idle group",
        ["least-busy.smallest", "least-busy.idle-first", "least-busy.leak"],
        three(),
        {
            "a": during(3, 9, fails(500, 0.4), ok(1.3)),
            "b": always(ok(0.9)),
            "c": during(12, 15, fails(429, 0.3), ok(1.1)),
        },
        every(0.311, 70),
        {"routing_strategy": "least-busy", "num_retries": 2, "cooldown_time": 3},
        entry=entry,
    )
case(
    "least-busy-forgets",
    "least-busy: counters that have lived too long are forgotten",
    ["least-busy.ttl"],
    two(),
    {"a": first_calls([ok(900)], ok(0.5)), "b": always(ok(0.7))},
    [at(0.1), *every(97.3, 12, first=20.3), at(3700.1), at(3701.2)],
    {"routing_strategy": "least-busy", "num_retries": 0},
)
for version, strategy in (("v1", "usage-based-routing"), ("v2", "usage-based-routing-v2")):
    case(
        f"usage-{version}-lowest",
        "usage-based routing: the deployment with the fewest tokens in this minute",
        [f"usage-{version}.lowest", f"usage-{version}.minute"],
        three(),
        {
            "a": always(ok(0.2, completion_tokens=200)),
            "b": always(ok(0.3, completion_tokens=90)),
            "c": during(20, 40, fails(500), ok(0.25, completion_tokens=50)),
        },
        every(2.311, 40),
        {"routing_strategy": strategy, "num_retries": 1},
    )
    case(
        f"usage-{version}-rpm",
        "usage-based routing: a limit of N requests per minute lets N - 1 through",
        [f"usage-{version}.rpm-limit", "limits.per-strategy", f"retry.limit-{version}"],
        [*two(rpm=3, max_parallel_requests=9), *groups("backup")],
        {"a": always(ok()), "b": during(62, 80, fails(500)), "backup-1": always(ok())},
        every(4.611, 22),
        {"routing_strategy": strategy, "num_retries": 1, "fallbacks": [{"gpt-4": ["backup"]}]},
    )
    case(
        f"usage-{version}-tpm",
        "usage-based routing: token limits count the prompt to come",
        [f"usage-{version}.tpm-limit"],
        two(tpm=400, max_parallel_requests=9),
        {"a": always(ok(completion_tokens=90)), "b": always(ok(completion_tokens=40))},
        [*every(3.3, 9, prompt_tokens=40), *every(3.3, 4, first=31.3, prompt_tokens=150), *every(3.3, 6, first=63.1)],
        {"routing_strategy": strategy, "num_retries": 0},
    )
case(
    "usage-v2-single-waits",
    "usage-based routing v2: a lone deployment over its limit makes the request wait minutes",
    ["usage-v2.single-waits", "retry.limit-v2"],
    [*one(rpm=2, max_parallel_requests=9), *groups("backup")],
    {"a": always(ok()), "backup-1": always(ok())},
    [at(0.1), at(1.3), at(2.7)],
    {"routing_strategy": "usage-based-routing-v2", "num_retries": 1, "fallbacks": [{"gpt-4": ["backup"]}]},
)
case(
    "usage-v2-failures-count",
    "usage-based routing v2 counts requests before they are made, failed ones too",
    ["usage-v2.counts-before"],
    two(rpm=4, max_parallel_requests=9),
    {"a": always(fails(500)), "b": always(fails(503))},
    every(1.911, 8),
    {"routing_strategy": "usage-based-routing-v2", "num_retries": 0},
)
case(
    "latency-window",
    "latency-based routing: averages over the last samples",
    ["latency.lowest", "latency.window", "latency.seed", "latency.completion-tokens"],
    three(),
    {
        "a": during(8, 20, ok(2.1, completion_tokens=60), ok(0.6, completion_tokens=60)),
        "b": always(ok(0.9, completion_tokens=30)),
        "c": during(0, 5, ok(0.4, completion_tokens=5), ok(0.4, completion_tokens=50)),
    },
    every(0.711, 60),
    {"routing_strategy": "latency-based-routing", "num_retries": 1},
)
case(
    "latency-short-list",
    "latency-based routing with a list of three samples and a buffer",
    ["latency.window", "latency.list-size", "latency.buffer"],
    three(),
    {
        "a": during(8, 20, ok(1.9), ok(0.5)),
        "b": during(14, 30, ok(0.3), ok(0.7)),
        "c": always(ok(0.6)),
    },
    every(0.911, 45),
    {
        "routing_strategy": "latency-based-routing",
        "routing_strategy_args": {"max_latency_list_size": 3, "lowest_latency_buffer": 0.4},
        "num_retries": 0,
    },
)
case(
    "latency-failures",
    "latency-based routing: timeouts cost a thousand seconds, quick failures nothing",
    ["latency.timeout-penalty", "latency.fast-failures"],
    three(timeout=0.8),
    {
        "a": during(3, 5, {"hang": True}, ok(0.3)),
        "b": during(6, 12, fails(500, 0.01), ok(0.2)),
        "c": during(7, 9, fails(504, 0.1), ok(0.5)),
    },
    every(0.711, 45),
    {"routing_strategy": "latency-based-routing", "num_retries": 1, "cooldown_time": 1.3},
)
case(
    "latency-streams",
    "latency-based routing of streams: the time to the first token",
    ["latency.first-token"],
    two(),
    {
        "a": always(ok(0.2, chunks=3, gap=0.4)),
        "b": always(ok(0.5, chunks=8, gap=0.03)),
    },
    [{**r, **({} if i % 3 == 2 else {"stream": True})} for i, r in enumerate(every(1.911, 36))],
    {"routing_strategy": "latency-based-routing", "num_retries": 0},
)
case(
    "latency-percentile",
    "latency-based routing of streams by a percentile of the time to the first token",
    ["latency.percentile"],
    two(),
    {
        "a": first_calls([ok(0.2), ok(0.3), ok(1.6), ok(0.2), ok(0.3), ok(1.4)], ok(0.35, chunks=2)),
        "b": always(ok(0.5, chunks=2)),
    },
    every(1.911, 30, stream=True),
    {"routing_strategy": "latency-based-routing", "routing_strategy_args": {"ttft_percentile": 0.5}, "num_retries": 0},
)
for strategy in ("latency", "cost"):
    case(
        f"{strategy}-limits",
        f"{strategy}-based routing respects rpm and tpm, and admits all N",
        [f"{strategy}.limits", "limits.per-strategy"],
        [
            deployment("gpt-4", "a", rpm=3, max_parallel_requests=9, input_cost_per_token=0.001),
            deployment("gpt-4", "b", tpm=260, max_parallel_requests=9, input_cost_per_token=0.002),
        ],
        {"a": always(ok(0.2)), "b": always(ok(0.4))},
        every(3.911, 20, prompt_tokens=20),
        {"routing_strategy": f"{strategy}-based-routing", "num_retries": 0},
    )
case(
    "cost-lowest",
    "cost-based routing: the cheapest, and what counts where no price is given",
    ["cost.lowest", "cost.default-price", "cost.ties"],
    [
        deployment(
            "gpt-4", "dear", model="openai/unknown-model", input_cost_per_token=0.02, output_cost_per_token=0.03
        ),
        deployment(
            "gpt-4", "cheap", model="openai/unknown-model", input_cost_per_token=0.001, output_cost_per_token=0.002
        ),
        deployment(
            "gpt-4", "equal", model="openai/unknown-model", input_cost_per_token=0.002, output_cost_per_token=0.001
        ),
        deployment("gpt-4", "zero", model="openai/unknown-model", input_cost_per_token=0, output_cost_per_token=0),
        deployment("listed", "listed", model="openai/gpt-4o"),
        deployment("listed", "unlisted", model="openai/unknown-model"),
    ],
    {
        "dear": always(ok()),
        "cheap": during(3, 6, fails(429)),
        "equal": during(4, 6, fails(429)),
        "zero": always(ok()),
        "listed": always(ok()),
        "unlisted": always(ok()),
    },
    [*every(0.711, 14), *every(1.1, 3, "listed", first=12.1)],
    {"routing_strategy": "cost-based-routing", "num_retries": 1, "cooldown_time": 2.3},
)

# --- retries ----------------------------------------------------------------------------------

STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 422, 424, 429, 499, 500, 501, 502, 503, 504, 529)
for count, models in (("single", one()), ("multi", two())):
    case(
        f"retry-statuses-{count}",
        "which statuses are retried, and how long the pause is",
        ["retry.retryable", "retry.sleep-rule", "errors.by-status", "retry.forbidden"],
        models,
        {
            d["model_info"]["id"]: {
                "default": ok(),
                "windows": [
                    {"from": 20 * i, "until": 20 * i + 19, "reply": fails(s, 0.05)} for i, s in enumerate(STATUSES)
                ],
            }
            for d in models
        },
        [at(20 * i + 0.1) for i in range(len(STATUSES))],
        {"num_retries": 1, "cooldown_time": 0.7},
    )
for entry in ("proxy", "sdk"):
    case(
        f"retry-count-{entry}",
        "how many retries: the request, the deployment, the router",
        ["retry.count-precedence", "retry.fresh-per-hop", "retry.client-multiplies"],
        [
            deployment("gpt-4", "a"),
            deployment("own", "own", num_retries=1),
            deployment("hop", "hop"),
        ],
        {"a": always(fails(500)), "own": always(fails(500)), "hop": always(fails(503))},
        [
            at(0.1),
            at(40.2, params={"num_retries": 0}),
            at(60.3, params={"num_retries": 3}),
            at(110.4, "own"),
            at(160.5, "own", params={"num_retries": 0}),
            at(200.6, "own", params={"num_retries": 2}),
            at(260.7, "hop", params={"num_retries": 1}),
        ],
        {"num_retries": 2, "fallbacks": [{"hop": ["gpt-4"]}]},
        entry=entry,
    )
case(
    "retry-default-count",
    "without any setting there are two retries",
    ["retry.default-two"],
    one(),
    {"a": always(fails(500))},
    [at(0.1)],
)
case(
    "retry-max-retries-dead",
    "max_retries of a deployment has no effect",
    ["retry.max-retries-dead", "retry.client-multiplies"],
    one(max_retries=3),
    {"a": always(fails(500))},
    [at(0.1), at(20.3, params={"max_retries": 2})],
    {"num_retries": 1},
)
case(
    "retry-backoff",
    "the pauses grow to a bound, and the floor is bounded too",
    ["retry.backoff", "retry.sleep-after-last"],
    one(),
    {"a": always(fails(503))},
    [at(0.1)],
    {"num_retries": 6},
)
for floor in (3, 11):
    case(
        f"retry-after-setting-{floor}",
        "retry_after of the router is a floor of the computed pause",
        ["retry.floor"],
        one(),
        {"a": always(fails(503))},
        [at(0.1)],
        {"num_retries": 3, "retry_after": floor},
    )
case(
    "retry-after-header",
    "the forms of the Retry-After header and what each does to the pause",
    ["retry.retry-after", "retry.retry-after-forms"],
    one(cooldown_time=0),
    {
        "a": {
            "default": ok(),
            "windows": [
                {"from": 100 * i, "until": 100 * i + 0.5, "reply": reply}
                for i, reply in enumerate(
                    [
                        fails(503, retry_after="3"),
                        fails(429, retry_after="60"),
                        fails(429, retry_after="61"),
                        fails(500, retry_after="0"),
                        fails(500, retry_after="-4"),
                        fails(500, retry_after="1.9"),
                        fails(500, retry_after="soon"),
                        fails(408, retry_after="7"),
                        fails(403, retry_after="4"),
                        fails(500, headers={"retry-after-ms": "4000"}),
                        fails(500, retry_after="Fri, 15 Jan 2027 08:16:52 GMT"),
                    ]
                )
            ],
        }
    },
    [at(100 * i + 0.1) for i in range(11)],
    {"num_retries": 1},
)
case(
    "retry-multi-no-pause",
    "with a sibling left there is no pause; with all cooled down there is no retry",
    ["retry.sleep-rule", "retry.none-healthy"],
    three(),
    {"a": always(fails(429)), "b": always(fails(429)), "c": always(fails(500))},
    every(2.3, 5),
    {"num_retries": 4, "cooldown_time": 6},
    entry="sdk",
)
case(
    "retry-rate-limit-with-fallbacks",
    "rate limits with nobody left: retried or not, with and without fallbacks",
    ["retry.rate-limit-empty", "retry.none-healthy"],
    [*two(), *groups("backup")],
    {"a": always(fails(429)), "b": always(fails(429)), "backup-1": always(ok())},
    every(1.7, 6),
    {"num_retries": 3, "cooldown_time": 4, "fallbacks": [{"gpt-4": ["backup"]}]},
    entry="sdk",
)
POLICIES = {
    "BadRequestErrorRetries": 1,
    "AuthenticationErrorRetries": 2,
    "TimeoutErrorRetries": 0,
    "RateLimitErrorRetries": 3,
    "ContentPolicyViolationErrorRetries": 1,
    "InternalServerErrorRetries": 0,
}
POLICY_REPLIES = [
    fails(400),
    fails(401),
    {"status": 408, "after": 0.05},
    fails(429),
    fails(400, code="content_policy_violation"),
    fails(500),
    fails(503),
    fails(404),
    fails(400, code="context_length_exceeded"),
    fails(422),
]
for count, models in (("single", one()), ("multi", three())):
    case(
        f"retry-policy-{count}",
        "a retry policy, class by class",
        ["retry.policy", "retry.policy-replaces", "retry.policy-internal-server"],
        models,
        {
            d["model_info"]["id"]: {
                "default": ok(),
                "windows": [
                    {"from": 60 * i, "until": 60 * i + 50, "reply": reply} for i, reply in enumerate(POLICY_REPLIES)
                ],
            }
            for d in models
        },
        [
            *(at(60 * i + 0.1) for i in range(len(POLICY_REPLIES))),
            at(600.1),
        ],
        {"num_retries": 2, "retry_policy": POLICIES, "cooldown_time": 0.4},
    )
case(
    "retry-policy-request-zero",
    "a request that asks for no retries and a policy that asks for some",
    ["retry.policy", "retry.count-precedence"],
    one(),
    {"a": always(fails(429))},
    [at(0.1, params={"num_retries": 0}), at(30.3, params={"num_retries": 1}), at(60.7)],
    {"num_retries": 0, "retry_policy": {"RateLimitErrorRetries": 2}},
)
case(
    "retry-policy-new-classes",
    "policy entries for 404, 503 and everything else",
    ["retry.policy-new-classes"],
    two(),
    {
        n: {
            "default": ok(),
            "windows": [
                {"from": 30 * i, "until": 30 * i + 20, "reply": fails(s)}
                for i, s in enumerate((404, 503, 502, 403, 400, 409))
            ],
        }
        for n in "ab"
    },
    [at(30 * i + 0.1) for i in range(6)],
    {
        "num_retries": 0,
        "cooldown_time": 0.3,
        "retry_policy": {"NotFoundErrorRetries": 1, "ServiceUnavailableErrorRetries": 2, "DefaultRetries": 1},
    },
    versions=("1.109.1",),
)
case(
    "retry-policy-by-group",
    "a policy of the group beats the general one, whole",
    ["retry.policy-by-group"],
    groups("gpt-4", "mini"),
    {
        "gpt-4-1": {"default": fails(429), "windows": [{"from": 30, "until": 60, "reply": fails(408)}]},
        "mini-1": {"default": fails(429), "windows": [{"from": 30, "until": 60, "reply": fails(408)}]},
    },
    [at(0.1), at(10.2, "mini"), at(30.3), at(41.4, "mini")],
    {
        "num_retries": 1,
        "retry_policy": {"RateLimitErrorRetries": 0, "TimeoutErrorRetries": 0},
        "model_group_retry_policy": {"mini": {"RateLimitErrorRetries": 2}},
    },
)
case(
    "retry-skip-set",
    "a deployment that refused the key is not asked again in the same request",
    ["retry.skip-set"],
    three(cooldown_time=0),
    {"a": always(fails(401)), "b": always(fails(403)), "c": during(6, 12, fails(403))},
    every(1.3, 12),
    {"num_retries": 3},
)
case(
    "retry-first-error-counts",
    "errors that change from attempt to attempt: when the check is made, and which one is raised",
    ["retry.checked-when", "retry.raised-error"],
    two(),
    {
        "a": {"default": fails(500), "calls": {"1": fails(400)}},
        "b": {"default": fails(503), "calls": {"0": fails(404), "2": fails(401)}},
    },
    every(9.3, 5),
    {"num_retries": 3, "disable_cooldowns": True},
)
case(
    "retry-selection-failure",
    "failures of the selection: limits are retried, cooldowns are not",
    ["retry.selection-failure", "limits.concurrency"],
    [*one(max_parallel_requests=1), *groups("mini")],
    {"a": always(ok(2.1)), "mini-1": during(10, 20, fails(401))},
    [at(0.1), at(0.7), at(10.1, "mini"), at(10.9, "mini")],
    {"num_retries": 2},
)

# --- cooldowns --------------------------------------------------------------------------------

for entry in ("proxy", "sdk"):
    case(
        f"cooldown-counted-{entry}",
        "which failures of a request are counted against their deployments",
        ["cooldown.proxy-first-failure", "cooldown.sdk-every-failure", "cooldown.hop"],
        [*two(), *groups("backup", count=2)],
        {
            "a": always(fails(401)),
            "b": always(fails(401)),
            "backup-1": during(0, 9, fails(429)),
            "backup-2": always(ok()),
        },
        every(2.3, 6),
        {"num_retries": 2, "cooldown_time": 7, "fallbacks": [{"gpt-4": ["backup"]}]},
        entry=entry,
    )
    case(
        f"cooldown-streamed-{entry}",
        "which failures of a streamed request are counted against their deployments",
        ["cooldown.stream-counted"],
        [*three(), *groups("backup", count=2)],
        {
            "a": always(fails(429)),
            "b": always(fails(429)),
            "c": always(fails(429)),
            "backup-1": during(0, 9, fails(429)),
            "backup-2": always(ok()),
        },
        every(2.3, 6, stream=True),
        {"num_retries": 2, "cooldown_time": 7, "fallbacks": [{"gpt-4": ["backup"]}]},
        entry=entry,
    )
COOLDOWN_STATUSES = (400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504, 529)
for count in ("single", "multi"):
    models = [deployment(f"g{s}", f"{s}-{i}") for s in COOLDOWN_STATUSES for i in range(1 if count == "single" else 2)]
    case(
        f"cooldown-statuses-{count}",
        "which statuses cool a deployment at once and which never",
        ["cooldown.eligible", "cooldown.immediate", "cooldown.single"],
        models,
        {
            m["model_info"]["id"]: always(fails(int(m["model_info"]["id"].split("-")[0])))
            if m["model_info"]["id"].endswith("-0")
            else always(ok())
            for m in models
        },
        [at(round(0.1 + 0.311 * i, 6), f"g{COOLDOWN_STATUSES[i % len(COOLDOWN_STATUSES)]}") for i in range(42)],
        {"num_retries": 0, "cooldown_time": 90},
    )
case(
    "cooldown-transport",
    "refused and reset connections and timeouts count as server errors do",
    ["cooldown.transport", "errors.transport"],
    [*(deployment(g, f"{g}-{i}", timeout=0.5) for g in ("refuse", "reset", "hang") for i in range(2))],
    {
        "refuse-0": always({"refuse": True, "after": 0.01}),
        "reset-0": always({"reset": True, "after": 0.1}),
        "hang-0": HANG,
        **{f"{g}-1": always(ok()) for g in ("refuse", "reset", "hang")},
    },
    [at(round(0.1 + 0.611 * i, 6), ("refuse", "reset", "hang")[i % 3]) for i in range(48)],
    {"num_retries": 0, "cooldown_time": 6},
)
case(
    "cooldown-share",
    "more than half of at least five: the share of failures that cools",
    ["cooldown.share", "cooldown.windows", "cooldown.ineligible-counts"],
    [deployment("gpt-4", "a"), deployment("gpt-4", "b", weight=0)],
    {
        "a": {
            "default": ok(),
            "calls": {str(i): fails(s) for i, s in {5: 500, 6: 500, 7: 500, 8: 500, 9: 503, 10: 503, 11: 500}.items()},
            "windows": [
                {"from": 70, "until": 80, "reply": fails(400)},
                {"from": 80, "until": 100, "reply": fails(503)},
            ],
        },
        "b": always(ok()),
    },
    [*every(1.711, 16), *every(2.311, 14, first=70.2)],
    {"num_retries": 0, "cooldown_time": 9},
    entry="sdk",
)
case(
    "cooldown-windows",
    "successes and failures are counted in two windows of a minute, each from its own first",
    ["cooldown.windows"],
    two(),
    {
        "a": during(25, 90, fails(500)),
        "b": always(ok(0.3)),
    },
    every(2.911, 40),
    {"num_retries": 0, "cooldown_time": 3},
)
case(
    "cooldown-single-thousand",
    "a lone deployment that always fails cools down at its thousandth failure in a minute",
    ["cooldown.single-thousand"],
    one(),
    {"a": always(fails(500, 0.002))},
    every(0.031, 1004),
    {"num_retries": 0, "cooldown_time": 60},
)
case(
    "cooldown-single-group",
    "a lone deployment: rate limits do not cool it, a refused key does",
    ["cooldown.single", "cooldown.all-cooled"],
    [*one(), *groups("backup")],
    {"a": first_calls([fails(429), fails(500), fails(402), fails(404), fails(401)]), "backup-1": always(fails(503))},
    every(1.9, 9),
    {"num_retries": 0, "cooldown_time": 2.5, "fallbacks": [{"gpt-4": ["backup"]}]},
)
case(
    "cooldown-not-extended",
    "failures during a cooldown do not make it longer; when it ends the deployment is back at once",
    ["cooldown.not-extended", "cooldown.no-probe"],
    two(),
    {"a": during(0, 4, fails(429, 0.9)), "b": during(1.5, 6, fails(429, 0.4))},
    [at(0.1), at(0.25), at(0.4), at(0.6), at(0.8), *every(0.511, 20, first=2.05)],
    {"num_retries": 0, "cooldown_time": 4},
    entry="sdk",
)
for name, router in (
    ("default", {"allowed_fails": 3}),
    ("two", {"allowed_fails": 2}),
    ("zero", {"allowed_fails": 0}),
    ("policy", {"allowed_fails_policy": {"RateLimitErrorAllowedFails": 1, "TimeoutErrorAllowedFails": 0}}),
    (
        "policy-and-count",
        {
            "allowed_fails": 1,
            "allowed_fails_policy": {"InternalServerErrorAllowedFails": 2, "RateLimitErrorAllowedFails": 0},
        },
    ),
):
    case(
        f"cooldown-allowed-{name}",
        "counting failures: the limit, its window, and what single groups do",
        [
            "cooldown.count",
            "cooldown.count-window",
            "cooldown.policy",
            "cooldown.count-single",
            "cooldown.count-default",
        ],
        [*two(), *groups("solo", "chained", "backup")],
        {
            "a": {
                "default": fails(429),
                "windows": [
                    {"from": 20, "until": 40, "reply": fails(500)},
                    {"from": 40, "until": 50, "reply": fails(401)},
                    {"from": 50, "until": 60, "reply": fails(408)},
                    {"from": 60, "until": 70, "reply": fails(400)},
                ],
            },
            "b": always(ok()),
            "solo-1": during(0, 40, fails(429), fails(500)),
            "chained-1": during(0, 40, fails(429), fails(500)),
            "backup-1": always(ok()),
        },
        [at(round(0.1 + 0.711 * i, 6), ("gpt-4", "gpt-4", "solo", "chained")[i % 4]) for i in range(110)],
        {"num_retries": 0, "cooldown_time": 6, "fallbacks": [{"chained": ["backup"]}], **router},
    )
case(
    "cooldown-count-no-fallbacks",
    "counting in single groups when nothing falls back anywhere",
    ["cooldown.count-single"],
    groups("solo", "second"),
    {"solo-1": always(fails(429)), "second-1": always(fails(401))},
    [at(round(0.1 + 0.911 * i, 6), ("solo", "second")[i % 2]) for i in range(20)],
    {"num_retries": 0, "cooldown_time": 6, "allowed_fails": 1},
)
case(
    "cooldown-deployment-level",
    "allowed fails of a deployment, as a number and by class",
    ["cooldown.deployment-level"],
    [
        deployment("gpt-4", "a", {"allowed_fails": 1}),
        deployment(
            "gpt-4", "b", {"allowed_fails_policy": {"BadRequestErrorAllowedFails": 1, "RateLimitErrorAllowedFails": 2}}
        ),
        deployment("gpt-4", "c", {"allowed_fails": 2, "allowed_fails_policy": {"TimeoutErrorAllowedFails": 0}}),
        deployment("gpt-4", "d", {"cooldown_time": 3}, cooldown_time=11),
        deployment("gpt-4", "e"),
    ],
    {
        "a": during(0, 20, fails(500), fails(429)),
        "b": during(0, 15, fails(400), fails(429)),
        "c": during(0, 15, fails(503), fails(408)),
        "d": during(5, 25, fails(401), ok()),
        "e": always(ok()),
    },
    every(0.511, 90),
    {"num_retries": 0, "cooldown_time": 8},
)
LENGTHS = [
    ("plain", {}, None),
    ("own", {"cooldown_time": 9}, None),
    ("own-and-header", {"cooldown_time": 9}, "2"),
    ("header", {}, "7"),
    ("long-header", {}, "300"),
    ("zero-header", {}, "0"),
    ("decimal-header", {}, "1.5"),
    ("minus-header", {}, "-3"),
    ("date-header", {}, "Fri, 15 Jan 2027 08:00:30 GMT"),
    ("zero", {"cooldown_time": 0}, None),
    ("minus", {"cooldown_time": -2}, "6"),
]
case(
    "cooldown-length",
    "how long a cooldown lasts: the deployment, the Retry-After header, the router",
    ["cooldown.length", "cooldown.zero-header", "cooldown.header-uncapped", "cooldown.time-zero"],
    [d for n, p, _ in LENGTHS for d in (deployment(n, n, **p), deployment(n, f"{n}-other"))],
    {
        **{n: always(fails(429, retry_after=h)) for n, _, h in LENGTHS},
        **{f"{n}-other": always(ok()) for n, _, _ in LENGTHS},
    },
    [at(round(0.1 + 0.311 * i, 6), LENGTHS[i % len(LENGTHS)][0]) for i in range(99)],
    {"num_retries": 0, "cooldown_time": 4},
)
case(
    "cooldown-time-router-zero",
    "a cooldown time of 0 in the router settings means the default",
    ["cooldown.router-zero"],
    two(),
    {"a": always(fails(429)), "b": always(ok())},
    every(0.911, 14),
    {"num_retries": 0, "cooldown_time": 0},
)
case(
    "cooldown-disabled",
    "disable_cooldowns: nothing cools",
    ["cooldown.disabled"],
    two(),
    {"a": always(fails(401)), "b": always(fails(429))},
    every(0.911, 6),
    {"num_retries": 1, "disable_cooldowns": True},
)
for entry in ("proxy", "sdk"):
    case(
        f"cooldown-caller-timeout-{entry}",
        "timeouts that the caller chose",
        ["cooldown.caller-timeout"],
        two(),
        {"a": always(ok(2.1)), "b": during(4, 60, fails(408, 0.05))},
        [*every(0.511, 14, params={"timeout": 0.3}), *every(0.511, 14, first=9.1)],
        {"num_retries": 0, "cooldown_time": 5, "timeout": 1.1},
        entry=entry,
    )
case(
    "cooldown-hop-rule",
    "the last error of a fallback hop is evaluated for its deployment",
    ["cooldown.hop"],
    [*two(), deployment("backup", "c"), deployment("backup", "d"), deployment("last", "e")],
    {
        "a": always(fails(500)),
        "b": always(fails(500)),
        "c": always(fails(429)),
        "d": always(fails(401)),
        "e": during(0, 12, fails(401)),
    },
    every(2.9, 8),
    {"num_retries": 1, "cooldown_time": 6, "fallbacks": [{"gpt-4": ["backup", "last"]}]},
)
case(
    "cooldown-two-groups",
    "cooldowns belong to deployments; other groups go on",
    ["cooldown.all-cooled", "cooldown.no-effect-by-id"],
    [*two(), *groups("mini", count=2)],
    {"a": always(fails(429)), "b": always(fails(401)), "mini-1": always(ok()), "mini-2": always(ok())},
    [at(round(0.1 + 0.811 * i, 6), ("gpt-4", "mini", "a")[i % 3]) for i in range(18)],
    {"num_retries": 1, "cooldown_time": 5},
)

# --- fallbacks --------------------------------------------------------------------------------

CHAIN = [f"m{i}" for i in range(9)]
for name, router, failing, asked in (
    ("flat", {"fallbacks": [{"m0": CHAIN[1:]}]}, CHAIN, {}),
    ("nested", {"fallbacks": [{CHAIN[i]: [CHAIN[i + 1]]} for i in range(8)]}, CHAIN, {}),
    ("cycle", {"fallbacks": [{"m0": ["m1"]}, {"m1": ["m0"]}]}, CHAIN, {}),
    (
        "three-cycle",
        {"fallbacks": [{"m0": ["m1", "m2"]}, {"m1": ["m2", "m0"]}, {"m2": ["m0", "m1"]}], "max_fallbacks": 2},
        CHAIN,
        {},
    ),
    ("star", {"fallbacks": [{"*": ["m1", "m2"]}], "max_fallbacks": 2}, CHAIN, {}),
    ("default", {"default_fallbacks": ["m1", "m2"], "max_fallbacks": 2}, CHAIN, {}),
    ("own-and-star", {"fallbacks": [{"m0": ["m3"]}, {"*": ["m1", "m2"]}], "max_fallbacks": 2}, CHAIN, {}),
    ("request", {"fallbacks": [{"m0": ["m1"]}], "max_fallbacks": 2}, CHAIN, {"fallbacks": ["m4", "m5"]}),
    ("depth-none", {"fallbacks": [{"m0": ["m1"]}], "max_fallbacks": 0}, ["m0"], {}),
    ("depth-one", {"fallbacks": [{"m0": ["m1", "m3"]}, {"m1": ["m2"]}, {"m3": ["m4"]}], "max_fallbacks": 1}, CHAIN, {}),
    ("depth-two", {"fallbacks": [{"m0": ["m1", "m3"]}, {"m1": ["m2"]}, {"m3": ["m4"]}], "max_fallbacks": 2}, CHAIN, {}),
    ("missing", {"fallbacks": [{"m0": ["nowhere", "m2"]}]}, ["m0"], {}),
    ("only-missing", {"fallbacks": [{"m0": ["nowhere"]}]}, ["m0"], {}),
    ("disabled", {"fallbacks": [{"m0": ["m1"]}]}, ["m0"], {"disable_fallbacks": True}),
    ("self", {"fallbacks": [{"m0": ["m0", "m1"]}]}, ["m0"], {}),
    ("hop-own-chain", {"fallbacks": [{"m0": ["m1"]}, {"m1": ["m2"]}]}, ["m0", "m1"], {}),
    ("resume", {"fallbacks": [{"m0": ["m1", "m2"]}, {"m1": ["m3"]}]}, ["m0", "m1", "m3"], {}),
    ("later-succeeds", {"fallbacks": [{"m0": ["m1", "m2", "m3"]}]}, ["m0", "m1", "m2"], {}),
):
    case(
        f"fallback-walk-{name}",
        "the groups that are tried, in order",
        ["fallback.walk", "fallback.depth", "fallback.memory", "fallback.star", "fallback.raised-error"],
        [deployment(m, m) for m in CHAIN],
        {m: always(fails(500 + CHAIN.index(m) % 4) if m in failing else ok()) for m in CHAIN},
        [at(0.1, "m0", **({"params": asked} if asked else {})), at(40.3, "m0", **({"params": asked} if asked else {}))],
        {"num_retries": 0, "disable_cooldowns": True, **router},
    )
case(
    "fallback-retries-each",
    "every hop has retries of its own",
    ["fallback.walk", "retry.fresh-per-hop", "retry.sleep-after-last"],
    groups("gpt-4", "mini", "backup"),
    {"gpt-4-1": always(fails(500)), "mini-1": always(fails(503)), "backup-1": first_calls([fails(502)])},
    [at(0.1)],
    {"num_retries": 1, "fallbacks": [{"gpt-4": ["mini", "backup"]}]},
)
KINDS = [
    fails(400, code="context_length_exceeded"),
    fails(400, code="content_policy_violation"),
    fails(500),
    fails(400),
    fails(401),
    fails(404),
    fails(429),
]
for name, router in (
    (
        "all",
        {
            "fallbacks": [{"gpt-4": ["usual"]}],
            "context_window_fallbacks": [{"gpt-4": ["long"]}],
            "content_policy_fallbacks": [{"gpt-4": ["lax"]}],
        },
    ),
    (
        "others-entry",
        {
            "fallbacks": [{"gpt-4": ["usual"]}],
            "context_window_fallbacks": [{"mini": ["long"]}],
            "content_policy_fallbacks": [{"mini": ["lax"]}],
        },
    ),
    (
        "star",
        {
            "fallbacks": [{"gpt-4": ["usual"]}],
            "context_window_fallbacks": [{"*": ["long"]}],
            "content_policy_fallbacks": [{"*": ["lax"]}],
        },
    ),
    ("empty", {"fallbacks": [{"gpt-4": ["usual"]}], "context_window_fallbacks": [], "content_policy_fallbacks": []}),
    ("none", {"fallbacks": [{"gpt-4": ["usual"]}]}),
    (
        "only-special",
        {"context_window_fallbacks": [{"gpt-4": ["long"]}], "content_policy_fallbacks": [{"gpt-4": ["lax"]}]},
    ),
    ("default", {"default_fallbacks": ["usual"], "context_window_fallbacks": [{"gpt-4": ["long"]}]}),
):
    case(
        f"fallback-kinds-{name}",
        "which chain each kind of error takes",
        [
            "fallback.context-window",
            "fallback.content-policy",
            "fallback.any-error",
            "fallback.null",
            "fallback.special-star",
        ],
        [*groups("gpt-4", "usual", "long", "lax"), *groups("mini")],
        {
            "gpt-4-1": first_calls(KINDS),
            "mini-1": first_calls(KINDS),
            **{f"{g}-1": always(ok()) for g in ("usual", "long", "lax")},
        },
        [at(round(7.3 * i + 0.1, 6), g) for i in range(len(KINDS)) for g in ("gpt-4",)]
        + [at(round(7.3 * i + 60.1, 6), "mini") for i in range(len(KINDS))],
        {"num_retries": 0, "cooldown_time": 1, **router},
    )
case(
    "fallback-litellm-special-empty",
    "empty special chains in the litellm settings are set, not null",
    ["fallback.null"],
    groups("gpt-4", "usual"),
    {"gpt-4-1": first_calls(KINDS[:3]), "usual-1": always(ok())},
    every(3.3, 3),
    {"num_retries": 0},
    {"fallbacks": [{"gpt-4": ["usual"]}], "context_window_fallbacks": [], "content_policy_fallbacks": []},
)
case(
    "fallback-from-cooled",
    "a group that cools falls back at once, and its own error is what is raised when that fails",
    ["fallback.raised-error", "cooldown.all-cooled"],
    groups("gpt-4", "backup"),
    {"gpt-4-1": always(fails(401)), "backup-1": during(4, 60, fails(500))},
    every(1.3, 8),
    {"num_retries": 0, "cooldown_time": 20, "fallbacks": [{"gpt-4": ["backup"]}]},
)
case(
    "fallback-provider-prefix",
    "a chain under the group's name without its provider prefix",
    ["fallback.prefix"],
    [deployment("openai/gpt-4", "a", model="openai/gpt-4"), *groups("backup", "other")],
    {"a": always(fails(500)), "backup-1": always(ok()), "other-1": always(ok())},
    [at(0.1, "openai/gpt-4")],
    {"num_retries": 0, "fallbacks": [{"gpt-4": ["backup"]}, {"*": ["other"]}]},
)
case(
    "fallback-by-id",
    "a deployment called by its id, with chains under the id and under the group",
    ["fallback.key-as-called", "select.by-id"],
    groups("gpt-4", "backup", "other"),
    {"gpt-4-1": always(fails(500)), "backup-1": always(ok()), "other-1": always(ok())},
    [at(0.1, "gpt-4-1"), at(1.3)],
    {"num_retries": 0, "fallbacks": [{"gpt-4": ["backup"]}, {"gpt-4-1": ["other"]}]},
)
case(
    "fallback-map-target",
    "a target with parameters of its own, which stay for the targets after it",
    ["fallback.map-target", "fallback.sticky"],
    groups("gpt-4", "mini", "backup"),
    {"gpt-4-1": always(fails(500)), "mini-1": HANG, "backup-1": HANG},
    [at(0.1)],
    {"num_retries": 0, "timeout": 3.1, "fallbacks": [{"gpt-4": [{"model": "mini", "timeout": 0.7}, "backup"]}]},
)
case(
    "fallback-request-maps",
    "a request that brings a list of maps: it serves every kind of error",
    ["fallback.nonstandard"],
    groups("gpt-4", "mini", "backup"),
    {"gpt-4-1": first_calls(KINDS), "mini-1": always(ok()), "backup-1": always(ok())},
    every(5.3, 4, params={"fallbacks": [{"model": "mini", "timeout": 2.2}]}),
    {"num_retries": 0, "context_window_fallbacks": [{"gpt-4": ["backup"]}], "max_fallbacks": 2},
)
for entry in ("proxy", "sdk"):
    case(
        f"failover-weighted-{entry}",
        "weighted failover: another deployment of the group before the fallbacks, for any error",
        ["failover.weighted"],
        [
            deployment("gpt-4", "a", weight=8),
            deployment("gpt-4", "b", weight=1),
            deployment("gpt-4", "c", weight=1),
            *groups("backup"),
        ],
        {
            "a": {
                "default": fails(500),
                "windows": [
                    {"from": 8, "until": 14, "reply": fails(400)},
                    {"from": 14, "until": 20, "reply": fails(401)},
                ],
            },
            "b": during(3, 18, fails(503)),
            "c": during(6, 16, fails(429)),
            "backup-1": during(10, 12, fails(502)),
        },
        every(1.311, 18),
        {"num_retries": 1, "cooldown_time": 3, "enable_weighted_failover": True, "fallbacks": [{"gpt-4": ["backup"]}]},
        entry=entry,
    )
case(
    "failover-weighted-depth",
    "weighted failover and the limit of nested fallbacks",
    ["failover.weighted", "failover.depth"],
    [*three(weight=1), deployment("gpt-4", "d", weight=1), *groups("backup")],
    {n: always(fails(500)) for n in "abcd"} | {"backup-1": always(ok())},
    every(2.311, 6),
    {
        "num_retries": 0,
        "disable_cooldowns": True,
        "max_fallbacks": 2,
        "enable_weighted_failover": True,
        "fallbacks": [{"gpt-4": ["backup"]}],
    },
)

# --- streams ----------------------------------------------------------------------------------

STREAM_TROUBLES = [
    ok(0.2, chunks=4, gap=0.1),
    fails(503),
    ok(0.2, chunks=4, gap=0.15, cut_after=0),
    ok(0.2, chunks=4, gap=0.15, cut_after=2),
    ok(0.2, chunks=4, gap=0.15, stall_after=0),
    ok(0.2, chunks=4, gap=0.15, stall_after=2),
    {"hang": True},
    {"reset": True, "after": 0.2},
    fails(429),
]
for name, router in (
    ("fallback", {"fallbacks": [{"gpt-4": ["backup"]}], "num_retries": 0}),
    ("retry", {"num_retries": 1}),
    ("fallback-fails", {"fallbacks": [{"gpt-4": ["broken"]}], "num_retries": 0}),
    ("retry-fallback", {"fallbacks": [{"gpt-4": ["backup"]}], "num_retries": 1}),
):
    for entry in ("proxy", "sdk") if name == "retry-fallback" else ("proxy",):
        case(
            f"stream-{name}-{entry}",
            "streams that break before and after their first chunk",
            ["stream.open-error", "stream.before-first", "stream.after-first", "stream.stall"],
            [*two(), *groups("backup", "broken")],
            {
                "a": first_calls(STREAM_TROUBLES, ok(0.2, chunks=2, gap=0.05)),
                "b": always(ok(0.3, chunks=3, gap=0.07)),
                "backup-1": always(ok(0.1, chunks=5, gap=0.03)),
                "broken-1": always(fails(500)),
            },
            every(9.311, 26, stream=True),
            {"timeout": 1.1, "cooldown_time": 1, **router},
            entry=entry,
        )

# --- errors -----------------------------------------------------------------------------------

MESSAGES = [
    fails(500, message="Rate limit exceeded upstream"),
    fails(500, message="upstream said 429"),
    fails(400, message="upstream said 429"),
    fails(503, message="Request timed out"),
    fails(400, message="This model's maximum context length is 100 tokens"),
    fails(400, message="the request exceeds the available context size"),
    fails(400, message="something else", code="context_length_exceeded"),
    fails(400, message="something else", code="content_policy_violation"),
    fails(400, message="Your request was rejected as a result of the safety system"),
    fails(500, message="The server had an error processing your request."),
    fails(418, message="Web server is returning an unknown error"),
    fails(413, message="Request too large"),
    fails(413, message="no"),
    fails(500, message="A timeout occurred"),
    fails(401, message="expired key"),
    fails(404, message="no such model"),
    fails(500, message="string too long. Expected a string with maximum length 10"),
    fails(400, message="input tokens exceed the configured limit of 10"),
    fails(451, message="blocked"),
    fails(599, message="odd"),
]
case(
    "errors-by-message",
    "what the text of an answer makes of it, whatever its status",
    ["errors.by-text", "errors.context-phrases", "errors.code-hidden"],
    two(),
    {n: first_calls(MESSAGES, fails(500)) for n in "ab"},
    every(3.3, 40),
    {"num_retries": 0, "disable_cooldowns": True},
)
case(
    "errors-text-cools",
    "a server error that mentions a rate limit cools at once",
    ["errors.by-text", "cooldown.immediate"],
    two(),
    {"a": always(fails(500, message="rate limit of the upstream")), "b": always(ok())},
    every(1.3, 8),
    {"num_retries": 0, "cooldown_time": 3},
)

# --- limits -----------------------------------------------------------------------------------

case(
    "limits-shuffle-none",
    "simple-shuffle does not enforce rpm and tpm",
    ["limits.per-strategy"],
    [deployment("gpt-4", "a", rpm=2, tpm=60, max_parallel_requests=0)],
    {"a": always(ok())},
    every(1.3, 6),
    {"num_retries": 0},
)
for name, params, router in (
    ("max-parallel", {"max_parallel_requests": 2}, {}),
    ("rpm", {"rpm": 2}, {}),
    ("tpm", {"tpm": 400}, {}),
    ("tpm-tiny", {"tpm": 10}, {}),
    ("default", {}, {"default_max_parallel_requests": 2}),
    ("zero", {"max_parallel_requests": 0, "rpm": 1}, {}),
):
    case(
        f"limits-parallel-{name}",
        "a cap of calls at the same time: where it comes from and what becomes of the rest",
        ["limits.concurrency", "limits.concurrency-source", "limits.concurrency-no-cooldown"],
        [*two(**params), *groups("backup")],
        {"a": always(ok(1.7)), "b": always(ok(1.2)), "backup-1": always(ok(0.3))},
        [*every(0.111, 9), *every(0.111, 7, first=9.1)],
        {"num_retries": 1, "fallbacks": [{"gpt-4": ["backup"]}], **router},
    )
case(
    "limits-parallel-stream",
    "how long a stream holds its slot",
    ["limits.slot-stream"],
    one(max_parallel_requests=1),
    {"a": always(ok(0.4, chunks=4, gap=0.5))},
    [at(0.1, stream=True), at(1.1, stream=True), at(3.1, stream=True), at(3.3, stream=True), at(9.1)],
    {"num_retries": 0},
)
case(
    "limits-parallel-replaced",
    "the limiter is made anew after ten minutes, and the calls in flight are forgotten",
    ["limits.limiter-replaced"],
    one(max_parallel_requests=1),
    {"a": first_calls([ok(0.3), ok(300)], ok(0.3))},
    [at(0.1), at(500.2), at(590.3), at(601.4), at(620.5)],
    {"num_retries": 0},
)
for entry in ("proxy", "sdk"):
    case(
        f"limits-enforced-{entry}",
        "enforce_model_rate_limits: the request fails though a sibling has room, and the deployment cools",
        ["limits.enforced", "limits.enforced-cools", "limits.enforced-no-retry", "limits.per-strategy"],
        [
            *two(rpm=3, max_parallel_requests=9),
            deployment("solo", "solo", rpm=2, max_parallel_requests=9),
            *groups("backup"),
        ],
        {"a": always(ok()), "b": during(30, 50, fails(500)), "solo": always(ok()), "backup-1": always(ok())},
        [at(round(0.1 + 2.911 * i, 6), ("gpt-4", "gpt-4", "solo")[i % 3]) for i in range(50)],
        {
            "num_retries": 2,
            "cooldown_time": 4,
            "optional_pre_call_checks": ["enforce_model_rate_limits"],
            "fallbacks": [{"solo": ["backup"]}],
        },
        entry=entry,
    )
case(
    "limits-enforced-tpm",
    "enforce_model_rate_limits by tokens: what was used before counts, not what is to come",
    ["limits.enforced-tpm"],
    two(tpm=150, max_parallel_requests=9),
    {"a": always(ok(completion_tokens=60)), "b": always(ok(completion_tokens=90))},
    every(3.911, 24, prompt_tokens=20),
    {"num_retries": 1, "cooldown_time": 4, "optional_pre_call_checks": ["enforce_model_rate_limits"]},
)
case(
    "limits-enforced-failures",
    "enforce_model_rate_limits counts failed calls too",
    ["limits.enforced"],
    two(rpm=3, max_parallel_requests=9),
    {"a": always(fails(500)), "b": always(fails(503))},
    every(3.911, 12),
    {"num_retries": 1, "cooldown_time": 2, "optional_pre_call_checks": ["enforce_model_rate_limits"]},
)
case(
    "budget-deployment",
    "a deployment that has spent its budget is left out; with none left the request fails",
    ["budget.deployment"],
    [
        deployment(
            "gpt-4", "a", max_budget=0.05, budget_duration="1d", input_cost_per_token=0.001, output_cost_per_token=0.001
        ),
        deployment(
            "gpt-4", "b", max_budget=0.2, budget_duration="1d", input_cost_per_token=0.001, output_cost_per_token=0.001
        ),
    ],
    {"a": always(ok()), "b": always(ok())},
    every(1.311, 12),
    {"num_retries": 1},
)

# --- answers that a content filter stopped ----------------------------------------------------

FILTERED = {"after": 0.2, "finish_reason": "content_filter"}

case(
    "filtered-answer-retries",
    "an answer that a content filter stopped is an error where a default fallback could answer; whose num_retries count",
    ["fallback.filtered-answer", "retry.count-precedence"],
    [
        *groups("plain", "backup"),
        deployment("none", "none-1", num_retries=0),
        deployment("many", "many-1", num_retries=3),
        *[deployment("pair", f"pair-{i}", num_retries=1) for i in (1, 2)],
    ],
    {name: always(FILTERED) for name in ("plain-1", "none-1", "many-1", "pair-1", "pair-2")},
    [
        at(round(0.1 + 17.311 * i, 6), name, **fields)
        for i, (name, fields) in enumerate(
            [(name, {}) for name in ("plain", "none", "many", "pair")]
            + [(name, {"params": {"num_retries": 1}}) for name in ("plain", "none", "many")]
        )
    ],
    {"num_retries": 2, "default_fallbacks": ["backup"]},
)
case(
    "filtered-answer-passes",
    "an answer that a content filter stopped is an answer where nobody else could answer",
    ["fallback.filtered-answer"],
    [*groups("listed", "unlisted", "backup")],
    {name: always(FILTERED) for name in ("listed-1", "unlisted-1", "backup-1")},
    [at(0.1, "unlisted"), at(9.1, "listed"), at(19.3, "backup")],
    {
        "num_retries": 1,
        "content_policy_fallbacks": [{"listed": ["backup"]}],
        "fallbacks": [{"unlisted": ["backup"]}],
    },
)
