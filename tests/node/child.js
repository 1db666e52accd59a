// Answers questions about values for tests/node/__init__.py: one JSON array of requests a line on standard
// input, one JSON array of answers a line on standard output.
"use strict";

const readline = require("node:readline");
const util = require("node:util");
const v8 = require("node:v8");
const { encode } = require("./encode.js");

// For expressions that name a module, such as require("node:path"): indirect eval sees only globals.
globalThis.require = require;

// A DataView that was read may lie on the memory of the whole message, which its text would show.
Object.defineProperty(DataView.prototype, util.inspect.custom, {
  value() {
    return `DataView ${Buffer.from(this.buffer, this.byteOffset, this.byteLength).toString("hex")}`;
  },
});

const EVERYTHING = {
  depth: null,
  maxArrayLength: null,
  maxStringLength: null,
  breakLength: Infinity,
  compact: true,
};

const show = (value) => util.inspect(value, EVERYTHING);
// A Python set has an order of its own.
const showSorted = (value) => util.inspect(value, { ...EVERYTHING, sorted: true });
const bytes = (hex) => Buffer.from(hex, "hex");
const indirectEval = eval;
const run = (js) => indirectEval(`(${js})`);

const OPERATIONS = {
  read: ({ hex }) => show(v8.deserialize(bytes(hex))),
  reserialize: ({ hex }) => v8.serialize(v8.deserialize(bytes(hex))).toString("hex"),
  serialize: ({ js, how }) => encode(js, how).toString("hex"),
  evaluate: ({ js }) => run(js),
  // isDeepStrictEqual does not look at an error's stack, which the text shows.  And until Node 24 two invalid
  // Dates are not equal: where a value does not even equal itself, the text alone decides.
  deep_equal: ({ hex, js }) => {
    const got = v8.deserialize(bytes(hex));
    const expected = run(js);
    const comparable = util.isDeepStrictEqual(expected, run(js));
    const equal = util.isDeepStrictEqual(got, expected) || !comparable;
    if (equal && showSorted(got) === showSorted(expected)) return null;
    return `Node reads ${show(got)}, not ${show(expected)}`;
  },
};

async function answer(request) {
  try {
    return { value: (await OPERATIONS[request.op](request)) ?? null };
  } catch (error) {
    return { error: error?.name ?? "Error", message: String(error?.message ?? error) };
  }
}

async function main() {
  const versions = { node: process.version, v8: process.versions.v8 };
  process.stdout.write(`${JSON.stringify(versions)}\n`);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const answers = [];
    for (const request of JSON.parse(line)) answers.push(await answer(request));
    process.stdout.write(`${JSON.stringify(answers)}\n`);
  }
}

main();
