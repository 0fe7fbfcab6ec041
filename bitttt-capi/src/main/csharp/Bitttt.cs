// bitttt for C#: models, sessions and layers as IDisposable, errors as exceptions. Needs libbitttt where the runtime looks for
// native libraries: beside the program, or in LD_LIBRARY_PATH (PATH on Windows).
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

namespace BitTtt
{
    /// <summary>What the library answered: its code, as in bitttt.h, and its text.</summary>
    public sealed class BitttException : Exception
    {
        public int Code { get; private set; }

        /// <summary>Why a file could not be used, as errno.h numbers it: 2 it is not there, 13 it may not be used; else 0.</summary>
        public int Errno { get; private set; }

        internal BitttException(int code, string message, int errno = 0) : base(message)
        {
            Code = code;
            Errno = errno;
        }
    }

    /// <summary>What is checked of arguments before a call.</summary>
    internal static class Checks
    {
        internal static T Given<T>(string name, T value) where T : class
        {
            if (value == null)
            {
                throw new ArgumentNullException(name);
            }
            return value;
        }

        internal static byte[] Utf8(string name, string text)
        {
            return Encoding.UTF8.GetBytes(Given(name, text));
        }

        /// <summary>UTF-8 with a NUL behind it, for C, which ends strings at the first NUL.</summary>
        internal static byte[] CString(string name, string text)
        {
            if (Given(name, text).IndexOf('\0') >= 0)
            {
                throw new ArgumentException(name + " cannot hold a NUL, got \"" + text.Replace("\0", "\\0") + "\"", name);
            }
            return Encoding.UTF8.GetBytes(text + "\0");
        }

        internal static byte[] CStringOrNull(string name, string text)
        {
            return text == null ? null : CString(name, text);
        }

        internal static void Finite(string name, double? value)
        {
            if (value.HasValue && (double.IsNaN(value.Value) || double.IsInfinity(value.Value)))
            {
                throw new ArgumentOutOfRangeException(name, value, name + " must be finite");
            }
        }
    }

    /// <summary>How a text is written; what is null is as the model's generation_config says.</summary>
    public sealed class Sampling
    {
        /// <summary>0 takes the likeliest token.</summary>
        public double? Temperature;
        /// <summary>Only the k likeliest tokens; 0 for all.</summary>
        public int? TopK;
        /// <summary>Only the likeliest tokens of this total probability, above 0 and at most 1.</summary>
        public double? TopP;
        /// <summary>At least 1: what was seen becomes less likely.</summary>
        public double? RepetitionPenalty;
        /// <summary>At least 0: what would say again what was said becomes less likely.</summary>
        public double? SequencePenalty;
        /// <summary>Same seed, same text.</summary>
        public long? Seed;
        /// <summary>The most tokens to write.</summary>
        public int? MaxNewTokens;
        /// <summary>Texts that end the answer and are not part of it.</summary>
        public string[] Stop;
        /// <summary>Ids of tokens that end it.</summary>
        public int[] EosTokenId;
        /// <summary>Whether the prompt's own tokens come first.</summary>
        public bool? Echo;
        /// <summary>Whether the prompt is a JSON array of messages, [{"role": "user", "content": "Hello"}], which the chat format writes.</summary>
        public bool? Messages;

        /// <summary>The JSON object of the C functions.</summary>
        public string ToJson()
        {
            Checks.Finite("Temperature", Temperature);
            Checks.Finite("TopP", TopP);
            Checks.Finite("RepetitionPenalty", RepetitionPenalty);
            Checks.Finite("SequencePenalty", SequencePenalty);
            List<string> members = new List<string>();
            Add(members, "temperature", Temperature);
            Add(members, "top_k", TopK);
            Add(members, "top_p", TopP);
            Add(members, "repetition_penalty", RepetitionPenalty);
            Add(members, "sequence_penalty", SequencePenalty);
            Add(members, "seed", Seed);
            Add(members, "max_new_tokens", MaxNewTokens);
            if (Stop != null)
            {
                members.Add("\"stop\": [" + string.Join(", ", Array.ConvertAll(Stop, Quoted)) + "]");
            }
            if (EosTokenId != null)
            {
                members.Add("\"eos_token_id\": [" + string.Join(", ", EosTokenId) + "]");
            }
            if (Echo.HasValue)
            {
                members.Add("\"echo\": " + (Echo.Value ? "true" : "false"));
            }
            if (Messages.HasValue)
            {
                members.Add("\"messages\": " + (Messages.Value ? "true" : "false"));
            }
            return "{" + string.Join(", ", members) + "}";
        }

        private static void Add(List<string> members, string name, IFormattable value)
        {
            if (value != null)
            {
                string format = value is double ? "R" : null;
                members.Add("\"" + name + "\": " + value.ToString(format, CultureInfo.InvariantCulture));
            }
        }

        internal static string Quoted(string text)
        {
            StringBuilder json = new StringBuilder("\"");
            Checks.Given("Stop", text);
            foreach (char c in text)
            {
                if (c < ' ')
                {
                    json.Append("\\u").Append(((int)c).ToString("x4"));
                }
                else
                {
                    json.Append(c == '"' || c == '\\' ? "\\" : "").Append(c);
                }
            }
            return json.Append('"').ToString();
        }
    }

    /// <summary>The C functions.</summary>
    internal static class Native
    {
        private const string Library = "bitttt";
        internal const int Buffer = 4;

        [DllImport(Library)] internal static extern IntPtr bitttt_last_error();
        [DllImport(Library)] internal static extern int bitttt_last_errno();
        [DllImport(Library)] internal static extern int bitttt_init(byte[] javaHome, byte[] options);
        [DllImport(Library)] internal static extern int bitttt_shutdown();
        [DllImport(Library)] internal static extern int bitttt_version(byte[] buffer, UIntPtr capacity, out UIntPtr length);
        [DllImport(Library)] internal static extern int bitttt_kernels(byte[] buffer, UIntPtr capacity, out UIntPtr length);
        [DllImport(Library)] internal static extern int bitttt_echo(float[] input, float[] output, UIntPtr count);
        [DllImport(Library)] internal static extern int bitttt_model_load(byte[] name, out long model);
        [DllImport(Library)] internal static extern int bitttt_model_free(long model);
        [DllImport(Library)] internal static extern int bitttt_model_describe(long model, byte[] buffer, UIntPtr capacity, out UIntPtr length);
        [DllImport(Library)] internal static extern int bitttt_model_vocabulary(long model, out UIntPtr size);
        [DllImport(Library)] internal static extern int bitttt_encode(long model, byte[] text, UIntPtr bytes, int[] ids, UIntPtr capacity, out UIntPtr count);
        [DllImport(Library)] internal static extern int bitttt_decode(long model, int[] ids, UIntPtr count, byte[] buffer, UIntPtr capacity, out UIntPtr length);
        [DllImport(Library)] internal static extern int bitttt_session_new(long model, out long session);
        [DllImport(Library)] internal static extern int bitttt_session_open(long model, byte[] options, out long session);
        [DllImport(Library)] internal static extern int bitttt_session_fork(long session, out long copy);
        [DllImport(Library)] internal static extern int bitttt_session_reset(long session);
        [DllImport(Library)] internal static extern int bitttt_session_reset_output(long session);
        [DllImport(Library)] internal static extern int bitttt_session_free(long session);
        [DllImport(Library)] internal static extern int bitttt_session_save_memory(long session, byte[] file);
        [DllImport(Library)] internal static extern int bitttt_session_load_memory(long session, byte[] file);
        [DllImport(Library)] internal static extern int bitttt_session_describe(long session, byte[] buffer, UIntPtr capacity, out UIntPtr length);
        [DllImport(Library)] internal static extern int bitttt_session_feed(long session, int[] ids, UIntPtr count, float[] logits, UIntPtr capacity);
        [DllImport(Library)] internal static extern int bitttt_session_learn(long session, byte[] text, UIntPtr bytes, out UIntPtr tokens);
        [DllImport(Library)] internal static extern int bitttt_session_cancel(long session);
        [DllImport(Library)] internal static extern int bitttt_generation_new(long session, byte[] prompt, UIntPtr bytes, byte[] options, out long generation);
        [DllImport(Library)] internal static extern int bitttt_generation_next(long generation, byte[] buffer, UIntPtr capacity, out UIntPtr length, out int end);
        [DllImport(Library)] internal static extern int bitttt_generation_free(long generation);
        [DllImport(Library)] internal static extern IntPtr ttt_create(UIntPtr hiddenDim, float innerLr);
        [DllImport(Library)] internal static extern IntPtr ttt_create_seeded(UIntPtr hiddenDim, float innerLr, ulong seed);
        [DllImport(Library)] internal static extern int ttt_forward(IntPtr layer, float[] input, UIntPtr sequenceLength, float[] output);
        [DllImport(Library)] internal static extern void ttt_destroy(IntPtr layer);

        internal delegate int TextFunction(byte[] buffer, UIntPtr capacity, out UIntPtr length);

        internal static string LastError()
        {
            IntPtr text = bitttt_last_error();
            int length = 0;
            while (Marshal.ReadByte(text, length) != 0)
            {
                length++;
            }
            byte[] bytes = new byte[length];
            Marshal.Copy(text, bytes, 0, length);
            return Encoding.UTF8.GetString(bytes);
        }

        internal static void Check(int code)
        {
            if (code != 0)
            {
                throw new BitttException(code, LastError(), bitttt_last_errno());
            }
        }

        internal static UIntPtr Size(long size)
        {
            return new UIntPtr((ulong)size);
        }

        /// <summary>The text that a function writes to a buffer, however long it is.</summary>
        internal static string TextOf(TextFunction function)
        {
            byte[] buffer = new byte[1024];
            while (true)
            {
                UIntPtr length;
                int code = function(buffer, Size(buffer.Length), out length);
                if (code != Buffer)
                {
                    Check(code);
                    return Encoding.UTF8.GetString(buffer, 0, (int)length);
                }
                buffer = new byte[(int)length + 1];
            }
        }
    }

    /// <summary>The library as a whole.</summary>
    public static class Library
    {
        /// <summary>Starts Java, which any first call does as well.</summary>
        public static void Init(string javaHome = null, string options = null)
        {
            Native.Check(Native.bitttt_init(Checks.CStringOrNull("javaHome", javaHome), Checks.CStringOrNull("options", options)));
        }

        /// <summary>Frees all handles; later calls work again.</summary>
        public static void Shutdown()
        {
            Native.Check(Native.bitttt_shutdown());
        }

        /// <summary>The versions of library and Java.</summary>
        public static string Version
        {
            get { return Native.TextOf(Native.bitttt_version); }
        }

        /// <summary>Which kernels run, and why.</summary>
        public static string Kernels
        {
            get { return Native.TextOf(Native.bitttt_kernels); }
        }

        /// <summary>Copies floats by way of Java: what a call costs.</summary>
        public static void Echo(float[] input, float[] output)
        {
            if (Checks.Given("input", input).Length != Checks.Given("output", output).Length)
            {
                throw new ArgumentException("input and output must be of one length, got " + input.Length + " and " + output.Length, "output");
            }
            Native.Check(Native.bitttt_echo(input, output, Native.Size(input.Length)));
        }
    }

    /// <summary>A handle that is freed once.</summary>
    public abstract class Handle : IDisposable
    {
        private long value;

        internal Handle(long value)
        {
            this.value = value;
        }

        /// <summary>0 once it was freed, which every function answers with an error.</summary>
        internal long Value
        {
            get { return value; }
        }

        internal abstract int Free(long handle);

        public void Dispose()
        {
            Release();
            GC.SuppressFinalize(this);
        }

        private void Release()
        {
            long handle = Interlocked.Exchange(ref value, 0);
            if (handle != 0)
            {
                Free(handle);
            }
        }

        ~Handle()
        {
            Release();
        }
    }

    /// <summary>A model that is ready to run. Immutable, for any number of threads and sessions.</summary>
    public sealed class Model : Handle
    {
        /// <summary>The number of logits.</summary>
        public int Vocabulary { get; private set; }

        /// <summary>Loads a model: a name of the zoo, or a folder.</summary>
        public Model(string name = "stories-256x4") : base(Load(name))
        {
            UIntPtr size;
            Native.Check(Native.bitttt_model_vocabulary(Value, out size));
            Vocabulary = (int)size;
        }

        private static long Load(string name)
        {
            long model;
            Native.Check(Native.bitttt_model_load(Checks.CString("name", name), out model));
            return model;
        }

        internal override int Free(long handle)
        {
            return Native.bitttt_model_free(handle);
        }

        /// <summary>JSON: name, config, generation_config, parameters, fingerprint, kernels.</summary>
        public string Describe()
        {
            return Native.TextOf((byte[] buffer, UIntPtr capacity, out UIntPtr length) =>
                Native.bitttt_model_describe(Value, buffer, capacity, out length));
        }

        /// <summary>Token ids of a text.</summary>
        public int[] Encode(string text)
        {
            byte[] bytes = Checks.Utf8("text", text);
            UIntPtr count;
            Native.Check(Native.bitttt_encode(Value, bytes, Native.Size(bytes.Length), null, UIntPtr.Zero, out count));
            int[] ids = new int[(int)count];
            Native.Check(Native.bitttt_encode(Value, bytes, Native.Size(bytes.Length), ids, count, out count));
            return ids;
        }

        /// <summary>The text of token ids; bytes that are no text become U+FFFD.</summary>
        public string Decode(int[] ids)
        {
            Checks.Given("ids", ids);
            return Native.TextOf((byte[] buffer, UIntPtr capacity, out UIntPtr length) =>
                Native.bitttt_decode(Value, ids, Native.Size(ids.Length), buffer, capacity, out length));
        }

        /// <summary>A session with an empty memory.</summary>
        public Session NewSession()
        {
            long session;
            Native.Check(Native.bitttt_session_new(Value, out session));
            return new Session(session, Vocabulary);
        }

        /// <summary>A session with a memory at the output, which learns while the model stays as it is.</summary>
        /// <param name="outputMemory">"standard", or "counts" for plain counts; null for none.</param>
        /// <param name="window">Of models with attention, the last tokens that are kept; 0 for all.</param>
        public Session NewSession(string outputMemory, int window = 0)
        {
            List<string> members = new List<string>();
            if (outputMemory != null)
            {
                members.Add("\"output_memory\": " + Sampling.Quoted(outputMemory));
            }
            if (window != 0)
            {
                members.Add("\"window\": " + window.ToString(CultureInfo.InvariantCulture));
            }
            long session;
            byte[] options = Checks.CString("options", "{" + string.Join(", ", members) + "}");
            Native.Check(Native.bitttt_session_open(Value, options, out session));
            return new Session(session, Vocabulary);
        }
    }

    /// <summary>A reader of a model: its memory learns from every token and stays the same size for ever. One thread at a time.</summary>
    public sealed class Session : Handle
    {
        private readonly int vocabulary;

        internal Session(long handle, int vocabulary) : base(handle)
        {
            this.vocabulary = vocabulary;
        }

        internal override int Free(long handle)
        {
            return Native.bitttt_session_free(handle);
        }

        /// <summary>A copy that knows the same and then learns by itself.</summary>
        public Session Fork()
        {
            long copy;
            Native.Check(Native.bitttt_session_fork(Value, out copy));
            return new Session(copy, vocabulary);
        }

        /// <summary>Forgets everything but what a memory at the output has learned.</summary>
        public void Reset()
        {
            Native.Check(Native.bitttt_session_reset(Value));
        }

        /// <summary>Empties the memory at the output, and that alone.</summary>
        public void ResetOutput()
        {
            Native.Check(Native.bitttt_session_reset_output(Value));
        }

        /// <summary>Writes what was learned, whole or not at all.</summary>
        public void SaveMemory(string file)
        {
            Native.Check(Native.bitttt_session_save_memory(Value, Checks.CString("file", file)));
        }

        /// <summary>Goes on from a memory of the same model.</summary>
        public void LoadMemory(string file)
        {
            Native.Check(Native.bitttt_session_load_memory(Value, Checks.CString("file", file)));
        }

        /// <summary>JSON: position, memory_norms, and output_memory if there is one.</summary>
        public string Describe()
        {
            return Native.TextOf((byte[] buffer, UIntPtr capacity, out UIntPtr length) =>
                Native.bitttt_session_describe(Value, buffer, capacity, out length));
        }

        /// <summary>Reads at least one token; the logits of the next one.</summary>
        public float[] Feed(params int[] ids)
        {
            Checks.Given("ids", ids);
            float[] logits = new float[vocabulary];
            Native.Check(Native.bitttt_session_feed(Value, ids, Native.Size(ids.Length), logits, Native.Size(logits.Length)));
            return logits;
        }

        /// <summary>Reads a text for the sake of the memory; the number of its tokens.</summary>
        public long Learn(string text)
        {
            byte[] bytes = Checks.Utf8("text", text);
            UIntPtr tokens;
            Native.Check(Native.bitttt_session_learn(Value, bytes, Native.Size(bytes.Length), out tokens));
            return (long)tokens;
        }

        /// <summary>Ends what this session is generating or learning; from any thread.</summary>
        public void Cancel()
        {
            Native.Check(Native.bitttt_session_cancel(Value));
        }

        /// <summary>Goes on with a text, piece by piece; whoever stops enumerating stops the writing.</summary>
        public IEnumerable<string> Generate(string prompt)
        {
            return Generate(prompt, new Sampling());
        }

        /// <summary>The same, with a sampling of one's own.</summary>
        public IEnumerable<string> Generate(string prompt, Sampling sampling)
        {
            // Checked at the call, not at the first piece.
            return Pieces(Checks.Utf8("prompt", prompt), Checks.CString("sampling", Checks.Given("sampling", sampling).ToJson()));
        }

        private IEnumerable<string> Pieces(byte[] bytes, byte[] options)
        {
            long generation;
            Native.Check(Native.bitttt_generation_new(Value, bytes, Native.Size(bytes.Length), options, out generation));
            try
            {
                int end = 0;
                while (end == 0)
                {
                    string piece = Native.TextOf((byte[] buffer, UIntPtr capacity, out UIntPtr length) =>
                        Native.bitttt_generation_next(generation, buffer, capacity, out length, out end));
                    if (piece.Length > 0)
                    {
                        yield return piece;
                    }
                }
            }
            finally
            {
                Native.bitttt_generation_free(generation);
            }
        }
    }

    /// <summary>The one layer of the original engine: its memory learns from every row, anew in each Forward.</summary>
    public sealed class TttLayer : Handle
    {
        private readonly int hiddenDim;

        /// <summary>A layer of hiddenDim, 4 to 65536, with random weights.</summary>
        public TttLayer(int hiddenDim, float innerLr) : this(hiddenDim, Native.ttt_create(Width(hiddenDim), Rate(innerLr)))
        {
        }

        /// <summary>The same with weights of a seed: same seed, same weights.</summary>
        public TttLayer(int hiddenDim, float innerLr, ulong seed)
            : this(hiddenDim, Native.ttt_create_seeded(Width(hiddenDim), Rate(innerLr), seed))
        {
        }

        private static UIntPtr Width(int hiddenDim)
        {
            if (hiddenDim < 4 || hiddenDim > 1 << 16)
            {
                throw new ArgumentOutOfRangeException("hiddenDim", hiddenDim, "hiddenDim must be 4 to 65536");
            }
            return Native.Size(hiddenDim);
        }

        private static float Rate(float innerLr)
        {
            Checks.Finite("innerLr", innerLr);
            return innerLr;
        }

        private TttLayer(int hiddenDim, IntPtr layer) : base(layer.ToInt64())
        {
            this.hiddenDim = hiddenDim;
            if (layer == IntPtr.Zero)
            {
                throw new BitttException(1, Native.LastError());
            }
        }

        internal override int Free(long handle)
        {
            Native.ttt_destroy(new IntPtr(handle));
            return 0;
        }

        /// <summary>Reads one text: whole rows of hiddenDim.</summary>
        public float[] Forward(float[] rows)
        {
            if (Value == 0)
            {
                throw new BitttException(2, "this layer is closed");
            }
            if (Checks.Given("rows", rows).Length % hiddenDim != 0)
            {
                throw new ArgumentException("rows must hold whole rows of " + hiddenDim + ", got " + rows.Length + " numbers", "rows");
            }
            float[] output = new float[rows.Length];
            if (rows.Length > 0)
            {
                Native.Check(Native.ttt_forward(new IntPtr(Value), rows, Native.Size(rows.Length / hiddenDim), output));
            }
            return output;
        }
    }
}
