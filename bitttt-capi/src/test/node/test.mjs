// The Node.js package on the finished library. BITTTT_NODE: its index.mjs; argument: folder of whole and broken models.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { BittttError, Model, Session, TttLayer, echo, init, kernels, shutdown, version } =
    await import(pathToFileURL(process.env.BITTTT_NODE));
const models = process.argv[2];

function throwsError(code, words, action) {
    assert.throws(action, (error) => error instanceof BittttError && error.code === code && error.message.includes(words));
}

async function collect(generation) {
    let text = '';
    for await (const piece of generation) {
        text += piece;
    }
    return text;
}

init();
assert.match(version(), /Java/);
assert.match(kernels(), /kernels/);

const model = new Model();
const text = 'Once upon a time, Zoë saw a 🐈.';
assert.equal(model.decode(model.encode(text)), text);
assert.equal(model.describe().name, 'stories-256x4');
throwsError(3, 'neither a model folder', () => new Model('no-such-model'));
throwsError(3, 'model.safetensors', () => new Model(join(models, 'truncated')));
throwsError(3, 'config.json', () => new Model(join(models, 'wrong-config')));

const session = model.session();
const story = await collect(session.generate('Once upon a time', { maxNewTokens: 30 }));
assert.ok(story.length > 20);
session.reset();
assert.equal(await collect(session.generate('Once upon a time', { maxNewTokens: 30 })), story);

// The event loop turns while a text is written, and leaving the loop ends it.
let turns = 0;
const ticking = setInterval(() => turns++, 1);
let pieces = 0;
for await (const piece of session.generate('Once', { maxNewTokens: 2 ** 31 - 1, temperature: 1.5 })) {
    assert.ok(piece.length > 0);
    if (++pieces === 30) {
        break;
    }
}
clearInterval(ticking);
assert.ok(turns > 0);
const abort = new AbortController();
await assert.rejects(async () => {
    for await (const _ of session.generate('Once', { maxNewTokens: 2 ** 31 - 1, signal: abort.signal, seed: 3 })) {
        abort.abort();
    }
}, { name: 'AbortError' });

// Eight texts at once, each in a session of its own.
const texts = await Promise.all(Array.from({ length: 8 }, async () => {
    const own = model.session();
    const written = await collect(own.generate('One day', { maxNewTokens: 30 }));
    own.close();
    return written;
}));
assert.equal(new Set(texts).size, 1);

session.reset();
assert.ok(await session.learn('Tim had a red ball. '.repeat(100)) > 300);
const file = join(mkdtempSync(join(tmpdir(), 'bitttt-')), 'tim.memory');
session.saveMemory(file);
const loaded = model.session();
loaded.loadMemory(file);
const fork = session.fork();
const logits = session.feed([5]);
assert.equal(logits.length, model.vocabulary);
assert.deepEqual(fork.feed([5]), logits);
assert.deepEqual(loaded.feed([5]), logits);

// A memory at the output is forked, saved, loaded and emptied apart.
const adapted = model.session({ outputMemory: 'standard' });
await adapted.learn('12:00 job 7 done\n12:01 job 8 done\n'.repeat(8));
const gain = adapted.describe().output_memory;
assert.ok(gain.tokens > 100 && gain.nats < 0.7 * gain.frozen_nats);
adapted.saveMemory(file);
const reloaded = model.session({ outputMemory: 'standard', window: null });
reloaded.loadMemory(file);
const knows = adapted.fork();
const logProbabilities = adapted.feed([5]);
assert.deepEqual(knows.feed([5]), logProbabilities);
assert.deepEqual(reloaded.feed([5]), logProbabilities);
adapted.reset();
assert.equal(adapted.describe().output_memory.tokens, gain.tokens + 1);
adapted.resetOutput();
assert.deepEqual(adapted.describe().output_memory, { tokens: 0, frozen_nats: 0, nats: 0 });
assert.equal(session.describe().output_memory, undefined);
for (const opened of [adapted, reloaded, knows]) {
    opened.close();
}
assert.throws(() => model.session({ outputMemory: 'much' }), { code: 1, message: /standard or counts, got much/ });
assert.throws(() => model.session({ window: 256 }), { code: 1, message: /a window is for attention, got 256/ });
session.saveMemory(file);

// A file is named, with the reason.
assert.throws(() => session.loadMemory(file + '.none'),
    { name: 'BittttError', code: 3, errno: 2, message: `${file}.none: no such file` });
assert.throws(() => session.saveMemory(join(file, 'x', 'y')), { code: 3, errno: 2, message: /the folder .* is not there/ });
assert.throws(() => new Model(file + '.none'), { code: 3, errno: 2, message: /neither a model folder/ });

// No argument is cut, wrapped, guessed, or read where there is nothing: each of these would end the process or give wrong numbers.
const refusals = {
    'outputMemory must be a string, got 5': () => model.session({ outputMemory: 5 }),
    'window must be a whole number, got 1.5': () => model.session({ window: 1.5 }),
    'there is no option "memory"; there are outputMemory, window': () => model.session({ memory: 'standard' }),
    'name must be a string, got 5': () => new Model(5),
    'name must be a string, got null': () => new Model(null),
    'name cannot hold a NUL, got "a\\u0000b"': () => new Model('a\0b'),
    'text must be a string, got Array': () => model.encode(['a']),
    'a token id must be a whole number, got 1.5': () => model.decode([1.5]),
    'a token id must be a whole number, got "5"': () => model.decode(['5']),
    'token ids are 0 to 2047, got 4294967301': () => model.decode([2 ** 32 + 5]),
    'ids must be an iterable of token ids, got "12"': () => session.feed('12'),
    'a token id must be a whole number, got NaN': () => session.feed([NaN]),
    'file must be a string, got 5': () => session.saveMemory(5),
    'file cannot hold a NUL, got "a\\u0000b"': () => session.loadMemory('a\0b'),
    'model must be of the class Model, got Object': () => new Session({}),
    'of must be of the class Session, got 1.5': () => new Session(model, 1.5),
    'options must be a string, got 5': () => init({ options: 5 }),
    'options must be an object, got null': () => init(null),
    'there is no option home; there are javaHome, options': () => init({ home: '/' }),
    'input must be a Float32Array, got Array': () => echo([1, 2], [1, 2]),
    'output must be a Float32Array, got Float64Array': () => echo(new Float32Array(2), new Float64Array(2)),
    'input and output must be of one length, got 2 and 3': () => echo(new Float32Array(2), new Float32Array(3)),
    'hiddenDim must be a whole number, got "8"': () => new TttLayer('8'),
    'hiddenDim must be a whole number, got 8.5': () => new TttLayer(8.5),
    'hiddenDim must be 4 to 65536, got 4294967304': () => new TttLayer(2 ** 32 + 8),
    'hiddenDim must be 4 to 65536, got -1': () => new TttLayer(-1),
    'innerLr must be a number, got NaN': () => new TttLayer(8, NaN),
    'innerLr must be a number that a float can hold, got 1e+300': () => new TttLayer(8, 1e300),
    'seed must be a whole number, got 1.5': () => new TttLayer(8, 0.1, 1.5),
    'seed must be a whole number, got null': () => new TttLayer(8, 0.1, null),
    [`seed must be -9223372036854775808 to 18446744073709551615, got ${2n ** 64n}`]: () => new TttLayer(8, 0.1, 2n ** 64n),
    'seed must be a bigint beyond 2^53, where a number loses digits, got 9007199254740992': () => new TttLayer(8, 0.1, 2 ** 53),
    'rows must be a Float32Array, got Array': () => new TttLayer(4).forward([1, 2, 3, 4]),
    'output must be a Float32Array, got Uint8Array': () => new TttLayer(4).forward(new Float32Array(4), new Uint8Array(4)),
    'output must hold as many numbers as rows, 8, got 4': () => new TttLayer(4).forward(new Float32Array(8), new Float32Array(4)),
    'rows must hold whole rows of 4, got 7 numbers': () => new TttLayer(4).forward(new Float32Array(7)),
};
for (const [message, action] of Object.entries(refusals)) {
    assert.throws(action, { message });
}
assert.throws(() => { new TttLayer(4).hiddenDim = 1; }, TypeError);
const overlapping = new Float32Array(20);
throwsError(1, 'the same or lie apart', () => new TttLayer(4).forward(overlapping.subarray(0, 16), overlapping.subarray(4, 20)));

// So are the options of a text.
const wrongOptions = [
    [{ maxNewTokens: '5' }, TypeError, 'maxNewTokens must be a whole number, got "5"'],
    [{ maxNewTokens: null }, TypeError, 'maxNewTokens must be a whole number, got null'],
    [{ maxNewTokens: NaN }, TypeError, 'maxNewTokens must be a whole number, got NaN'],
    [{ maxNewTokens: 1.5 }, TypeError, 'maxNewTokens must be a whole number, got 1.5'],
    [{ maxNewTokens: -3 }, BittttError, 'max_new_tokens must be at least 0, got -3'],
    [{ maxNewTokens: 2 ** 32 + 5 }, BittttError, 'max_new_tokens must be a whole number of 32 bits, got 4294967301'],
    [{ topK: '5' }, TypeError, 'topK must be a whole number, got "5"'],
    [{ temperature: Infinity }, RangeError, 'temperature must be finite, got Infinity'],
    [{ topP: '1' }, TypeError, 'topP must be a number, got "1"'],
    [{ seed: '1' }, TypeError, 'seed must be a whole number, got "1"'],
    [{ seed: 2n ** 64n }, BittttError, 'seed must be a whole number of 64 bits, got 18446744073709551616'],
    [{ stop: 5 }, TypeError, 'stop must be a string or an array of such, got 5'],
    [{ stop: ['a', null] }, TypeError, 'stop must be a string, got null'],
    [{ eosTokenId: [1.5] }, TypeError, 'eosTokenId must be a whole number, got 1.5'],
    [{ echo: 1 }, TypeError, 'echo must be true or false, got 1'],
    [{ signal: 5 }, TypeError, 'signal must be of the class AbortSignal, got 5'],
    [5, TypeError, 'options must be an object, got 5'],
    [null, TypeError, 'options must be an object, got null'],
];
for (const [options, type, message] of wrongOptions) {
    await assert.rejects(() => session.generate('Once', options).next(), (error) => {
        assert.ok(error instanceof type, `${message}: ${error}`);
        assert.equal(error.message, message);
        return true;
    });
}
await assert.rejects(() => session.generate('Once', { limit: '5' }).next(), { name: 'TypeError', message: /no option "limit"; there are maxNewTokens/ });
await assert.rejects(() => session.generate(null).next(), { name: 'TypeError', message: 'prompt must be a string, got null' });
await assert.rejects(() => session.learn(5), { name: 'TypeError', message: 'text must be a string, got 5' });
session.reset();
const named = await collect(session.generate('Once', { max_new_tokens: 5n, eos_token_id: [0, 1n], stop: ['xyz'], seed: 2n ** 62n }));
assert.ok(named.length > 0);
throwsError(1, 'at least 1 token', () => session.feed([]));

// An error on a thread of the pool brings its text along.
session.close();
session.close();
throwsError(2, 'a session is needed', () => session.feed([1]));
const orphan = model.session();
const generation = orphan.generate('Once', { maxNewTokens: 1000 });
await generation.next();
shutdown();
await assert.rejects(() => generation.next(), { name: 'BittttError', code: 2, message: /a generation is needed/ });

const rows = Float32Array.from({ length: 6 * 64 }, (_, i) => Math.sin(i));
const layer = new TttLayer(64, 0.1, 3);
const output = layer.forward(rows);
assert.deepEqual(output.slice(0, 64), rows.slice(0, 64));
assert.notDeepEqual(output, rows);
assert.deepEqual(new TttLayer(64, 0.1, 3).forward(rows), output);
assert.throws(() => new TttLayer(3), RangeError);
assert.throws(() => layer.forward(new Float32Array(63)), RangeError);
layer.close();
layer.close();
throwsError(2, 'this layer is closed', () => layer.forward(rows));

const from = new Float32Array(768);
const to = new Float32Array(768);
let best = Infinity;
for (let round = 0; round < 10; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < 2000; i++) {
        echo(from, to);
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 2000);
}
console.error(`a call with 768 floats: ${best.toFixed(0)} ns`);
console.log('ok');
