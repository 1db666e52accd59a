// Node's part: answers one line of JSON on stdin with one line on stdout, and is idle in between.
//   {op: "load", name, file, json}        keep a payload: parsed JSON (as a program gets it), or v8.deserialize
//   {op: "time", what, name, number}      -> seconds that *number* runs of *what* on that payload take
'use strict';
const fs = require('node:fs');
const v8 = require('node:v8');
const readline = require('node:readline');

const payloads = new Map();
let sink; // results are kept for a moment, so that no run can be optimised away

const runs = {
  serialize: ({ value }) => v8.serialize(value),
  deserialize: ({ bytes }) => v8.deserialize(bytes),
  structuredClone: ({ value }) => structuredClone(value),
};

function load({ name, file, json }) {
  const data = fs.readFileSync(file);
  const value = json ? JSON.parse(data.toString('utf8')) : v8.deserialize(data);
  payloads.set(name, { value, bytes: v8.serialize(value) });
}

function time({ what, name, number }) {
  const run = runs[what];
  const payload = payloads.get(name);
  const start = process.hrtime.bigint();
  for (let i = 0; i < number; i++) sink = run(payload);
  return Number(process.hrtime.bigint() - start) / 1e9;
}

// A MessageChannel of one thread, *number* messages one way, until the last was heard.
function channel({ name, number }) {
  const { value } = payloads.get(name);
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    let heard = 0;
    const start = process.hrtime.bigint();
    port2.on('message', (message) => {
      sink = message;
      if (++heard === number) {
        const seconds = Number(process.hrtime.bigint() - start) / 1e9;
        port2.close();
        resolve(seconds);
      }
    });
    for (let i = 0; i < number; i++) port1.postMessage(value);
  });
}

const operations = { load, time, channel };

(async () => {
  console.log(JSON.stringify({ version: process.version, v8: process.versions.v8 }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let answer;
    try {
      answer = { value: (await operations[request.op](request)) ?? null };
    } catch (error) {
      answer = { error: String(error) };
    }
    console.log(JSON.stringify(answer));
  }
})();
