// What is checked of arguments before a call: koffi cuts numbers, and writes where it is told to.

const SHOWN = 100; // letters of a value in a message
const LARGEST_FLOAT = 3.4028234663852886e38;

/** A value for a message. */
function shown(value) {
    const text = typeof value === 'string' ? JSON.stringify(value)
        : typeof value === 'bigint' ? `${value}n`
            : value !== null && typeof value === 'object' ? `${value.constructor?.name ?? 'object'}` : String(value);
    return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`;
}

const wrong = (name, rule, value) => new TypeError(`${name} must be ${rule}, got ${shown(value)}`);

/** A text, as UTF-8; half a surrogate pair is one U+FFFD. */
export function utf8(name, value) {
    if (typeof value !== 'string') {
        throw wrong(name, 'a string', value);
    }
    return Buffer.from(value, 'utf8');
}

/** A name or path for C, which ends strings at the first NUL. */
export function cString(name, value) {
    if (typeof value !== 'string') {
        throw wrong(name, 'a string', value);
    }
    if (value.includes('\0')) {
        throw new RangeError(`${name} cannot hold a NUL, got ${shown(value)}`);
    }
    return value;
}

/** The same, or nothing. */
export const cStringOrNull = (name, value) => (value === null || value === undefined ? null : cString(name, value));

/** A whole number without loss, as a bigint; a number beyond 2^53 has lost digits already. */
function whole(name, value) {
    if (typeof value === 'bigint') {
        return value;
    }
    if (!Number.isInteger(value)) {
        throw wrong(name, 'a whole number', value);
    }
    if (!Number.isSafeInteger(value)) {
        throw new RangeError(`${name} must be a bigint beyond 2^53, where a number loses digits, got ${value}`);
    }
    return BigInt(value);
}

/** A whole number of a range. */
export function between(name, value, least, most) {
    const found = whole(name, value);
    if (found < least || found > most) {
        throw new RangeError(`${name} must be ${least} to ${most}, got ${found}`);
    }
    return found;
}

function number(name, value) {
    if (typeof value !== 'number' || Number.isNaN(value)) {
        throw wrong(name, 'a number', value);
    }
    if (!Number.isFinite(value)) {
        throw new RangeError(`${name} must be finite, got ${value}`);
    }
    return value;
}

/** A number that a float can hold. */
export function float(name, value) {
    if (Math.abs(number(name, value)) > LARGEST_FLOAT) {
        throw new RangeError(`${name} must be a number that a float can hold, got ${value}`);
    }
    return value;
}

/** Token ids, as Int32Array; which of them there are the library knows. */
export function tokenIds(ids, vocabulary) {
    if (ids instanceof Int32Array) {
        return ids;
    }
    if (typeof ids === 'string' || typeof ids?.[Symbol.iterator] !== 'function') {
        throw wrong('ids', 'an iterable of token ids', ids);
    }
    return Int32Array.from(ids, (id) => {
        const found = whole('a token id', id);
        if (BigInt.asIntN(32, found) !== found) {
            throw new RangeError(`token ids are 0 to ${vocabulary - 1}, got ${found}`);
        }
        return Number(found);
    });
}

/** A Float32Array. */
export function floats(name, value) {
    if (!(value instanceof Float32Array)) {
        throw wrong(name, 'a Float32Array', value);
    }
    return value;
}

/** An object of a class. */
export function instance(name, value, type) {
    if (!(value instanceof type)) {
        throw wrong(name, `of the class ${type.name}`, value);
    }
    return value;
}

/** An object of options, or nothing. */
export function named(name, value) {
    if (value === undefined) {
        return {};
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
        throw wrong(name, 'an object', value);
    }
    return value;
}

function severalOr(one, kind, check) {
    return (name, value) => {
        if (!one(value) && !Array.isArray(value)) {
            throw wrong(name, `${kind} or an array of such`, value);
        }
        return (one(value) ? [value] : value).map((each) => check(name, each));
    };
}

function text(name, value) {
    utf8(name, value);
    return value;
}

function flag(name, value) {
    if (typeof value !== 'boolean') {
        throw wrong(name, 'true or false', value);
    }
    return value;
}

// What an option is, by its name; ranges are the library's.
const OPTIONS = {
    maxNewTokens: whole,
    temperature: number,
    topK: whole,
    topP: number,
    repetitionPenalty: number,
    sequencePenalty: number,
    seed: whole,
    stop: severalOr((value) => typeof value === 'string', 'a string', text),
    eosTokenId: severalOr((value) => ['number', 'bigint'].includes(typeof value), 'a token id', whole),
    echo: flag,
    messages: flag,
};

// Of a session; null is as good as not named.
const orNull = (check) => (name, value) => (value === null ? null : check(name, value));
const SESSION_OPTIONS = { outputMemory: orNull(text), window: orNull(whole) };

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const json = (value) => (typeof value === 'bigint' ? String(value)
    : Array.isArray(value) ? `[${value.map(json).join(', ')}]` : JSON.stringify(value));

/** Options of a text as the library names them: maxNewTokens is max_new_tokens, by which it may be called as well. */
export const optionsJson = (options) => membersJson(options, OPTIONS, ', signal');

/** The same of a session. */
export const sessionJson = (options) => membersJson(named('options', options), SESSION_OPTIONS, '');

function membersJson(options, known, more) {
    const members = Object.entries(options).filter(([, value]) => value !== undefined).map(([given, value]) => {
        const name = camel(given);
        if (!Object.hasOwn(known, name)) {
            throw new TypeError(`there is no option ${shown(given)}; there are ${Object.keys(known).join(', ')}${more}`);
        }
        return `"${snake(name)}": ${json(known[name](given, value))}`;
    });
    return `{${members.join(', ')}}`;
}
