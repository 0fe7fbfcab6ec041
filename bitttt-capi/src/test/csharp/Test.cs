// The C# class on the finished library. Argument: folder of whole and broken models.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using BitTtt;

static class Test
{
    static void Expect(bool condition, string what)
    {
        if (!condition)
        {
            Console.Error.WriteLine("not so: " + what);
            Environment.Exit(1);
        }
    }

    static void ExpectError(int code, string words, Action action)
    {
        try
        {
            action();
        }
        catch (BitttException error)
        {
            Expect(error.Code == code && error.Message.Contains(words), "error " + code + " with \"" + words + "\", got " + error.Code + ": " + error.Message);
            return;
        }
        Expect(false, "an error with \"" + words + "\"");
    }

    /// <summary>Calls that are refused before the library is asked.</summary>
    static void ExpectRefusal(params Action[] actions)
    {
        for (int i = 0; i < actions.Length; i++)
        {
            try
            {
                actions[i]();
            }
            catch (ArgumentException error)
            {
                Expect(!string.IsNullOrEmpty(error.ParamName), "the argument's name in " + error.Message);
                continue;
            }
            Expect(false, "a refusal of action " + i);
        }
    }

    static Sampling With(double? temperature = null, string stop = "")
    {
        Sampling sampling = new Sampling();
        sampling.Temperature = temperature;
        sampling.Stop = new[] { stop };
        return sampling;
    }

    static void Main(string[] arguments)
    {
        string models = arguments[0];
        Library.Init();
        Expect(Library.Version.Contains("Java") && Library.Kernels.Contains("kernels"), "version and kernels");
        using (Model model = new Model())
        {
            Models(model, models);
            Sessions(model);
            OutputMemories(model);
            Threads(model);
        }
        Layers();
        Cost();
        // Mono's own use of signals still works.
        object nothing = null;
        try
        {
            nothing.ToString();
            Expect(false, "a NullReferenceException");
        }
        catch (NullReferenceException)
        {
        }
        Library.Shutdown();
        Console.WriteLine("ok");
    }

    static void Models(Model model, string models)
    {
        string text = "Once upon a time, Zoë saw a 🐈.";
        Expect(model.Decode(model.Encode(text)) == text, "the text comes back");
        Expect(model.Describe().Contains("stories-256x4"), "description");
        ExpectError(3, "neither a model folder", () => new Model("no-such-model"));
        ExpectError(3, "model.safetensors", () => new Model(Path.Combine(models, "truncated")));
        ExpectError(3, "config.json", () => new Model(Path.Combine(models, "wrong-config")));
        ExpectRefusal(() => new Model(null), () => new Model("a\0b"), () => Library.Init("a\0b"),
            () => Library.Echo(null, new float[1]), () => Library.Echo(new float[1], new float[2]), () => model.Encode(null),
            () => model.Decode(null));
        Model closed = new Model(Path.Combine(models, "whole"));
        closed.Dispose();
        closed.Dispose();
        ExpectError(2, "a model is needed", () => closed.Encode("a"));
    }

    static void Sessions(Model model)
    {
        using (Session session = model.NewSession())
        {
            Sampling sampling = new Sampling();
            sampling.MaxNewTokens = 30;
            string story = string.Concat(session.Generate("Once upon a time", sampling));
            Expect(story.Length > 20, "a story");
            session.Reset();
            Expect(story == string.Concat(session.Generate("Once upon a time", sampling)), "the same story");
            // Whoever stops enumerating stops the writing.
            sampling.MaxNewTokens = int.MaxValue;
            Expect(session.Generate("Once", sampling).Take(3).Count() == 3, "three pieces");
            session.Reset();
            Expect(session.Learn("Tim had a red ball.") > 3, "tokens");
            string file = Path.GetTempFileName();
            session.SaveMemory(file);
            using (Session copy = session.Fork())
            using (Session loaded = model.NewSession())
            {
                loaded.LoadMemory(file);
                float[] logits = session.Feed(5);
                Expect(logits.Length == model.Vocabulary && logits.SequenceEqual(copy.Feed(5)), "a fork knows the same");
                Expect(logits.SequenceEqual(loaded.Feed(5)), "so does a loaded memory");
            }
            File.Delete(file);
            ExpectError(1, "at least 1 token", () => session.Feed());
            ExpectError(3, file + ": no such file", () => session.LoadMemory(file));
            ExpectError(3, "is not there; make it first", () => session.SaveMemory(Path.Combine(file, "x")));
            ExpectRefusal(() => session.LoadMemory(null), () => session.SaveMemory("a\0b"), () => session.Feed(null),
                () => session.Learn(null), () => session.Generate(null), () => session.Generate("a", null),
                () => session.Generate("a", With(temperature: double.NaN)), () => session.Generate("a", With(stop: null)));
            sampling.TopP = 2;
            ExpectError(1, "top_p must be", () => session.Generate("a", sampling).Count());
        }
    }

    static void OutputMemories(Model model)
    {
        using (Session session = model.NewSession("standard"))
        {
            session.Learn("12:00 job 7 done\n12:01 job 8 done\n12:02 job 9 done\n");
            string file = Path.GetTempFileName();
            session.SaveMemory(file);
            using (Session copy = session.Fork())
            using (Session loaded = model.NewSession("standard"))
            {
                loaded.LoadMemory(file);
                float[] logits = session.Feed(5);
                Expect(logits.SequenceEqual(copy.Feed(5)), "a fork has the memory at the output");
                Expect(logits.SequenceEqual(loaded.Feed(5)), "so has a file");
            }
            File.Delete(file);
            session.Reset();
            Expect(!session.Describe().Contains("\"output_memory\":{\"tokens\":0,"), "it is kept");
            session.ResetOutput();
            Expect(session.Describe().Contains("\"output_memory\":{\"tokens\":0,"), "it is emptied");
        }
        ExpectError(1, "standard or counts, got much", () => model.NewSession("much"));
        ExpectError(1, "a window is for attention, got 256", () => model.NewSession(null, 256));
    }

    static void Threads(Model model)
    {
        string[] texts = new string[8];
        List<Thread> threads = Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            using (Session session = model.NewSession())
            {
                Sampling sampling = new Sampling();
                sampling.MaxNewTokens = 30;
                texts[i] = string.Concat(session.Generate("One day", sampling));
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Expect(texts.Distinct().Count() == 1 && texts[0].Length > 0, "eight threads write the same");
    }

    static void Layers()
    {
        float[] rows = Enumerable.Range(0, 6 * 64).Select(i => (float)Math.Sin(i)).ToArray();
        using (TttLayer layer = new TttLayer(64, 0.1f, 3))
        using (TttLayer same = new TttLayer(64, 0.1f, 3))
        {
            float[] output = layer.Forward(rows);
            Expect(output.Take(64).SequenceEqual(rows.Take(64)) && !output.SequenceEqual(rows), "an empty memory at first");
            Expect(output.SequenceEqual(same.Forward(rows)), "same seed, same output");
        }
        ExpectRefusal(() => new TttLayer(3, 0.1f), () => new TttLayer(-1, 0.1f), () => new TttLayer(65537, 0.1f, 1),
            () => new TttLayer(64, float.NaN), () => new TttLayer(64, float.PositiveInfinity, 1));
        TttLayer closed = new TttLayer(64, 0.1f);
        ExpectRefusal(() => closed.Forward(null), () => closed.Forward(new float[63]));
        closed.Dispose();
        ExpectError(2, "this layer is closed", () => closed.Forward(rows));
    }

    static void Cost()
    {
        float[] from = new float[768];
        float[] to = new float[768];
        double best = double.MaxValue;
        for (int round = 0; round < 20; round++)
        {
            Stopwatch watch = Stopwatch.StartNew();
            for (int i = 0; i < 5000; i++)
            {
                Library.Echo(from, to);
            }
            best = Math.Min(best, watch.Elapsed.TotalMilliseconds * 1e6 / 5000);
        }
        Console.Error.WriteLine("a call with 768 floats: {0:F0} ns", best);
    }
}
