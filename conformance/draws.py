"""The one stream of random numbers that routing uses, and the record of what was asked of it."""

import math
import random

SCALE = 1_000_000


def seeded(seed):
    """Numbers in [0, 1) with six decimals."""
    generator = random.Random(seed)
    while True:
        yield math.floor(generator.random() * SCALE) / SCALE


class Draws:
    """Stands in for the module ``random`` in LiteLLM's routing modules."""

    def __init__(self, numbers, now, current_request):
        self._numbers = numbers
        self._now = now
        self._current_request = current_request
        self.record = []

    def _draw(self, purpose, **what):
        u = next(self._numbers)
        entry = {"t": self._now(), "for": purpose, "u": u, **what}
        request = self._current_request()
        if request is not None:
            entry["request"] = request
        self.record.append(entry)
        return u

    def _below(self, purpose, n):
        return math.floor(self._draw(purpose, n=n) * n)

    def choice(self, candidates):
        return candidates[self._below("pick", len(candidates))]

    def choices(self, candidates, weights):
        sums = []
        total = 0.0
        for weight in weights:
            total += weight
            sums.append(total)
        u = self._draw("pick", weights=list(weights))
        index = sum(1 for s in sums if s <= u * total)
        return [candidates[min(index, len(candidates) - 1)]]

    def sample(self, items, k):
        pool = list(items)
        result = []
        for n in range(len(pool), len(pool) - k, -1):
            j = self._below("order", n)
            result.append(pool[j])
            pool[j] = pool[n - 1]
        return result

    def random(self):
        return self._draw("retry-jitter")

    def client_jitter(self):
        return self._draw("client-jitter")
