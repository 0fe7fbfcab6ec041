// The Node.js package on the finished library. BITTTT_NODE: its index.mjs; argument: folder of whole and broken models.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { BittttError, Model, TttLayer, echo, init, kernels, shutdown, version } =
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
throwsError(1, 'at least 1 token', () => session.feed([]));
throwsError(3, '', () => session.loadMemory(file + '.none'));

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
throwsError(1, 'hidden_dim must be', () => new TttLayer(3));
assert.throws(() => layer.forward(new Float32Array(63)), RangeError);
layer.close();
layer.close();

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
