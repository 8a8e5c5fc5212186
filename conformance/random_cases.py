"""Random cases: realistic groups, traffic and outages, everything drawn from one seed."""

import random

GROUPS = ("gpt-4", "mini", "backup")
STRATEGIES = (
    ("simple-shuffle", 5),
    ("least-busy", 2),
    ("latency-based-routing", 3),
    ("usage-based-routing", 2),
    ("usage-based-routing-v2", 3),
    ("cost-based-routing", 1),
)
FAILURES = (
    ({"status": 429}, 6),
    ({"status": 500}, 5),
    ({"status": 503}, 3),
    ({"status": 502}, 1),
    ({"status": 504}, 1),
    ({"status": 529}, 1),
    ({"status": 401}, 3),
    ({"status": 403}, 1),
    ({"status": 404}, 1),
    ({"status": 402}, 1),
    ({"status": 408}, 1),
    ({"status": 409}, 1),
    ({"status": 422}, 1),
    ({"status": 400}, 2),
    ({"status": 400, "error": {"code": "context_length_exceeded"}}, 2),
    ({"status": 400, "error": {"code": "content_policy_violation"}}, 2),
    ({"refuse": True}, 2),
    ({"reset": True}, 2),
    ({"hang": True}, 2),
)
RETRY_CLASSES = (
    "BadRequestErrorRetries",
    "AuthenticationErrorRetries",
    "TimeoutErrorRetries",
    "RateLimitErrorRetries",
    "ContentPolicyViolationErrorRetries",
    "InternalServerErrorRetries",
)
ALLOWED_CLASSES = tuple(name.replace("Retries", "AllowedFails") for name in RETRY_CLASSES)
PROMPTS = (9, 12, 25, 40, 80, 150, 300, 700)


class Maker:
    def __init__(self, seed, index):
        self.random = random.Random(f"{seed}/{index}")
        self.name = f"random-{seed}-{index:03d}"
        self.seed = seed * 1000 + index

    def chance(self, share):
        return self.random.random() < share

    def seconds(self, low, high):
        return round(self.random.uniform(low, high), 6)

    def weighted(self, options):
        return self.random.choices([o for o, _ in options], [w for _, w in options])[0]

    def some(self, names, low, high):
        picked = self.random.sample(names, self.random.randint(1, 3))
        return {name: self.random.randint(low, high) for name in names if name in picked}

    def case(self):
        self.strategy = self.weighted(STRATEGIES)
        self.names = GROUPS[: self.random.randint(1, 3)]
        self.span = self.random.choice((30, 60, 90, 140, 200))
        self.precall = self.chance(0.25)
        self.enforce = self.chance(0.2)
        self.limited = self.enforce or self.chance(0.4)
        self.levels = self.chance(0.2)
        self.weights = self.chance(0.3)
        self.streams = self.chance(0.3)
        models = self.models()
        return {
            "format": 1,
            "name": self.name,
            "about": f"generated: {self.strategy}, {len(models)} deployments in {len(self.names)} groups",
            "entry": "sdk" if self.chance(0.25) else "proxy",
            "seed": self.seed,
            "start": 1800000000.0 + self.random.choice((0, 17, 41)),
            "config": self.config(models),
            "upstreams": {m["model_info"]["id"]: self.upstream() for m in models},
            "requests": self.requests(),
        }

    def models(self):
        models = []
        for group in self.names:
            size = self.random.choice((1, 1, 2, 2, 3, 3, 4, 5))
            for i in range(size):
                models.append(self.deployment(group, f"{group}-{i + 1}"))
        return models[:12]

    def deployment(self, group, name):
        params = {"model": f"openai/{group}"}
        info = {"id": name}
        if self.weights and self.chance(0.7):
            params["weight"] = self.random.choice((1, 1, 2, 3, 5, 8))
        if self.limited and self.chance(0.8):
            params["rpm"] = self.random.choice((2, 3, 5, 8, 12, 20, 40))
        if self.limited and self.chance(0.5):
            params["tpm"] = self.random.choice((300, 600, 1500, 4000, 9000))
        if self.chance(0.25 if self.limited else 0.12):
            params["max_parallel_requests"] = self.random.choice((1, 2, 3, 6))
        if self.levels:
            params["order"] = self.random.choice((1, 1, 2, 3))
        elif self.chance(0.03):
            info["order"] = self.random.choice((1, 2))
        if self.chance(0.1):
            params["num_retries"] = self.random.randint(0, 2)
        if self.chance(0.1):
            params["timeout"] = self.seconds(0.8, 4)
        if self.chance(0.08):
            params["stream_timeout"] = self.seconds(0.5, 2)
        if self.chance(0.12):
            params["cooldown_time"] = self.random.choice((0, 1, 4, 15, 40))
        if self.chance(0.1):
            info["cooldown_time"] = self.random.choice((0, 2, 8))
        if self.chance(0.12):
            info["allowed_fails"] = self.random.randint(0, 3)
        if self.chance(0.12):
            info["allowed_fails_policy"] = self.some(ALLOWED_CLASSES, 0, 3)
        if self.precall and self.chance(0.7):
            info["max_input_tokens"] = self.random.choice((30, 100, 400, 2000))
        if self.strategy == "cost-based-routing" and self.chance(0.8):
            params["input_cost_per_token"] = self.random.choice((0.001, 0.002, 0.004))
            params["output_cost_per_token"] = self.random.choice((0.001, 0.002))
        return {"model_name": group, "litellm_params": params, "model_info": info}

    def config(self, models):
        router = {"routing_strategy": self.strategy}
        settings = {}
        arguments = {}
        if self.strategy == "latency-based-routing" and self.chance(0.5):
            arguments["lowest_latency_buffer"] = self.random.choice((0.2, 0.5, 1.0))
        if self.strategy == "latency-based-routing" and self.chance(0.3):
            arguments["max_latency_list_size"] = self.random.choice((2, 4, 6))
        if arguments:
            router["routing_strategy_args"] = arguments
        place = self.random.random()
        if place < 0.75:
            router["num_retries"] = self.random.randint(0, 3)
        elif place < 0.9:
            settings["num_retries"] = self.random.randint(0, 3)
        if self.chance(0.6):
            router["cooldown_time"] = self.random.choice((1, 2, 5, 10, 30, 60))
        if self.chance(0.25):
            router["allowed_fails"] = self.random.randint(0, 4)
        if self.chance(0.15):
            router["allowed_fails_policy"] = self.some(ALLOWED_CLASSES, 0, 3)
        if self.chance(0.2):
            router["retry_policy"] = self.some(RETRY_CLASSES, 0, 3)
        if self.chance(0.08):
            router["model_group_retry_policy"] = {self.random.choice(self.names): self.some(RETRY_CLASSES, 0, 2)}
        if self.chance(0.1):
            router["retry_after"] = self.random.choice((1, 2, 4))
        if self.chance(0.5):
            router["timeout"] = self.seconds(1.5, 5)
        if self.chance(0.15):
            router["stream_timeout"] = self.seconds(0.7, 3)
        if self.chance(0.15):
            settings["request_timeout"] = self.seconds(1.5, 4)
        if self.chance(0.05):
            router["disable_cooldowns"] = True
        if self.precall or (self.levels and self.chance(0.6)):
            router["enable_pre_call_checks"] = True
        if self.enforce:
            router["optional_pre_call_checks"] = ["enforce_model_rate_limits"]
        if self.strategy == "simple-shuffle" and self.chance(0.3):
            router["enable_weighted_failover"] = True
        if self.chance(0.1):
            router["default_max_parallel_requests"] = self.random.choice((2, 4))
        if self.chance(0.2):
            router["model_group_alias"] = {"smart": self.names[0]}
        if len(self.names) > 1:
            self.fallbacks(router, settings)
        config = {"model_list": models, "router_settings": router}
        if settings:
            config["litellm_settings"] = settings
        return config

    def fallbacks(self, router, settings):
        def others(group):
            rest = [g for g in self.names if g != group]
            return self.random.sample(rest, self.random.randint(1, len(rest)))

        chains = [{g: others(g)} for g in self.names if self.chance(0.75)]
        if chains:
            (settings if self.chance(0.3) else router)["fallbacks"] = chains
        if self.chance(0.2):
            router["default_fallbacks"] = [self.random.choice(self.names)]
        if self.chance(0.25):
            router["context_window_fallbacks"] = [{self.names[0]: others(self.names[0])}]
        if self.chance(0.25):
            router["content_policy_fallbacks"] = [{self.names[0]: others(self.names[0])}]
        if self.chance(0.25):
            router["max_fallbacks"] = self.random.randint(0, 2)

    def upstream(self):
        default = {"status": 200, "after": self.seconds(0.1, 1.6)}
        if self.chance(0.6):
            default["completion_tokens"] = self.random.choice((5, 30, 60, 120, 250))
        if self.streams:
            default["chunks"] = self.random.randint(1, 5)
            default["gap"] = self.seconds(0.02, 0.3)
        script = {"default": default}
        windows = []
        moment = 0.0
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            begin = self.seconds(moment, self.span)
            until = round(begin + self.seconds(2, self.span / 2), 6)
            windows.append({"from": begin, "until": until, "reply": self.trouble()})
            moment = min(until, self.span - 1)
        if windows:
            script["windows"] = windows
        if self.chance(0.3):
            script["calls"] = {
                str(k): self.trouble() for k in sorted(self.random.sample(range(12), self.random.randint(1, 4)))
            }
        return script

    def trouble(self):
        if self.chance(0.1):  # slow rather than broken
            return {"status": 200, "after": self.seconds(1.5, 5)}
        if self.streams and self.chance(0.2):
            return {
                "status": 200,
                "after": self.seconds(0.1, 0.8),
                "chunks": 4,
                "gap": self.seconds(0.02, 0.3),
                self.random.choice(("cut_after", "stall_after")): self.random.randint(0, 3),
            }
        failure = dict(self.weighted(FAILURES))
        if not failure.get("hang"):
            failure["after"] = self.seconds(0.01, 0.5)
        if failure.get("status") in (429, 503, 500) and self.chance(0.35):
            failure["headers"] = {"retry-after": self.random.choice(("0", "1", "2", "5", "20", "61", "120"))}
        return failure

    def requests(self):
        count = self.random.randint(20, 90)
        shares = [self.random.randint(1, 5) for _ in self.names]
        callers = list(self.names) + (["smart"] if self.chance(0.3) else [])
        shares += [1] * (len(callers) - len(self.names))
        moments = sorted(self.seconds(0.1, self.span) for _ in range(count))
        return [self.request(moment, self.random.choices(callers, shares)[0]) for moment in moments]

    def request(self, moment, model):
        request = {"at": moment, "model": model}
        if self.chance(0.5):
            request["prompt_tokens"] = self.random.choice(PROMPTS)
        if self.streams and self.chance(0.4):
            request["stream"] = True
        params = {}
        if self.chance(0.05):
            params["num_retries"] = self.random.randint(0, 3)
        if self.chance(0.06):
            params["timeout"] = self.seconds(0.3, 4)
        if self.chance(0.02):
            params["request_timeout"] = self.seconds(0.3, 4)
        if self.chance(0.04):
            params["disable_fallbacks"] = True
        if len(self.names) > 1 and self.chance(0.03):
            params["fallbacks"] = [self.random.choice(self.names)]
        if params:
            request["params"] = params
        return request


def make(seed, index):
    maker = Maker(seed, index)
    case = maker.case()
    if "smart" not in case["config"]["router_settings"].get("model_group_alias", {}):
        for request in case["requests"]:
            if request["model"] == "smart":
                request["model"] = case["config"]["model_list"][0]["model_name"]
    return case
