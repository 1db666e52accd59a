// Writes demo/session.bin: a value of the kind that servers keep between requests.
//
//     node demo/session.js [file]        writes it
//     node demo/session.js --read file   shows a file, as Node reads it
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const util = require("node:util");
const v8 = require("node:v8");

function session() {
  const ada = { id: 1n, name: "Ada Lovelace", roles: new Set(["author"]) };
  const charles = { id: 2n, name: "Charles Babbage", roles: new Set(["reader"]), reportsTo: ada };
  ada.deputy = charles; // a cycle

  const failure = new RangeError("sampling rate too high");
  failure.stack = "RangeError: sampling rate too high\n    at record (recorder.js:7:9)";

  return {
    user: ada, // the same object as the key of "seen"
    seen: new Map([
      [ada, new Date("2024-02-29T12:34:56.789Z")],
      [charles, new Date("2024-03-01T00:00:00Z")],
    ]),
    cart: [{ sku: "engine/1", price: 19.99 }, , { sku: "päper-тape", price: 0.5 }], // with a hole
    samples: new Float32Array([0, 0.5, -0.25, 1]),
    token: Buffer.from("c2VjcmV0", "base64"),
    allowed: /^\/(home|books)\b/giu,
    lastError: failure,
    nickname: undefined,
    visits: 2n ** 64n,
  };
}

if (process.argv[2] === "--read") {
  const value = v8.deserialize(fs.readFileSync(process.argv[3]));
  console.log(util.inspect(value, { depth: 4, breakLength: 100 }));
} else {
  fs.writeFileSync(process.argv[2] ?? path.join(__dirname, "session.bin"), v8.serialize(session()));
}
