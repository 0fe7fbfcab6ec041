"""What the original engine's benchmark does: the memory's effect, then tokens per second of one layer. And what it takes to
start, and to call.

python benchmark.py
"""

import array
import math
import random
import statistics
import time

from bitttt import Model, TTTLayer, init, kernels
from bitttt._library import LIBRARY, check

RANDOM = random.Random(1)


def uniform(count: int) -> array.array:
    return array.array("f", (RANDOM.uniform(-1, 1) for _ in range(count)))


def start() -> None:
    """From nothing to the first words of a story."""
    begin = time.perf_counter()
    init()
    ready = time.perf_counter()
    with Model() as model, model.session() as session:
        loaded = time.perf_counter()
        next(session.generate("Once upon a time"))
        told = time.perf_counter()
    print(f"Java ready after {ready - begin:.2f} s, model loaded {loaded - ready:.2f} s later, first words {told - loaded:.2f} s")


def memory_effect(dim: int = 64, rate: float = 0.005) -> None:
    """Three vectors, read in the order 0, 1, 2, 0, 1, 2: how far each output is from its input."""
    vectors = [uniform(dim) for _ in range(3)]
    order = [0, 1, 2, 0, 1, 2]
    rows = array.array("f")
    for index in order:
        rows.extend(vectors[index])
    with TTTLayer(dim, rate, seed=1) as layer:
        output = layer(rows)
    print(f"memory effect, dim {dim}, rate {rate}: ||y - x|| of each token")
    for t, index in enumerate(order):
        distance = math.dist(list(output)[t * dim : (t + 1) * dim], rows[t * dim : (t + 1) * dim])
        print(f"  token {t} (vector {index}): {distance:.6f}")


def speed(dim: int = 128, tokens: int = 1000, rate: float = 0.1) -> None:
    """One call on random tokens: the first, and the median once Java has compiled what it runs."""
    rows = uniform(dim * tokens)
    try:
        import numpy

        rows = numpy.array(rows).reshape(tokens, dim)
    except ImportError:
        pass
    with TTTLayer(dim, rate, seed=1) as layer:
        start = time.perf_counter()
        layer(rows)
        first = time.perf_counter() - start
        end = time.perf_counter() + 6
        while time.perf_counter() < end:
            layer(rows)
        times = []
        for _ in range(200):
            start = time.perf_counter()
            layer(rows)
            times.append(time.perf_counter() - start)
    median, best = statistics.median(times), min(times)
    print(f"layer, dim {dim}, {tokens} tokens: first call {tokens / first:,.0f} tokens/s")
    print(f"  after 6 s, of 200 calls: median {tokens / median:,.0f}, best {tokens / best:,.0f} tokens/s")


def call_cost(count: int = 768) -> None:
    """bitttt_echo: floats to Java and back."""
    source, target = uniform(count), uniform(count)
    from_address, to_address = source.buffer_info()[0], target.buffer_info()[0]
    echo = LIBRARY.bitttt_echo
    for _ in range(50_000):
        echo(from_address, to_address, count)
    times = []
    for _ in range(200):
        start = time.perf_counter()
        for _ in range(500):
            echo(from_address, to_address, count)
        times.append((time.perf_counter() - start) / 500)
    check(echo(from_address, to_address, count))
    assert source == target
    print(f"a call with {count} floats: median {statistics.median(times) * 1e9:.0f}, best {min(times) * 1e9:.0f} ns")


if __name__ == "__main__":
    start()
    memory_effect()
    speed()
    call_cost()
    print(kernels())
