"""Wide random cases: every setting that routing reads may meet every other one.

``random_cases`` makes what operators would write. These are for the corners: rare settings are common here, settings
that make no sense together come together, and names and texts are chosen where LiteLLM takes a special turn.
"""

import copy
import random

import random_cases
from random_cases import FAILURES, STRATEGIES

GROUPS = ("gpt-4", "mini", "backup", "spare")
POLICY_CLASSES = (
    "BadRequestError",
    "AuthenticationError",
    "TimeoutError",
    "RateLimitError",
    "ContentPolicyViolationError",
    "InternalServerError",
)
# Known since 1.109; an earlier release that meets one of them takes no notice.
LATER_CLASSES = ("ServiceUnavailableError", "NotFoundError")
STATUSES = (402, 403, 405, 409, 410, 413, 415, 418, 424, 425, 451, 498, 499, 501, 520, 529)
TEXTS = (
    (500, None, "Rate limit reached for this organization."),
    (503, None, "Upstream said 429."),
    (429, None, "Slow down."),
    (500, None, "The server had an error processing your request."),
    (503, None, "Request timed out."),
    (504, None, "A timeout occurred."),
    (400, None, "invalid_request_error: model_not_found"),
    (400, "context_length_exceeded", "Too long."),
    (400, None, "prompt is longer than the model's context length"),
    (400, None, "request was rejected as a result of the safety system"),
    (401, None, "invalid_request_error: no such key"),
    (404, None, "invalid_request_error: no such model"),
    (500, None, "Request too large for this model."),
)
RETRY_AFTER = ("0", "1", "2", "3", "7", "20", "60", "61", "120", "-1", "1.9", "soon", "Fri, 15 Jan 2027 08:01:00 GMT")
REGIONS = ("eu", "us")
TAGS = ("free", "paid", "batch")


class Maker(random_cases.Maker):
    def __init__(self, seed, index):
        super().__init__(seed, index)
        self.random = random.Random(f"wide/{seed}/{index}")
        self.name = f"wide-{seed}-{index:03d}"

    def case(self):
        self.strategy = self.weighted(STRATEGIES)
        self.names = GROUPS[: self.weighted(((1, 1), (2, 4), (3, 5), (4, 2)))]
        self.span = self.random.choice((30, 45, 60, 90, 140, 200, 300))
        self.precall = self.chance(0.35)
        self.enforce = self.chance(0.3)
        self.limited = self.enforce or self.chance(0.4)
        self.levels = self.chance(0.3)
        self.weights = self.chance(0.4)
        self.streams = self.chance(0.35)
        self.tagged = self.chance(0.2)
        self.regions = self.precall and self.chance(0.25)
        self.budgets = self.chance(0.12)
        self.wildcard = self.chance(0.12)
        self.entry = "sdk" if self.chance(0.3) else "proxy"
        self.aliases = self.alias_map() if self.chance(0.3) else {}
        self.outages = [self.window(0.0) for _ in range(self.random.choice((0, 1, 1, 2)))]
        models = self.models()
        self.ids = [m["model_info"]["id"] for m in models]
        return {
            "format": 1,
            "name": self.name,
            "about": f"generated: {self.strategy}, {len(models)} deployments in {len(self.names)} groups, settings mixed",
            "entry": self.entry,
            "seed": self.seed,
            "start": 1800000000.0 + self.random.choice((0, 13, 17, 31, 41, 47, 58)),
            "config": self.config(models),
            "upstreams": {name: self.upstream() for name in dict.fromkeys(self.ids)},
            "requests": self.requests(),
        }

    def alias_map(self):
        aliases = {"smart": self.random.choice(self.names)}
        if self.chance(0.3):
            aliases["hidden"] = {"model": self.random.choice(self.names), "hidden": True}
        if self.chance(0.15):  # an alias goes before the group of its name
            aliases[self.names[-1]] = self.names[0]
        return aliases

    def models(self):
        models = super().models()
        if self.wildcard:
            for i in range(self.random.randint(1, 2)):
                models.append(self.deployment("openai/*", f"star-{i + 1}"))
        if len(models) > 1 and self.chance(0.05):  # two entries that are one deployment
            models.append(copy.deepcopy(models[-1]))
        return models

    def deployment(self, group, name):
        entry = super().deployment(group, name)
        params, info = entry["litellm_params"], entry["model_info"]
        if group == "openai/*":
            params["model"] = group
        elif self.chance(0.1):
            params["model"] = f"openai/{name}"
        if self.weights and self.chance(0.25):
            params["weight"] = self.random.choice((0, 0.5, 1.5))
        if self.limited and self.chance(0.1):
            entry[self.random.choice(("rpm", "tpm"))] = self.random.choice((4, 600, 3000))
        if self.limited and self.chance(0.1):
            info[self.random.choice(("rpm", "tpm"))] = self.random.choice((3, 400, 3000))
        if self.chance(0.05):
            params["max_parallel_requests"] = 0
        if self.chance(0.06):
            info["order"] = self.random.choice((1, 2))
        if self.chance(0.06):
            params["request_timeout"] = self.seconds(0.8, 4)
        if self.chance(0.06):
            params["max_retries"] = 2
        if self.chance(0.08):
            params["cooldown_time"] = self.random.choice((-1, 0.5, 2.5, 90))
        if self.chance(0.05):
            info["cooldown_time"] = self.random.choice((-1, 1.5))
        if self.chance(0.08):
            info["allowed_fails_policy"] = self.policy("AllowedFails", 0, 3)
        if self.chance(0.04):
            info["blocked"] = True
        if self.regions and self.chance(0.8):
            params["region_name"] = self.random.choice(REGIONS)
        if self.tagged and self.chance(0.8):
            params["tags"] = self.random.sample((*TAGS, "default"), self.random.randint(1, 2))
        if self.budgets:
            params["input_cost_per_token"] = self.random.choice((0.001, 0.002))
            params["output_cost_per_token"] = self.random.choice((0.001, 0.003))
            if self.chance(0.7):
                params["max_budget"] = self.random.choice((0.1, 0.5, 1.5, 4))
                params["budget_duration"] = self.random.choice(("10s", "30s", "1m", "1h"))
        return entry

    def policy(self, suffix, low, high):
        classes = POLICY_CLASSES + (LATER_CLASSES if self.chance(0.3) else ())
        picked = self.random.sample(classes, self.random.randint(1, 4))
        return {f"{name}{suffix}": self.random.randint(low, high) for name in classes if name in picked}

    def config(self, models):
        config = super().config(models)
        router = config["router_settings"]
        settings = config.setdefault("litellm_settings", {})
        router.pop("model_group_alias", None)
        if self.aliases:
            router["model_group_alias"] = self.aliases
        if self.chance(0.15):
            router["retry_policy"] = self.policy("Retries", 0, 3)
        if self.chance(0.1):
            group = self.random.choice((*self.names, *self.aliases))
            router["model_group_retry_policy"] = {group: self.policy("Retries", 0, 2)}
        if self.chance(0.12):
            router["allowed_fails_policy"] = self.policy("AllowedFails", 0, 3)
        if self.chance(0.08):
            settings["allowed_fails"] = self.random.randint(0, 4)
        if self.chance(0.05):
            settings["cooldown_time"] = 1
        if self.chance(0.08):
            router["cooldown_time"] = self.random.choice((0, 0.5, 2.5))
        if self.chance(0.08):
            settings["num_retries"] = self.random.randint(0, 2)
        if self.chance(0.06):
            settings["num_retries_per_request"] = self.random.randint(1, 3)
        if self.chance(0.1):
            settings["max_fallbacks"] = self.random.randint(0, 2)
        if self.chance(0.08):
            router["default_litellm_params"] = self.random.choice(
                ({"timeout": 1.25}, {"stream_timeout": 0.75}, {"max_retries": 1}, {"temperature": 0.5})
            )
        if self.chance(0.06):
            router["request_timeout"] = 2  # not a Router argument
        if self.chance(0.08):
            router["retry_after"] = self.random.choice((0, 3, 9))
        if self.tagged:
            router["enable_tag_filtering"] = True
            if self.chance(0.4):
                router["tag_filtering_match_any"] = False
        arguments = router.get("routing_strategy_args", {})
        if self.strategy == "latency-based-routing":
            if self.chance(0.15):
                arguments["max_latency_list_size"] = self.random.choice((1, 2, 3))
            if self.chance(0.15):
                arguments["ttl"] = self.random.choice((20, 60))
            if self.chance(0.1):
                arguments["ttft_percentile"] = self.random.choice((0.5, 0.9))
        if arguments:
            router["routing_strategy_args"] = arguments
        if not settings:
            del config["litellm_settings"]
        return config

    def target(self, group):
        """A fallback target: a name, or a map that changes what comes after it too."""
        if self.chance(0.1):
            change = self.random.choice(({"timeout": 0.7}, {"temperature": 0.5}, {"num_retries": 1}, {}))
            return {"model": group, **change}
        return group

    def fallbacks(self, router, settings):
        callable_names = [*self.names, *self.aliases]

        def others(group):
            rest = [g for g in callable_names if g != group or self.chance(0.1)]
            picked = self.random.sample(rest, self.random.randint(1, min(3, len(rest)))) if rest else [group]
            return [self.target(g) for g in picked]

        def place():
            return settings if self.chance(0.3) else router

        chains = [{g: others(g)} for g in callable_names if self.chance(0.65)]
        if self.chance(0.15):
            chains.append({"*": others(self.random.choice(self.names))})
        if self.chance(0.08):
            chains.append({f"openai/{self.names[0]}": others(self.names[0])})
        if self.chance(0.06):
            chains.append({self.names[-1]: ["nowhere"]})
        if chains:
            place()["fallbacks"] = chains
        if self.chance(0.25):
            place()["default_fallbacks"] = self.random.sample(self.names, self.random.randint(1, 2))
        for kind in ("context_window_fallbacks", "content_policy_fallbacks"):
            if self.chance(0.3):
                keys = self.random.sample(callable_names, self.random.randint(1, 2))
                lists = [{key: others(key)} for key in keys]
                if self.chance(0.15):
                    lists.append({"*": others(self.names[0])})
                place()[kind] = lists
            elif self.chance(0.05):
                place()[kind] = []
        if self.chance(0.3):
            router["max_fallbacks"] = self.random.randint(0, 3)

    def window(self, moment):
        begin = self.seconds(moment, self.span)
        return (begin, round(begin + self.seconds(2, self.span / 2), 6))

    def upstream(self):
        script = super().upstream()
        if self.chance(0.08):
            script["default"]["completion_tokens"] = 0
        if self.chance(0.15):
            script["default"]["prompt_tokens"] = self.random.choice((1, 50, 500))
        # An outage strikes several deployments at once, each in its own way.
        for begin, until in self.outages:
            if self.chance(0.6):
                windows = script.setdefault("windows", [])
                window = {"from": begin, "until": until, "reply": self.trouble()}
                windows.insert(self.random.randint(0, len(windows)), window)
        return script

    def trouble(self):
        if self.chance(0.75):
            trouble = super().trouble()
        elif self.chance(0.5):
            trouble = {"status": self.random.choice(STATUSES), "after": self.seconds(0.01, 0.5)}
        else:
            status, code, message = self.random.choice(TEXTS)
            error = {"message": message} if code is None else {"code": code, "message": message}
            trouble = {"status": status, "error": error, "after": self.seconds(0.01, 0.5)}
        if trouble.get("status", 200) != 200 and self.chance(0.25):
            trouble["headers"] = {"retry-after": self.random.choice(RETRY_AFTER)}
        return trouble

    def requests(self):
        count = self.random.randint(20, 130)
        callers = [*self.names, *self.aliases]
        if self.wildcard:
            callers += ["openai/gpt-4o", "openai/gpt-4.1"]
        if self.chance(0.1):
            callers.append(self.random.choice(self.ids))
        if self.entry == "sdk" and self.chance(0.15):
            callers.append("nowhere")
        shares = [self.random.randint(1, 5) for _ in callers]
        moments = [self.seconds(0.1, self.span) for _ in range(count)]
        if self.chance(0.3):  # a burst
            begin = self.seconds(0.1, self.span)
            moments += [self.seconds(begin, begin + 1.5) for _ in range(self.random.randint(10, 40))]
        return [self.request(moment, self.random.choices(callers, shares)[0]) for moment in sorted(moments)]

    def request(self, moment, model):
        request = super().request(moment, model)
        params = request.pop("params", {})
        if self.chance(0.04):
            params["stream_timeout"] = self.seconds(0.3, 2)
        if self.chance(0.02):
            params["max_retries"] = self.random.randint(0, 2)
        if self.chance(0.03):
            params["fallbacks"] = self.own_fallbacks()
        if self.chance(0.02):
            kind = self.random.choice(("context_window_fallbacks", "content_policy_fallbacks"))
            params[kind] = [{self.random.choice((model, "*")): [self.random.choice(self.names)]}]
        if self.tagged and self.chance(0.6):
            params["metadata"] = {"tags": self.random.sample((*TAGS, "unheard-of"), self.random.randint(1, 2))}
        if self.regions and self.chance(0.5):
            params["allowed_model_region"] = self.random.choice(REGIONS)
        if params:
            request["params"] = params
        return request


    def own_fallbacks(self):
        names = self.random.sample(GROUPS, self.random.randint(0, 2))
        if self.chance(0.4):
            return names
        if self.chance(0.5):
            return [{"model": name, "temperature": 0.5} for name in names]
        return [{key: [self.target(self.random.choice(self.names))]} for key in (*names, "*")[:2]]


def make(seed, index):
    return Maker(seed, index).case()
