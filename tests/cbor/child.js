// Answers questions about CBOR for tests/cbor/cborx.py: one JSON array of requests a line on standard input, one
// JSON array of answers a line on standard output.  Its argument is where cbor-x is installed.
"use strict";

const path = require("node:path");
const readline = require("node:readline");
const util = require("node:util");
const { Encoder } = require(path.join(process.argv[2], "node_modules", "cbor-x"));

const codec = new Encoder({ structuredClone: true, useRecords: false });
const bytes = (hex) => Buffer.from(hex, "hex");
const indirectEval = eval;
const run = (js) => indirectEval(`(${js})`);
const show = (value) => util.inspect(value, { depth: null, maxArrayLength: null, maxStringLength: 200 });

const OPERATIONS = {
  encode: ({ js }) => Buffer.from(codec.encode(run(js))).toString("hex"),
  recode: ({ hex }) => Buffer.from(codec.encode(codec.decode(bytes(hex)))).toString("hex"),
  // null, or what is read instead of the expression's value
  differs: ({ hex, js }) => {
    const got = codec.decode(bytes(hex));
    const expected = run(js);
    const bothInvalid = [got, expected].every((date) => date instanceof Date && isNaN(date)); // unequal, says Node 20
    return bothInvalid || util.isDeepStrictEqual(got, expected) ? null : show(got);
  },
  // what a function says of the value that is read
  ask: ({ hex, js }) => run(js)(codec.decode(bytes(hex))),
};

async function main() {
  process.stdout.write(`${JSON.stringify(process.version)}\n`);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const answers = [];
    for (const request of JSON.parse(line)) {
      try {
        answers.push({ value: OPERATIONS[request.op](request) ?? null });
      } catch (error) {
        answers.push({ error: String(error?.message ?? error) });
      }
    }
    process.stdout.write(`${JSON.stringify(answers)}\n`);
  }
}

main();
