// A client of docs/socket-protocol.md, written from that page alone: node client.js HOST PORT SECRET
//
// It says hello, proves the secret, answers each message that it gets on channel 1, and passes on what comes on
// channels that it is sent. On the text 'bye' it closes channel 1.
'use strict';

const crypto = require('node:crypto');
const net = require('node:net');
const v8 = require('node:v8');

const [host, port, secret] = process.argv.slice(2);
const MESSAGE = 1, BEGIN = 2, MORE = 3, END = 4, ACK = 5, PING = 7, PONG = 8, ABORT = 9;
const FIXED = 2n ** 64n - 1n;

// ---------------------------------------------------------------- handshake

const hello = Buffer.alloc(68);
hello.write('MSGPORT1', 0, 'ascii');
hello.writeUInt32LE(secret ? 1 : 0, 8);
crypto.randomFillSync(hello, 12, 32);
hello.writeUInt32LE(65536, 44);      // frame_size
hello.writeUInt32LE(32768, 48);      // credit
hello.writeUInt32LE(100, 52);        // channels
hello.writeUInt32LE(10, 56);         // ports
hello.writeBigUInt64LE(1n << 24n, 60);

function proof(label, its) {
  return crypto.createHmac('sha256', secret).update(label + '\0').update(hello).update(its).digest();
}

// ---------------------------------------------------------------- payloads

const VIEWS = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array,
  DataView, Uint8Array, BigInt64Array, BigUint64Array, globalThis.Float16Array,
];

class Deserializer extends v8.DefaultDeserializer {
  constructor(payload, ports, buffers) {
    super(payload);
    this.ports = ports;
    this.uses = buffers;
    buffers.forEach((buffer, index) => this.transferArrayBuffer(index, buffer));
  }
  _readHostObject() {
    const kind = this.readUint32();
    if (kind < 64 || kind === 68) {
      const bytes = Buffer.from(this.readRawBytes(this.readUint32()));
      return new Uint8Array(bytes);
    }
    const view = kind === 67 ? this.readUint32() : 1;
    const index = this.readUint32();
    if (kind === 64) return { port: this.ports[index] };
    return new VIEWS[view](this.uses[index]);
  }
}

function read(payload, ports, buffers) {
  const deserializer = new Deserializer(payload, ports, buffers);
  deserializer.readHeader();
  return deserializer.readValue();
}

// ---------------------------------------------------------------- frames

const socket = net.connect({ host, port: Number(port) });
let input = Buffer.alloc(0);
let credit = new Map();
let waiting = [];
let underWay = new Map();
let peer = null;
let closing = false;

function frame(kind, channel, body = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUInt8(kind, 0);
  head.writeUInt32LE(channel, 1);
  head.writeUInt32LE(body.length, 5);
  socket.write(Buffer.concat([head, body]));
}

function acknowledge(channel, granted, taken) {
  const body = Buffer.alloc(16);
  body.writeBigUInt64LE(BigInt(granted), 0);
  body.writeBigUInt64LE(BigInt(taken), 8);
  frame(ACK, channel, body);
}

// A payload, in fragments, as far as credit goes. Everything on one channel waits its turn.
function post(channel, value, buffers = []) {
  const serializer = new v8.DefaultSerializer();
  serializer.writeHeader();
  buffers.forEach((buffer, index) => serializer.transferArrayBuffer(index, buffer));
  serializer.writeValue(value);
  const payload = serializer.releaseBuffer();
  const table = Buffer.alloc(16 + 16 * buffers.length);
  table.writeBigUInt64LE(BigInt(payload.length), 0);
  table.writeUInt32LE(0, 8);
  table.writeUInt32LE(buffers.length, 12);
  buffers.forEach((buffer, index) => {
    table.writeBigUInt64LE(BigInt(buffer.byteLength), 16 + 16 * index);
    table.writeBigUInt64LE(FIXED, 24 + 16 * index);
  });
  const bytes = Buffer.concat([table, payload, ...buffers.map((buffer) => Buffer.from(buffer))]);
  waiting.push({ channel, bytes, table: table.length, begun: false });
  write();
}

function write() {
  while (waiting.length > 0) {
    const message = waiting[0];
    if (message.end) {
      frame(END, message.channel, Buffer.from([0]));
      waiting.shift();
      continue;
    }
    const may = credit.get(message.channel);
    if (may === undefined) {             // it has ended
      waiting.shift();
      continue;
    }
    const size = Math.min(message.bytes.length, may, peer.frameSize);
    if (size === 0 || (!message.begun && size < message.table)) return;
    frame(message.begun ? MORE : BEGIN, message.channel, message.bytes.subarray(0, size));
    credit.set(message.channel, may - size);
    message.begun = true;
    message.bytes = message.bytes.subarray(size);
    if (message.bytes.length === 0) waiting.shift();
  }
}

function arrived(channel, value, size) {
  acknowledge(channel, 0, size);
  if (closing) return;
  if (value === 'bye') {
    closing = true;
    waiting.push({ channel: 1, end: true });
    write();
  } else if (value && value.port !== undefined) {
    post(value.port, 'hello from node');
  } else if (value && !ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer) {
    const size = value.buffer.byteLength;
    post(channel, { moved: value.buffer, size }, [value.buffer]);
  } else {
    post(channel, { echo: value });
  }
}

function begin(channel, body) {
  const ports = [], buffers = [];
  const payload = Number(body.readBigUInt64LE(0));
  const portCount = body.readUInt32LE(8), bufferCount = body.readUInt32LE(12);
  let offset = 16, total = payload;
  for (let i = 0; i < portCount; i++, offset += 4) {
    ports.push(body.readUInt32LE(offset));
    credit.set(ports.at(-1), peer.credit);
  }
  for (let i = 0; i < bufferCount; i++, offset += 16) {
    buffers.push(Number(body.readBigUInt64LE(offset)));
    total += buffers.at(-1);
  }
  underWay.set(channel, { payload, ports, buffers, total, parts: [], got: 0 });
  more(channel, body.subarray(offset));
}

function more(channel, bytes) {
  const message = underWay.get(channel);
  message.parts.push(bytes);
  message.got += bytes.length;
  if (message.got < message.total) return;
  underWay.delete(channel);
  const all = Buffer.concat(message.parts);
  let offset = message.payload;
  const buffers = message.buffers.map((size) => {
    offset += size;
    return all.buffer.slice(all.byteOffset + offset - size, all.byteOffset + offset);
  });
  arrived(channel, read(all.subarray(0, message.payload), message.ports, buffers), message.total);
}

function take(kind, channel, body) {
  switch (kind) {
    case MESSAGE:
      acknowledge(channel, body.length, 0);
      arrived(channel, read(body, [], []), body.length);
      break;
    case BEGIN:
      acknowledge(channel, body.length, 0);
      begin(channel, body);
      break;
    case MORE:
      acknowledge(channel, body.length, 0);
      more(channel, body);
      break;
    case END:
      if (!(closing && channel === 1)) frame(END, channel, Buffer.from([0]));
      credit.delete(channel);
      write();
      if (credit.size === 0) socket.end();
      break;
    case ACK:
      if (credit.has(channel)) {
        credit.set(channel, credit.get(channel) + Number(body.readBigUInt64LE(0)));
        write();
      }
      break;
    case PING:
      frame(PONG, 0);
      break;
    case ABORT:
      console.error('aborted: ' + body.toString());
      process.exitCode = 1;
      break;
  }
}

let step = 'hello';

socket.on('connect', () => socket.write(hello));
socket.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
socket.on('data', (data) => {
  input = Buffer.concat([input, data]);
  for (;;) {
    if (step === 'hello') {
      if (input.length < 68) return;
      const its = input.subarray(0, 68);
      input = input.subarray(68);
      if (its.toString('ascii', 0, 8) !== 'MSGPORT1') throw new Error('not this protocol');
      peer = { hello: its, frameSize: its.readUInt32LE(44), credit: its.readUInt32LE(48) };
      credit.set(1, peer.credit);
      if (secret) socket.write(proof('clonecodec socket client', its));
      step = secret ? 'proof' : 'frames';
      if (step === 'frames') post(1, 'hello from node');
    } else if (step === 'proof') {
      if (input.length < 33) return;
      const right = proof('clonecodec socket server', peer.hello);
      if (input[0] !== 0 || !crypto.timingSafeEqual(input.subarray(1, 33), right)) throw new Error('not proved');
      input = input.subarray(33);
      step = 'frames';
      post(1, 'hello from node');
    } else {
      if (input.length < 9) return;
      const length = input.readUInt32LE(5);
      if (input.length < 9 + length) return;
      const body = input.subarray(9, 9 + length);
      const [kind, channel] = [input.readUInt8(0), input.readUInt32LE(1)];
      input = input.subarray(9 + length);
      take(kind, channel, body);
    }
  }
});
