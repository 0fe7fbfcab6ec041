// bitttt for Node.js, over libbitttt by koffi. Texts are async iterators: their tokens are computed on a thread of the pool.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { between, cString, cStringOrNull, float, floats, instance, named, optionsJson, sessionJson, tokenIds, utf8 } from './checks.mjs';

const BUFFER = 4;
const ENDS = [null, 'end_of_text', 'limit', 'cancelled', 'stop_text'];
const SLICE = 256; // tokens between turns of the event loop

function find() {
    const name = { win32: 'bitttt.dll', darwin: 'libbitttt.dylib' }[process.platform] ?? 'libbitttt.so';
    const here = dirname(fileURLToPath(import.meta.url));
    const candidates = process.env.BITTTT_LIBRARY
        ? [process.env.BITTTT_LIBRARY]
        : [join(here, 'native', name), join(here, '..', name), join(here, '..', '..', '..', 'target', 'dist', name)];
    const found = candidates.find(existsSync);
    if (!found) {
        throw new Error(`libbitttt was not found; looked at ${candidates.join(', ')}; ` +
            'build it by `mvn -pl bitttt-capi -am package`, or name it in BITTTT_LIBRARY');
    }
    return found;
}

const library = koffi.load(find());
const call = Object.fromEntries([
    'const char *bitttt_last_error()',
    'int bitttt_last_errno()',
    'int bitttt_init(const char *java_home, const char *options)',
    'int bitttt_shutdown()',
    'int bitttt_version(void *buffer, size_t capacity, _Out_ size_t *length)',
    'int bitttt_kernels(void *buffer, size_t capacity, _Out_ size_t *length)',
    'int bitttt_echo(void *input, void *output, size_t count)',
    'int bitttt_model_load(const char *name, _Out_ int64_t *model)',
    'int bitttt_model_free(int64_t model)',
    'int bitttt_model_describe(int64_t model, void *buffer, size_t capacity, _Out_ size_t *length)',
    'int bitttt_model_vocabulary(int64_t model, _Out_ size_t *size)',
    'int bitttt_encode(int64_t model, void *text, size_t bytes, void *ids, size_t capacity, _Out_ size_t *count)',
    'int bitttt_decode(int64_t model, void *ids, size_t count, void *buffer, size_t capacity, _Out_ size_t *length)',
    'int bitttt_session_new(int64_t model, _Out_ int64_t *session)',
    'int bitttt_session_open(int64_t model, const char *options, _Out_ int64_t *session)',
    'int bitttt_session_fork(int64_t session, _Out_ int64_t *copy)',
    'int bitttt_session_reset(int64_t session)',
    'int bitttt_session_reset_output(int64_t session)',
    'int bitttt_session_free(int64_t session)',
    'int bitttt_session_save_memory(int64_t session, const char *file)',
    'int bitttt_session_load_memory(int64_t session, const char *file)',
    'int bitttt_session_describe(int64_t session, void *buffer, size_t capacity, _Out_ size_t *length)',
    'int bitttt_session_feed(int64_t session, void *ids, size_t count, void *logits, size_t capacity)',
    'int bitttt_session_cancel(int64_t session)',
    'int bitttt_generation_new(int64_t session, void *prompt, size_t bytes, const char *options, _Out_ int64_t *generation)',
    'int bitttt_generation_next(int64_t generation, void *buffer, size_t capacity, _Out_ size_t *length, _Out_ int *end)',
    'int bitttt_generation_free(int64_t generation)',
    'void *ttt_create(size_t hidden_dim, float inner_lr)',
    'void *ttt_create_seeded(size_t hidden_dim, float inner_lr, uint64_t seed)',
    'int ttt_forward(void *layer, void *input, size_t sequence_length, void *output)',
    'void ttt_destroy(void *layer)',
].map((prototype) => [/(\w+)\(/.exec(prototype)[1], library.func(prototype)]));

/**
 * What the library answered: `code` as in bitttt.h, and its text. Where a file could not be used, `errno` says why: 2 it is not
 * there, 13 it may not be used; otherwise it is 0.
 */
export class BittttError extends Error {
    constructor(code, message, errno = 0) {
        super(message);
        this.name = 'BittttError';
        this.code = code;
        this.errno = errno;
    }
}

function check(code) {
    if (code !== 0) {
        throw new BittttError(code, call.bitttt_last_error(), call.bitttt_last_errno());
    }
}

/** The value that a function gives back by its last argument. */
function valueOf(name, ...args) {
    const value = [0];
    check(call[name](...args, value));
    return value[0];
}

/** The text that a function writes to a buffer, however long it is. */
function textOf(name, ...args) {
    const length = [0];
    for (let capacity = 1024; ; capacity = Number(length[0]) + 1) {
        const buffer = Buffer.alloc(capacity);
        const code = call[name](...args, buffer, capacity, length);
        if (code !== BUFFER) {
            check(code);
            return buffer.toString('utf8', 0, Number(length[0]));
        }
    }
}

/** Starts Java, which any first call does as well. */
export function init(options) {
    const { javaHome, options: ofJava, ...others } = named('options', options);
    if (Object.keys(others).length > 0) {
        throw new TypeError(`there is no option ${Object.keys(others)[0]}; there are javaHome, options`);
    }
    check(call.bitttt_init(cStringOrNull('javaHome', javaHome), cStringOrNull('options', ofJava)));
}

/** Frees all handles; later calls work again. */
export function shutdown() {
    check(call.bitttt_shutdown());
}

/** The versions of library and Java. */
export const version = () => textOf('bitttt_version');

/** Which kernels run, and why. */
export const kernels = () => textOf('bitttt_kernels');

/** Copies a Float32Array by way of Java: what a call costs. */
export function echo(input, output) {
    if (floats('input', input).length !== floats('output', output).length) {
        throw new RangeError(`input and output must be of one length, got ${input.length} and ${output.length}`);
    }
    check(call.bitttt_echo(input, output, input.length));
}

// Frees what was forgotten.
const forgotten = new FinalizationRegistry(({ free, handle }) => call[free](handle));

class Handle {
    #handle;
    #free;

    constructor(handle, free) {
        this.#handle = handle;
        this.#free = free;
        forgotten.register(this, { free, handle }, this);
    }

    /** Its number; 0 once it was freed, which every function answers with an error. */
    get handle() {
        return this.#handle;
    }

    /** Frees it; again does nothing. */
    close() {
        const handle = this.#handle;
        this.#handle = 0;
        forgotten.unregister(this);
        if (handle !== 0) {
            check(call[this.#free](handle));
        }
    }
}

/** A model that is ready to run: a name of the zoo, or a folder. */
export class Model extends Handle {
    #vocabulary;

    constructor(name = 'stories-256x4') {
        super(valueOf('bitttt_model_load', cString('name', name)), 'bitttt_model_free');
        this.#vocabulary = Number(valueOf('bitttt_model_vocabulary', this.handle));
    }

    /** The number of tokens. */
    get vocabulary() {
        return this.#vocabulary;
    }

    /** name, config, generation_config, parameters, fingerprint, kernels. */
    describe() {
        return JSON.parse(textOf('bitttt_model_describe', this.handle));
    }

    /** Token ids of a text, as Int32Array. */
    encode(text) {
        const bytes = utf8('text', text);
        const ids = new Int32Array(Number(valueOf('bitttt_encode', this.handle, bytes, bytes.length, null, 0)));
        valueOf('bitttt_encode', this.handle, bytes, bytes.length, ids, ids.length);
        return ids;
    }

    /** The text of token ids. */
    decode(ids) {
        const array = tokenIds(ids, this.#vocabulary);
        return textOf('bitttt_decode', this.handle, array, array.length);
    }

    /**
     * A session with an empty memory. outputMemory: 'standard' for a memory at the output, which learns while the model stays as it is,
     * 'counts' for plain counts; window: of models with attention, the last tokens that are kept.
     */
    session(options = {}) {
        return new Session(this, undefined, options);
    }
}

/** A reader of a model: its memory learns from every token and stays the same size for ever. */
export class Session extends Handle {
    #model;

    constructor(model, of = undefined, options = {}) {
        instance('model', model, Model);
        const handle = of === undefined
            ? valueOf('bitttt_session_open', model.handle, sessionJson(options))
            : valueOf('bitttt_session_fork', instance('of', of, Session).handle);
        super(handle, 'bitttt_session_free');
        this.#model = model;
    }

    /** What it reads with. */
    get model() {
        return this.#model;
    }

    /** A copy that knows the same and then learns by itself. */
    fork() {
        return new Session(this.#model, this);
    }

    /** Forgets everything but what a memory at the output has learned. */
    reset() {
        check(call.bitttt_session_reset(this.handle));
    }

    /** Empties the memory at the output, and that alone. */
    resetOutput() {
        check(call.bitttt_session_reset_output(this.handle));
    }

    /** Writes what was learned, whole or not at all. */
    saveMemory(file) {
        check(call.bitttt_session_save_memory(this.handle, cString('file', file)));
    }

    /** Goes on from a memory of the same model. */
    loadMemory(file) {
        check(call.bitttt_session_load_memory(this.handle, cString('file', file)));
    }

    /** position: tokens read; memory_norms: how much each layer has learned; output_memory, if there is one: what it is worth. */
    describe() {
        return JSON.parse(textOf('bitttt_session_describe', this.handle));
    }

    /** Reads at least one token; the logits of the next one, as Float32Array. */
    feed(ids) {
        const array = tokenIds(ids, this.#model.vocabulary);
        const logits = new Float32Array(this.#model.vocabulary);
        check(call.bitttt_session_feed(this.handle, array, array.length, logits, logits.length));
        return logits;
    }

    /** Reads a text for the sake of the memory, letting others run in between; the number of its tokens. */
    async learn(text) {
        const ids = this.#model.encode(text);
        for (let from = 0; from < ids.length; from += SLICE) {
            const part = ids.slice(from, from + SLICE);
            check(call.bitttt_session_feed(this.handle, part, part.length, null, 0));
            await new Promise(setImmediate);
        }
        return ids.length;
    }

    /** Ends what this session is generating. */
    cancel() {
        check(call.bitttt_session_cancel(this.handle));
    }

    /**
     * Goes on with a text: `for await (const piece of session.generate('Once'))`. Leaving the loop, or aborting the signal,
     * stops the writing. Gives back why it ended: end_of_text, limit, cancelled or stop_text. What is not named is as
     * `model.describe().generation_config` says.
     */
    async *generate(prompt, options) {
        const bytes = utf8('prompt', prompt);
        const { signal, ...how } = named('options', options);
        if (signal !== undefined) {
            instance('signal', signal, AbortSignal);
        }
        const generation = valueOf('bitttt_generation_new', this.handle, bytes, bytes.length, optionsJson(how));
        try {
            for (let end = 0; end === 0;) {
                signal?.throwIfAborted();
                let piece;
                [piece, end] = await next(generation);
                if (piece !== '') {
                    yield piece;
                }
                if (end !== 0) {
                    return ENDS[end];
                }
            }
        } finally {
            call.bitttt_generation_free(generation);
        }
    }
}

/** The next piece of a generation, on a thread of the pool. */
async function next(generation) {
    const length = [0];
    const end = [0];
    for (let capacity = 512; ; capacity = Number(length[0]) + 1) {
        const buffer = Buffer.alloc(capacity);
        const code = await new Promise((resolve, reject) => {
            call.bitttt_generation_next.async(generation, buffer, capacity, length, end,
                (error, result) => (error ? reject(error) : resolve(result)));
        });
        if (code === 0) {
            return [buffer.toString('utf8', 0, Number(length[0])), end[0]];
        }
        if (code !== BUFFER) {
            // The text is in the buffer: this is not the thread that knows the last error.
            throw new BittttError(code, buffer.toString('utf8', 0, buffer.indexOf(0)));
        }
    }
}

/** The one layer of the original engine: its memory learns from every row, anew in each forward. */
export class TttLayer {
    #layer;
    #hiddenDim;

    constructor(hiddenDim, innerLr = 0.1, seed = undefined) {
        this.#hiddenDim = Number(between('hiddenDim', hiddenDim, 4n, 1n << 16n));
        float('innerLr', innerLr);
        this.#layer = seed === undefined
            ? call.ttt_create(this.#hiddenDim, innerLr)
            : call.ttt_create_seeded(this.#hiddenDim, innerLr, BigInt.asUintN(64, between('seed', seed, -(1n << 63n), (1n << 64n) - 1n)));
        if (!this.#layer) {
            throw new BittttError(1, call.bitttt_last_error());
        }
    }

    /** The width of a row. */
    get hiddenDim() {
        return this.#hiddenDim;
    }

    /** Reads one text, whole rows of hiddenDim in a Float32Array; gives another, or the one that is given, which may be rows itself. */
    forward(rows, output = undefined) {
        if (!this.#layer) {
            throw new BittttError(2, 'this layer is closed');
        }
        if (floats('rows', rows).length % this.#hiddenDim !== 0) {
            throw new RangeError(`rows must hold whole rows of ${this.#hiddenDim}, got ${rows.length} numbers`);
        }
        const into = output === undefined ? new Float32Array(rows.length) : floats('output', output);
        if (into.length !== rows.length) {
            throw new RangeError(`output must hold as many numbers as rows, ${rows.length}, got ${into.length}`);
        }
        const code = rows.length > 0 ? call.ttt_forward(this.#layer, rows, rows.length / this.#hiddenDim, into) : 0;
        if (code !== 0) {
            // 1 and 2 of the original are arguments.
            throw new BittttError(code > 2 ? code : 1, call.bitttt_last_error());
        }
        return into;
    }

    /** Frees the layer; again does nothing. */
    close() {
        const layer = this.#layer;
        this.#layer = null;
        if (layer) {
            call.ttt_destroy(layer);
        }
    }
}
