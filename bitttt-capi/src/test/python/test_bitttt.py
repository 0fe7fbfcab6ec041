"""The Python package on the finished library. BITTTT_MODELS: folder of whole and broken models."""

import array
import errno
import math
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing
import unittest
from pathlib import Path

import bitttt
from bitttt import BittttError, Model, Session, TTTLayer

try:
    import numpy
except ImportError:
    numpy = None

MODELS = Path(os.environ["BITTTT_MODELS"])
ENDLESS = 2**31 - 1


class BittttTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = Model()

    @classmethod
    def tearDownClass(cls):
        cls.model.close()

    def assert_error(self, code, words, function, *arguments, **named):
        with self.assertRaises(BittttError) as caught:
            function(*arguments, **named)
        self.assertIn(words, str(caught.exception))
        self.assertEqual(code, caught.exception.code)


class Models(BittttTest):
    def test_says_what_it_is(self):
        description = self.model.describe()
        self.assertEqual("stories-256x4", description["name"])
        self.assertEqual(self.model.vocabulary, description["config"]["vocab_size"])
        self.assertGreater(description["parameters"], 100_000)
        self.assertIn("stories-256x4", repr(self.model))
        self.assertIn("Java", bitttt.version())
        self.assertIn("kernels", bitttt.kernels())

    def test_text_and_ids(self):
        text = "Once upon a time, Zoë saw a 🐈.\0<|endoftext|>Tim"
        ids = self.model.encode(text)
        self.assertEqual(text, self.model.decode(ids))
        self.assertEqual([], self.model.encode(""))
        self.assertEqual("", self.model.decode([]))
        long = "a cat sat. " * 3000
        self.assertEqual(long, self.model.decode(self.model.encode(long)))
        # Half a surrogate pair costs itself.
        self.assertEqual("a\ufffd🐈", self.model.decode(self.model.encode("a\ud800🐈")))

    def test_no_id_and_no_text_is_guessed(self):
        for ids in ([2**40], [2**32 + 5], [-(2**31) - 1]):
            self.assert_error(1, "token ids are 0 to 2047, got", self.model.decode, ids)
            self.assertRaises(ValueError, self.model.decode, ids)
        for ids in ([1.5], "12", ["1"], [None], None, 5, [True]):
            self.assertRaises(TypeError, self.model.decode, ids)
        self.assertEqual(self.model.decode([3, 4]), self.model.decode(iter((3, 4))))
        for text in (5, None, b"a", ["a"]):
            self.assertRaises(TypeError, self.model.encode, text)

    def test_wrong_folders(self):
        self.assert_error(3, "neither a model folder or file nor a name", Model, "no-such-model")
        self.assert_error(3, "model.safetensors", Model, MODELS / "truncated")
        self.assert_error(3, "config.json", Model, MODELS / "wrong-config")
        self.assert_error(3, "no tokenizer here", Model, MODELS / "no-tokenizer")
        self.assertRaises(ValueError, Model, "a\0b")
        self.assertRaises(FileNotFoundError, Model, "no-such-model")
        self.assertRaises(TypeError, Model, None)
        self.assertRaises(TypeError, bitttt.init, 5)
        self.assertRaises(TypeError, Session, 5)
        with Model(MODELS / "whole") as same:
            self.assertEqual(self.model.describe()["fingerprint"], same.describe()["fingerprint"])

    def test_use_after_close(self):
        model = Model()
        with model:
            session = model.session()
        self.assertTrue(model.closed)
        model.close()
        self.assert_error(2, "a model is needed", model.encode, "a")
        session.feed([1])
        session.close()
        self.assert_error(2, "a session is needed", session.feed, [1])
        self.assertIn("closed", repr(session) + repr(model))


class Sessions(BittttTest):
    def test_feed_fork_reset(self):
        with self.model.session() as session:
            ids = self.model.encode("Tim had a red ball.")
            first = list(session.feed(ids))
            self.assertEqual(self.model.vocabulary, len(first))
            self.assertTrue(all(map(math.isfinite, first)))
            with session.fork() as copy:
                self.assertEqual(len(ids), copy.position)
                after = list(session.feed([5]))
                self.assertEqual(after, list(copy.feed([5])))
            session.reset()
            self.assertEqual(0, session.position)
            self.assertEqual(first, list(session.feed(ids)))
            self.assert_error(1, "at least 1 token", session.feed, [])
            self.assert_error(1, "token ids are 0 to", session.feed, [10**6])

    def test_output_memory(self):
        text = "12:00 job 7 done\n12:01 job 8 done\n" * 8
        with tempfile.TemporaryDirectory() as folder, self.model.session(output_memory="standard") as session:
            session.learn(text)
            gain = session.describe()["output_memory"]
            self.assertEqual(len(self.model.encode(text)) - 1, gain["tokens"])
            self.assertLess(gain["nats"], 0.7 * gain["frozen_nats"])
            file = Path(folder) / "log.memory"
            session.save_memory(file)
            with session.fork() as copy, self.model.session(output_memory="standard") as loaded:
                loaded.load_memory(file)
                after = list(session.feed([5]))
                self.assertEqual(after, list(copy.feed([5])))
                self.assertEqual(after, list(loaded.feed([5])))
            session.reset()
            self.assertEqual(gain["tokens"] + 1, session.describe()["output_memory"]["tokens"])
            session.reset_output()
            self.assertEqual({"tokens": 0, "frozen_nats": 0, "nats": 0}, session.describe()["output_memory"])
        with self.model.session() as plain:
            plain.reset_output()
            self.assertNotIn("output_memory", plain.describe())
        self.assert_error(1, "standard or counts, got much", self.model.session, output_memory="much")
        self.assert_error(1, "a window is for attention, got 256", self.model.session, window=256)
        self.assertRaises(TypeError, self.model.session, output_memory=5)
        self.assertRaises(TypeError, self.model.session, window=1.5)

    def test_memory_files(self):
        with tempfile.TemporaryDirectory() as folder, self.model.session() as one, self.model.session() as other:
            file = Path(folder) / "tim.memory"
            self.assertEqual(0, one.learn(""))
            self.assertGreater(one.learn("Tim had a red ball. " * 300), 1024)
            one.save_memory(file)
            other.load_memory(file)
            self.assertEqual(one.describe()["memory_norms"], other.describe()["memory_norms"])
            self.assertEqual(list(one.feed([7])), list(other.feed([7])))
            # Which file, and why, by the names that Python has for it.
            none = Path(folder) / "none"
            with self.assertRaises(FileNotFoundError) as caught:
                one.load_memory(none)
            self.assertIsInstance(caught.exception, BittttError)
            self.assertEqual((3, errno.ENOENT, f"{none}: no such file"),
                             (caught.exception.code, caught.exception.errno, str(caught.exception)))
            copied = pickle.loads(pickle.dumps(caught.exception))
            self.assertEqual((type(caught.exception), 3, str(caught.exception)), (type(copied), copied.code, str(copied)))
            with self.assertRaises(FileNotFoundError) as caught:
                one.save_memory(none / "x")
            self.assertIn("is not there; make it first", str(caught.exception))
            self.assert_error(3, "is a folder; name a file", one.save_memory, folder)
            self.assertRaises(OSError, one.load_memory, folder)
            self.assertRaises(TypeError, one.load_memory, 5)

    def test_threads(self):
        texts, errors = {}, []

        def write(name):
            try:
                with self.model.session() as session:
                    texts[name] = "".join(session.generate("One day", max_new_tokens=60))
            except Exception as error:  # pylint: disable=broad-except
                errors.append(error)

        threads = [threading.Thread(target=write, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], errors)
        self.assertEqual(1, len(set(texts.values())))
        self.assertEqual(8, len(texts))


class Generations(BittttTest):
    def test_pieces(self):
        with self.model.session() as session:
            generation = session.generate("Once upon a time", max_new_tokens=40)
            pieces = list(generation)
            self.assertTrue(all(pieces))
            self.assertIn(generation.end, ("limit", "end_of_text"))
            session.reset()
            self.assertEqual("".join(pieces), "".join(session.generate("Once upon a time", max_new_tokens=40)))
            session.reset()
            other = "".join(session.generate("Once upon a time", max_new_tokens=40, seed=2))
            self.assertNotEqual("".join(pieces), other)
            self.assertEqual([], list(generation))
        self.assert_error(1, "temperature must be", Session(self.model).generate, "a", temperature=-1)

    def test_no_option_is_guessed(self):
        session = Session(self.model)
        nan, inf = math.nan, math.inf
        for name, values in {
            "max_new_tokens": ("5", nan, 1.5, True), "top_k": ("5", 1.5), "seed": ("1", 1.5),
            "temperature": ("1", True, b"1", [1]), "top_p": ("1",), "stop": (5, [None], b"a"), "echo": (1, "true"),
            "eos_token_id": ("1", [1.5], 1.5),
        }.items():
            for value in values:
                with self.subTest(name=name, value=value), self.assertRaisesRegex(TypeError, f"{name} must be"):
                    session.generate("a", **{name: value})
        for name, value in (("temperature", nan), ("temperature", inf), ("repetition_penalty", inf), ("temperature", 10**400)):
            self.assert_error(1, f"{name} must be finite", session.generate, "a", **{name: value})
        for name, value in (("max_new_tokens", 2**32 + 5), ("seed", 2**64 + 1), ("eos_token_id", 2**32 + 5), ("top_k", -1)):
            self.assert_error(1, f"{name} must be", session.generate, "a", **{name: value})
        self.assertRaises(TypeError, session.generate, 5)
        self.assertRaises(TypeError, session.generate, "a", limit=5)
        if numpy is not None:
            some = session.generate("Once", max_new_tokens=numpy.int64(3), temperature=numpy.float32(0.5))
            self.assertGreater(len("".join(some)), 0)

    def test_every_option_has_a_name(self):
        defaults = self.model.describe()["generation_config"]
        with self.model.session() as session:
            whole = "".join(session.generate("Once upon a time", max_new_tokens=40))
        with self.model.session() as session:
            self.assertEqual(whole, "".join(session.generate("Once upon a time", **{**defaults, "max_new_tokens": 40})))
        stop = whole[20:24]
        with self.model.session() as session:
            generation = session.generate("Once upon a time", max_new_tokens=40, stop=["no such text", stop], echo=True)
            self.assertEqual("Once upon a time" + whole[: whole.index(stop)], "".join(generation))
            self.assertEqual("stop_text", generation.end)

    def test_chat(self):
        def said(write, *arguments, **named):
            return "".join(write(*arguments, max_new_tokens=9, seed=3, **named))

        with self.model.session() as session, self.model.session() as other:
            for line in ("Once upon a time", " there was", "a cat \ud83d"):
                self.assertEqual(said(other.generate, line), said(session.chat, line))
        with self.model.session() as session, self.model.session() as other:
            messages = [{"role": "system", "content": "Once upon"}, {"role": "user", "content": "a time"}]
            self.assertEqual(said(other.generate, "Once upon\na time"), said(session.chat, messages, top_k=None))
            for wrong in (5, [5], [{"role": "user"}], [{"role": "user", "content": 5}], [{**messages[0], "name": "x"}]):
                with self.assertRaises(TypeError):
                    session.chat(wrong)
            with self.assertRaisesRegex(TypeError, r"chat\(\) has no option 'warm'; there are max_new_tokens, "):
                session.chat("Hello", warm=1)
            self.assert_error(1, "messages must be a JSON array of at least one, got []", session.chat, [])

    def test_stopped_in_the_middle(self):
        with self.model.session() as session:
            generation = session.generate("Once", max_new_tokens=ENDLESS)
            next(generation)
            generation.close()
            self.assertEqual([], list(generation))
            generation = session.generate("Once", max_new_tokens=ENDLESS)
            next(generation)
            threading.Thread(target=session.cancel).start()
            deadline = time.monotonic() + 30
            for _ in generation:
                self.assertLess(time.monotonic(), deadline)
            self.assertIn(generation.end, ("cancelled", "end_of_text"))
            self.assertGreater(session.position, 1)

    @unittest.skipIf(sys.platform == "win32", "signals of this kind are of POSIX")
    def test_keyboard_interrupt(self):
        # A shell that runs tests in the background lets its children ignore it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with self.model.session() as session:
            ids = self.model.encode("Tim had a red ball.")
            timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
            with self.assertRaises(KeyboardInterrupt):
                timer.start()
                while True:
                    for _ in session.generate("Once", max_new_tokens=1000):
                        pass
            session.feed(ids)
            timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
            with self.assertRaises(KeyboardInterrupt):
                timer.start()
                session.feed(ids * 400_000)
            session.reset()
            self.assertEqual(self.model.vocabulary, len(session.feed(ids)))
        self.assertIs(signal.default_int_handler, signal.getsignal(signal.SIGINT))

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork here")
    def test_fork(self):
        child = os.fork()
        if child == 0:
            try:
                self.model.encode("a")
            except BittttError as error:
                os._exit(0 if error.code == 9 and "spawn" in str(error) else 2)
            os._exit(1)
        self.assertEqual(0, os.waitpid(child, 0)[1])


class Layers(BittttTest):
    ROWS = array.array("f", (math.sin(i) for i in range(6 * 64)))

    def test_reads_what_there_is(self):
        with TTTLayer(64, 0.1, seed=3) as layer:
            output = layer.forward(self.ROWS)
            self.assertEqual(len(self.ROWS), len(output))
            # The memory is empty at the first row.
            self.assertEqual(list(self.ROWS[:64]), list(output[:64]))
            self.assertNotEqual(list(self.ROWS[64:]), list(output[64:]))
            self.assertEqual(list(output), list(layer(list(self.ROWS))))
            self.assertEqual(list(output), list(layer(array.array("f", self.ROWS))))
            self.assertEqual(0, len(layer(array.array("f"))))
            with TTTLayer(64, 0.1, seed=3) as same, TTTLayer(64, 0.1, seed=4) as other, TTTLayer(64) as unseeded:
                self.assertEqual(list(output), list(same(self.ROWS)))
                self.assertNotEqual(list(output), list(other(self.ROWS)))
                self.assertNotEqual(list(output), list(unseeded(self.ROWS)))

    @unittest.skipIf(numpy is None, "numpy is absent")
    def test_numpy_in_place(self):
        rows = numpy.array(self.ROWS, dtype=numpy.float32).reshape(6, 64)
        with TTTLayer(64, seed=3) as layer:
            output = layer(rows)
            self.assertEqual((6, 64), output.shape)
            self.assertTrue(numpy.array_equal(output, layer(rows.astype(numpy.float64))))
            self.assertTrue(numpy.array_equal(output, layer(numpy.asfortranarray(rows))))
            self.assertIs(rows, layer(rows, out=rows))
            self.assertTrue(numpy.array_equal(output, rows))
            self.assertRaises(ValueError, layer, rows, out=numpy.empty((6, 64)))
            self.assertRaises(ValueError, layer, rows, out=numpy.empty((5, 64), numpy.float32))

    @unittest.skipIf(numpy is None, "numpy is absent")
    def test_shapes(self):
        """Each of these once gave wrong numbers without a word."""
        layer = TTTLayer(8, seed=1)
        for shape in ((8, 7), (0, 7), (2, 5, 8), (), (1, 1, 8)):
            with self.subTest(shape=shape), self.assertRaisesRegex(ValueError, r"rows must have the shape \[n, 8\].*got"):
                layer.forward(numpy.zeros(shape, "f4"))
        for rows in ([None] * 8, numpy.zeros(8, complex), "abcdefgh", b"x" * 32):
            self.assertRaises(TypeError, layer.forward, rows)
        self.assertRaises(ValueError, layer.forward, [1e300] * 8)
        self.assertRaises(ValueError, layer.forward, [[1] * 8, [1]])
        rows = numpy.ones((8, 8), "f4")
        self.assertRaises(ValueError, layer.forward, rows, numpy.empty(64, "f4"))
        self.assert_error(1, "the same or lie apart", layer.forward, rows[:4], out=rows[1:5])
        self.assertEqual((0, 8), layer.forward(numpy.zeros((0, 8))).shape)
        self.assertTrue(numpy.array_equal(layer(numpy.ones((2, 8), int)), layer([[1.0] * 8] * 2)))

    def test_no_number_is_cut(self):
        for arguments in ((8.0,), ("8",), (True,), (None,), (8, "0.1"), (8, None), (8, 0.1, 1.5), (8, 0.1, "a")):
            with self.subTest(arguments=arguments), self.assertRaises(TypeError):
                TTTLayer(*arguments)
        for arguments in ((2**32 + 8,), (2**64 + 8,), (-1,), (65537,), (8, 1e300), (8, math.inf), (8, 0.1, 2**64 + 1)):
            with self.subTest(arguments=arguments), self.assertRaises(ValueError):
                TTTLayer(*arguments)
        with self.assertRaises(AttributeError):
            TTTLayer(8).hidden_dim = 4

    def test_what_with_gives_has_a_type(self):
        for kind in (Model, Session, TTTLayer):
            hints = typing.get_type_hints(kind.__enter__)
            self.assertIsInstance(hints["return"], typing.TypeVar)
            self.assertEqual(hints["self"], hints["return"])

    def test_wrong_uses(self):
        self.assert_error(1, "hidden_dim must be 4 to", TTTLayer, 3)
        self.assertRaises(ValueError, TTTLayer, -1)
        self.assert_error(1, "inner_lr must be finite", TTTLayer, 64, math.nan)
        layer = TTTLayer(64)
        self.assertRaises(ValueError, layer, array.array("f", [1.0] * 63))
        layer.close()
        layer.close()
        self.assert_error(2, "closed", layer, self.ROWS)


class Shutdown(unittest.TestCase):
    def test_in_a_process_of_its_own(self):
        """Nothing but what the program prints comes out of standard output; after shutdown all begins anew."""
        program = (
            "import bitttt\n"
            "model = bitttt.Model()\n"
            "bitttt.shutdown()\n"
            "try:\n"
            "    model.encode('a')\n"
            "except bitttt.BittttError as error:\n"
            "    print(error.code)\n"
            "print(len(bitttt.Model().session().generate('Once', max_new_tokens=5).__next__()) > 0)\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual("2\nTrue\n", done.stdout, done.stderr)
        self.assertEqual(0, done.returncode, done.stderr)


if __name__ == "__main__":
    unittest.main()
