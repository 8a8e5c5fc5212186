"""A clock that only moves when every task of the event loop waits.

``install()`` must run before LiteLLM, httpx or openai are imported: it replaces the functions and
the ``datetime`` class they read the time from, so that names bound with ``from time import time``
or ``from datetime import datetime`` are virtual too.
"""

import asyncio
import collections
import contextvars
import datetime as datetime_module
import selectors
import threading
import time as time_module
from concurrent.futures import Future, ThreadPoolExecutor

EPOCH = datetime_module.datetime(1970, 1, 1, tzinfo=datetime_module.timezone.utc)
NAIVE_EPOCH = datetime_module.datetime(1970, 1, 1)
# Monotonic clocks start far from 0, as on a real machine: "never happened" is often stored as 0.
MONOTONIC_OFFSET = 100_000_000_000


class Clock:
    """Virtual time in whole microseconds after virtual time 0."""

    def __init__(self):
        self.start = 0
        self.now = 0

    def reset(self, start):
        """Begin at virtual time 0, which is ``start`` seconds after 1970 (UTC)."""
        self.start = round(start * 1_000_000)
        self.now = 0

    def seconds(self):
        return self.now / 1_000_000

    def unix(self):
        return (self.start + self.now) / 1_000_000

    def monotonic(self):
        return (MONOTONIC_OFFSET + self.now) / 1_000_000


clock = Clock()


class VirtualDatetime(datetime_module.datetime):
    @classmethod
    def now(cls, tz=None):
        passed = datetime_module.timedelta(microseconds=clock.start + clock.now)
        moment = NAIVE_EPOCH + passed if tz is None else (EPOCH + passed).astimezone(tz)
        return cls(
            moment.year,
            moment.month,
            moment.day,
            moment.hour,
            moment.minute,
            moment.second,
            moment.microsecond,
            moment.tzinfo,
        )

    @classmethod
    def utcnow(cls):
        return cls.now()

    @classmethod
    def today(cls):
        return cls.now()


_Thread = threading.Thread


def _run_to_the_end(function, args, kwargs):
    """Run in a real thread, which has no context and no event loop, and wait for it."""
    future = Future()

    def work():
        try:
            future.set_result(function(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)

    thread = _Thread(target=work, daemon=True)
    thread.start()
    thread.join()
    return future


class HandedOverThread(threading.Thread):
    """A thread that runs when the event loop next pauses, so that no race decides the outcome."""

    def start(self):
        if type(self) is HandedOverThread and self._target is not None and not self.daemon:
            hand_over_call(self._target, *self._args, **self._kwargs)
        else:
            super().start()


def _submit_waited(self, function, /, *args, **kwargs):
    return _run_to_the_end(function, args, kwargs)


async def _run_sync_handed_over(function, *arguments, abandon_on_cancel=False, cancellable=None, limiter=None):
    run = contextvars.copy_context().run
    return await asyncio.get_running_loop().run_in_executor(None, lambda: run(function, *arguments))


def install():
    time_module.time = clock.unix
    time_module.time_ns = lambda: (clock.start + clock.now) * 1000
    time_module.monotonic = clock.monotonic
    time_module.monotonic_ns = lambda: (MONOTONIC_OFFSET + clock.now) * 1000
    time_module.perf_counter = clock.monotonic
    time_module.perf_counter_ns = lambda: (MONOTONIC_OFFSET + clock.now) * 1000
    datetime_module.datetime = VirtualDatetime
    threading.Thread = HandedOverThread
    ThreadPoolExecutor.submit = _submit_waited
    # Imported here because it reads the clock that has just been replaced.
    import anyio.to_thread

    anyio.to_thread.run_sync = _run_sync_handed_over


def hand_over_call(function, /, *args, **kwargs):
    """For executors that are given work and never asked for its result."""
    asyncio.get_running_loop().hand_over(lambda: _run_to_the_end(function, args, kwargs))


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: when the loop has nothing to do, the clock jumps to its next timer.

    Work handed over to other threads is done first, in order: threads take no time, as code takes none.
    """

    def __init__(self):
        super().__init__()
        self.handed_over = collections.deque()

    def select(self, timeout=None):
        if self.handed_over:
            while self.handed_over:
                self.handed_over.popleft()()
            return super().select(0)
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("every task waits for something that no timer will bring about")
        # At least a tick: some timers look at the clock and set themselves anew when early.
        clock.now += max(1, round(timeout * 1_000_000))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        selector = _JumpingSelector()
        super().__init__(selector)
        self._handed_over = selector.handed_over
        self._clock_resolution = 1e-6  # a timer between two ticks is due at the nearer one

    def time(self):
        return clock.seconds()

    def hand_over(self, work):
        self._handed_over.append(work)

    def run_in_executor(self, executor, function, *args):
        result = self.create_future()

        # The work is done here and now, but whoever awaits it lets others go first, as with a thread.
        done = _run_to_the_end(function, args, {})
        if done.exception() is None:
            self.call_soon(result.set_result, done.result())
        else:
            self.call_soon(result.set_exception, done.exception())
        return result
