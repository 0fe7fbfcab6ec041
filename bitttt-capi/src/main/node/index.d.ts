/** What the library answered: `code` as in bitttt.h, and its text. */
export class BittttError extends Error {
    code: number;
    /** Of a file that could not be used, as errno.h numbers it; else 0. */
    errno: number;
}

/** What is not named is as the model's generation_config says. */
export interface GenerationOptions {
    maxNewTokens?: number | bigint;
    temperature?: number;
    topK?: number | bigint;
    topP?: number;
    repetitionPenalty?: number;
    sequencePenalty?: number;
    seed?: number | bigint;
    stop?: string | string[];
    eosTokenId?: number | bigint | (number | bigint)[];
    echo?: boolean;
    /** Whether the prompt is a JSON array of messages, [{"role": "user", "content": "Hello"}], which the chat format writes. */
    messages?: boolean;
    signal?: AbortSignal;
}

/** A memory at the output, and a window of attention; none if not named. */
export interface SessionOptions {
    outputMemory?: 'standard' | 'counts' | null;
    window?: number | bigint | null;
}

export function init(options?: { javaHome?: string | null; options?: string | null }): void;
export function shutdown(): void;
export function version(): string;
export function kernels(): string;
export function echo(input: Float32Array, output: Float32Array): void;

export class Model {
    constructor(name?: string);
    readonly vocabulary: number;
    describe(): Record<string, unknown>;
    encode(text: string): Int32Array;
    decode(ids: Iterable<number | bigint>): string;
    session(options?: SessionOptions): Session;
    close(): void;
}

export class Session {
    constructor(model: Model, of?: undefined, options?: SessionOptions);
    readonly model: Model;
    fork(): Session;
    reset(): void;
    resetOutput(): void;
    saveMemory(file: string): void;
    loadMemory(file: string): void;
    describe(): {
        position: number;
        memory_norms: number[];
        output_memory?: { tokens: number; frozen_nats: number; nats: number };
    };
    feed(ids: Iterable<number | bigint>): Float32Array;
    learn(text: string): Promise<number>;
    cancel(): void;
    generate(prompt: string, options?: GenerationOptions): AsyncGenerator<string, string>;
    close(): void;
}

export class TttLayer {
    constructor(hiddenDim: number, innerLr?: number, seed?: number | bigint);
    readonly hiddenDim: number;
    forward(rows: Float32Array, output?: Float32Array): Float32Array;
    close(): void;
}
