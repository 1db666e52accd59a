// The bytes that this Node's v8 module writes for a JavaScript expression.
//
// Every expression runs in a context of its own: V8 writes 2 as a double if an object of the same shape
// once held 1.5, so that expressions which share a realm would change each other's bytes.
"use strict";

const v8 = require("node:v8");
const vm = require("node:vm");

const OUTSIDE = { Buffer, require, URLSearchParams, URL, TextEncoder, console };

function evaluate(js) {
  return vm.runInContext(`"use strict";(${js})`, vm.createContext({ ...OUTSIDE }));
}

class SharingSerializer extends v8.Serializer {
  #shared = [];

  _getSharedArrayBufferId(buffer) {
    if (!this.#shared.includes(buffer)) this.#shared.push(buffer);
    return this.#shared.indexOf(buffer);
  }
}

/** How an expression becomes bytes. */
const HOW = {
  /** v8.serialize: views and Buffers are host objects. */
  default: (value) => v8.serialize(value),
  /** A plain Serializer: views are written whole, with their buffer. */
  native: (value) => whole(new v8.Serializer(), value),
  /** Shared buffers are numbered as they are met. */
  shared: (value) => whole(new SharingSerializer(), value),
  /** The value is [message, buffers]; the buffers are transferred under their index. */
  transfer: ([message, buffers]) => {
    const serializer = new v8.Serializer();
    for (let id = 0; id < buffers.length; id++) serializer.transferArrayBuffer(id, buffers[id]);
    return whole(serializer, message);
  },
  /** The value is an array of values, written one after the other by one serializer. */
  several: (values) => {
    const serializer = new v8.DefaultSerializer();
    serializer.writeHeader();
    for (const value of values) serializer.writeValue(value);
    return serializer.releaseBuffer();
  },
};

function whole(serializer, value) {
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}

function encode(js, how = "default") {
  return HOW[how](evaluate(js));
}

module.exports = { encode, evaluate };
