// Writes the vectors: what this Node's v8 module makes of the values below.
//
//     node make.js                 writes node<major>.json beside this file
//     node make.js --print         prints all cases as JSON instead (CI compares them with the files)
//
// node20.json holds every case.  node22.json and later hold what differs from the file named in "base",
// and so say what each version changed.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { encode } = require("../node/encode.js");

const MAJOR = Number(process.versions.node.split(".")[0]);
const BASES = { 22: 20, 24: 22, 26: 24 };

const cases = {};

/** A case: its name, its expression, and (where Node reads something else than was written) what it reads. */
function add(name, js, { reads, how, since = 20 } = {}) {
  if (name in cases) throw new Error(`two cases are called ${name}`);
  if (MAJOR < since) return;
  let hex;
  try {
    hex = encode(js, how).toString("hex");
  } catch (error) {
    throw new Error(`${name}: ${js}: ${error.message}`);
  }
  cases[name] = { js, hex, ...(how && { how }), ...(reads && { reads }) };
}

function group(kind, expressions, options) {
  for (const js of expressions) add(`${kind} ${js}`, js, options);
}

function named(kind, table, options) {
  for (const [name, js] of Object.entries(table)) {
    const [expression, reads] = [js].flat();
    add(`${kind}: ${name}`, expression, { ...options, reads });
  }
}

/** A function body, as an expression. */
const body = (statements) => `(()=>{${statements}})()`;

// ------------------------------------------------------------------------------------------- scalars

group("value", ["undefined", "null", "true", "false"]);

const ints = [0, 1, -1, 2, 42, 100, 126, 127, 128, 129, 255, 256, 1000, 8191, 8192, 65535, 65536, 1048575];
ints.push(1048576, 134217727, 134217728, 1073741823, 1073741824, 2147483646, 2147483647, -2147483648);
ints.push(63, 64, -63, -64, -65, -128, -129, -8192, -8193, -1048576, -1048577, -134217728, -134217729);
ints.push(-1073741824, -1073741825, -2147483647);
group("int", ints);
for (let bit = 2; bit < 31; bit++) {
  add(`int 2**${bit}+1`, `2**${bit}+1`);
  add(`int -(2**${bit})-2`, `-(2**${bit})-2`);
}

group("float", [
  "-0", "0.5", "-0.25", "1.5", "-1.5", "3.141592653589793", "1/3", "0.1", "0.1+0.2", "1e-7", "-1e-7", "1e21",
  "1e100", "1e308", "-1e308", "5e-324", "-5e-324", "2.2250738585072014e-308", "1.7976931348623157e308",
  "Infinity", "-Infinity", "NaN", "2147483648", "-2147483649", "4294967295", "4294967296", "1e10", "1e15",
  "9007199254740991", "-9007199254740991", "9007199254740992", "9007199254740993", "1e17", "[1.5,2][1]",
  "Math.fround(0.1)",
]);
group("int", ["0.1*10", "4294967295-4294967290", "1e9"]);

group("bigint", [
  "0n", "1n", "-1n", "2n", "10n", "255n", "256n", "-255n", "-256n", "65535n", "65536n", "9007199254740991n",
  "-9007199254740991n", "9007199254740992n", "-9007199254740992n", "123456789012345678901234567890n",
  "-123456789012345678901234567890n", "0x1234567890abcdef777888999123n", "-0x1234567890abcdef777888999123n",
]);
for (const bits of [31, 32, 52, 54, 62, 63, 64, 65, 127, 128, 129, 192, 200, 256, 1024]) {
  add(`bigint 2n**${bits}n`, `2n**${bits}n`);
  add(`bigint 2n**${bits}n-1n`, `2n**${bits}n-1n`);
  add(`bigint -(2n**${bits}n)`, `-(2n**${bits}n)`);
}

// ------------------------------------------------------------------------------------------- strings

group("string", [
  '""', '"a"', '"hello world"', '"Qu\\u00e9bec"', '"\\u00ff"', '"\\u0000"', '"a\\u0000b"', '"\\u0080"',
  '"\\u0100"', '"\\u4f60\\u597d"', '"\\ud83d\\udc4a"', '"a\\ud83d\\udc4ab"', '"\\ud800"', '"\\udc00"',
  '"\\udc00\\ud800"', '"\\ud800a"', '"a\\udfff"', '"\\ufeffx"', '"\\ufffe"', '"\\uffff"', '"\\udbff\\udfff"',
  '"a\\u0101b"', '"\\u2028\\u2029"', '"e\\u0301"', '"\\n\\t\\\\\\""', '"__proto__"', '"\\u0130\\u0131"',
]);
for (const length of [126, 127, 128, 129, 300, 16383, 16384]) {
  add(`string: ${length} x`, `"x".repeat(${length})`);
}
for (const length of [62, 63, 64, 65, 200, 8191, 8192]) {
  add(`string: ${length} \u0101`, `"\\u0101".repeat(${length})`);
}
named("string", {
  "a slice of a two-byte string keeps two bytes": '("\\u0101"+"abcdefghijklmnopqrst").slice(1)',
  "a short slice of a two-byte string has one": '("\\u0101"+"abcdefghijklmnopqrst").slice(1,3)',
  "joined one-byte strings": '["abcdefghijklmnop","qrstuvwxyz"].join("")',
  "spaces and one character outside Latin-1": '" ".repeat(200)+"\\u{1f44a}"',
  "a Latin-1 character of a two-byte string": '"\\u0101a"[1]',
});
for (let before = 0; before < 6; before++) {
  add(`alignment: two-byte after ${before}`, `["${"a".repeat(before)}","\\u0101"]`);
  add(`alignment: two-byte key after ${before}`, `({["k".repeat(${before})]:0,"\\u0101\\u0102":"\\u0103"})`);
  add(`alignment: 64 two-byte after ${before}`, `["${"a".repeat(before)}","\\u0101".repeat(64)]`);
}
named("alignment", {
  "array of two-byte": '["\\u0101","\\u0102","\\u0103\\u0104"]',
  "mixed array": '["\\u0101",1,"a","\\u0102","\\u0103\\u0104",-65]',
  map: 'new Map([["\\u0101","a"],["a","\\u0101"]])',
  set: 'new Set(["\\u0101","a","\\u0102"])',
  boxed: '[new String("\\u0101"),new String("\\u0102"),"\\u0103"]',
  regexp: '[1,new RegExp("\\u0101\\u0102","gu"),"\\u0103"]',
  error: 'Object.assign(new Error("\\u0101"),{stack:"\\u0102"})',
  "after a bigint": '[1n,"\\u0101"]',
  "after a double": '["",1.5,"\\u0101"]',
  "after a buffer": '[new Uint8Array(1).buffer,"\\u0101"]',
  "after a typed array": '[new Uint8Array([1]),"\\u0101",new Uint8Array([1,2]),"\\u0101"]',
  "record": '({"\\u4f60":1,"\\u597d":"\\u597d",a:[["\\u0101"]]})',
});

// ------------------------------------------------------------------------------------------- objects

named("object", {
  empty: "({})",
  "one property": "({a:1})",
  "every scalar": '({a:1,b:"two",c:true,d:null,e:undefined,f:1.5,g:3n,h:false,i:-0,j:NaN})',
  "index keys come first": '({1:"a",0:"b",x:"c"})',
  "index keys come ascending": "({b:1,10:2,a:3,2:4,1:5})",
  "index keys alone, descending": "({9:1,8:2,7:3,1:4})",
  "key 2147483646": "({2147483646:1})",
  "key 2147483647": "({2147483647:1})",
  "key 2147483648": "({2147483648:1})",
  "key 4294967294": "({4294967294:1})",
  "key 4294967295": "({4294967295:1})",
  "key 4294967296": "({4294967296:1})",
  "key 1073741824": "({1073741824:1})",
  "all the border keys": "({b:0,4294967295:1,4294967294:2,2147483648:3,2147483647:4,0:5})",
  "key -1": '({"-1":1})',
  "key -0": '({"-0":1})',
  "key 1.5": '({"1.5":1})',
  "key 01": '({"01":1,"1":2})',
  "key 1e3": '({"1e3":1})',
  "key with a space": '({" 1":1})',
  "empty key": '({"":1})',
  "Latin-1 key": '({"\\u00e9":1})',
  "two-byte key": '({"\\u0101":1})',
  "lone surrogate key": '({"\\ud800":1})',
  "key __proto__": '({["__proto__"]:{x:1}})',
  "keys of Object.prototype": "({toString:1,constructor:2,hasOwnProperty:3,valueOf:4})",
  "key length": "({length:3})",
  "like an error": '({name:"Error",message:"m",stack:"s"})',
  nested: "({a:{b:{c:{}}}})",
  "undefined value": "({a:undefined})",
  "shared value": body("const s={};return {a:s,b:s}"),
  "refers to itself": body("const o={};o.o=o;return o"),
  "refers to its parent": body("const o={a:{b:{}}};o.a.b.c=o.a;return o"),
  "twenty keys": 'Object.fromEntries(Array.from({length:20},(_, i)=>["k"+i,i]))',
  "two hundred keys": 'Object.fromEntries(Array.from({length:200},(_, i)=>["k"+i,i]))',
  "130 index keys": "Object.fromEntries(Array.from({length:130},(_, i)=>[i*3,i]))",
  "ten levels": body("let a={};for(let i=0;i<10;i++)a={a};return a"),
  "a hundred levels": body("let a={};for(let i=0;i<100;i++)a={a};return a"),
  "records of one shape": "[{x:1,y:2},{x:3,y:4},{x:5,z:6}]",
  "records of mixed numbers": "[{x:1.5},{x:2}]",
  "a deleted key": body("const o={a:1,b:2,c:3};delete o.b;return o"),
  "null prototype": ["Object.assign(Object.create(null),{a:1})", "({a:1})"],
  "an instance": ["new (class Foo{constructor(){this.x=1;this.y=[2]}m(){}})", "({x:1,y:[2]})"],
  "private fields": ["new (class P{#z=1;a=2})", "({a:2})"],
  "a getter": ["({get a(){return 7},b:1})", "({a:7,b:1})"],
  "hidden property": ['Object.defineProperty({a:1},"hid",{value:2})', "({a:1})"],
  "symbol key": ['({[Symbol("s")]:1,a:2})', "({a:2})"],
  "inherited property": ["Object.create({inh:1},{own:{value:2,enumerable:true}})", "({own:2})"],
  frozen: ["Object.freeze({a:1})", "({a:1})"],
  "a getter that deletes": ["({get a(){delete this.b;return 1},b:2})", "({a:1})"],
  "a getter that adds": ["({get a(){this.b=3;return 1}})", "({a:1})"],
  Math: ["Math", "({})"],
  JSON: ["JSON", "({})"],
  "Date.prototype": ["Date.prototype", "({})"],
  "a URL": ['new URL("http://a/")', "({})"],
});

// -------------------------------------------------------------------------------------------- arrays

named("array", {
  empty: "[]",
  "small ints": "[1,2,3]",
  "mixed kinds": '[1,"a",null,undefined,true,false,{},[],1n]',
  "numbers with a float": "[1.5,2,3]",
  "numbers with -0": "[1,-0]",
  "numbers with NaN": "[NaN,1.5]",
  "numbers past 32 bits": "[1,2**31]",
  "floats alone": "[0.5,1.25,-2.75]",
  "a float among others": '[1,2.5,"a"]',
  strings: '["a","b","c"]',
  undefineds: "[undefined,undefined]",
  nulls: "[null,null]",
  nested: "[[[]],[[1]]]",
  bigints: "[1n,-1n]",
  booleans: "[true,false]",
  objects: "[{a:1},{a:2},{b:3}]",
  "128 ints": "Array.from({length:128},(_, i)=>i)",
  "1000 ints": "Array.from({length:1000},(_, i)=>i)",
  "ten levels": body("let a=[];for(let i=0;i<10;i++)a=[a];return a"),
  "a hundred levels": body("let a=[];for(let i=0;i<100;i++)a=[a];return a"),
  "contains itself": body("const a=[];a[0]=a;return a"),
  "contains itself twice": body("const a=[];a.push(a,a);return a"),
  "one object thrice": body("const o={};return [o,o,[o]]"),
  "from split": '"a,b".split(",")',
  "from JSON": 'JSON.parse("[1,[2,{\\"a\\":[3]}]]")',
  "spread of a set": "[...new Set([1,2])]",
  "after pop": body("const a=[1,2,3];a.pop();return a"),
  "a subclass": ["new (class A2 extends Array{})(1,2,3)", "[1,2,3]"],
  "a symbol property": ["Object.assign([1],{[Symbol()]:2})", "[1]"],
  "one property": 'Object.assign([1,2],{foo:"bar"})',
  "properties on an empty one": "Object.assign([],{a:1,b:2})",
  "properties like numbers": 'Object.assign([1],{"-1":2,"1.5":3})',
  "property 4294967295": "Object.assign([1],{4294967295:9})",
  "a property that is the array": body("const a=[1];a.me=a;return a"),
  "two-byte property": 'Object.assign([1],{"\\u0101":"\\u0102"})',
  "property __proto__": 'Object.defineProperty([1],"__proto__",{value:2,enumerable:true,writable:true,configurable:true})',
  "an element deleted by a getter": [body("const x=[{get a(){delete x[1];return 1}},42];return x"), "[{a:1},,]"],
  "shrunk by a getter": [body("const x=[1,{get a(){x.length=0;return 0}},3,4];return x"), "[1,{a:0},,,]"],
  "a regexp match": ['"xay".match(/a/)', 'Object.assign(["a"],{index:1,input:"xay",groups:undefined})'],
});

named("sparse", {
  "a hole in the middle": "[1,,3]",
  "a hole at the start": "[,1]",
  "a hole at the end": "[1,,]",
  "holes alone": "new Array(3)",
  "floats and a hole": "[1.5,,2.5]",
  "objects and a hole": "[{},,[]]",
  "undefined beside a hole": "[undefined,,undefined]",
  "a hole and a property": 'Object.assign([1,,3],{foo:"bar"})',
  "one element of a thousand": body("const a=new Array(1000);a[500]=42;return a"),
  "one element of 4294967295": body("const a=[];a[4294967294]=1;return a"),
  "two elements, far apart": body("const a=[1];a[1000000000]=2;return a"),
  "index 2147483647 and 2147483648": body("const a=[];a[2147483647]=1;a[2147483648]=2;return a"),
  "length 4294967295 and nothing": body("const a=[];a.length=4294967295;return a"),
  "length 100000 and nothing": "new Array(100000)",
  "far element and a property": body('const a=[];a[50000000]="x";a.p=a;return a'),
  "contains itself": body("const a=[,];a[1]=a;return a"),
  "after delete": [body("const a=[1,2,3];delete a[2];return a"), "[1,2,,]"],
  "zero length": ["new Array(0)", "[]"],
  "full, but once holey": [body("const a=new Array(2);a[0]=1;a[1]=2;return a"), "[1,2]"],
  "frozen": ['Object.freeze([1,"a"])', '[1,"a"]'],
  "frozen ints": ["Object.freeze([1,2])", "[1,2]"],
  "frozen and empty": ["Object.freeze([])", "[]"],
  "sealed": ["Object.seal([1,{}])", "[1,{}]"],
  "an accessor element": [body('const x=[1,2,3];Object.defineProperty(x,"1",{enumerable:true,get:()=>4});return x'), "[1,4,3]"],
  "a hidden element": [body('const x=[1,2,3];Object.defineProperty(x,"1",{enumerable:false,value:5});return x'), "[1,,3]"],
  "Array.prototype": ["Array.prototype", "[]"],
});

// ------------------------------------------------------------------------- dates, boxes, expressions

group("date", [
  "0", "1", "-1", "1e6", "1700000000123", "1709210096789", "951782400000", "-2208988800000", "253402300799999",
  "253402300800000", "-62135596800000", "-62135596800001", "8.64e15", "-8.64e15", "NaN", "999", "1e12", "-1e12",
].map((ms) => `new Date(${ms})`));
named("date", {
  "text": 'new Date("2024-02-29T12:34:56.789Z")',
  "with a property": ["Object.assign(new Date(5),{x:1})", "new Date(5)"],
  "a subclass": ["new (class D2 extends Date{})(7)", "new Date(7)"],
  "twice": body("const d=new Date(1);return [d,d,new Date(1)]"),
  "as a key and a value": body("const d=new Date(1);return new Map([[d,d]])"),
});

group("boxed", [
  "new Boolean(true)", "new Boolean(false)", "new Number(0)", "new Number(42)", "new Number(-0)", "new Number(1.5)",
  "new Number(NaN)", "new Number(Infinity)", "new Number(2**53)", 'new String("")', 'new String("abc")',
  'new String("\\u00e9")', 'new String("\\u{1f44a}")', "Object(0n)", "Object(1n)", "Object(-5n)", "Object(2n**70n)",
]);
named("boxed", {
  "twice": body("const a=new Number(1);return [a,a,new Number(1)]"),
  "boolean twice": body("const a=new Boolean(true);return [a,a]"),
  "string twice": body('const a=new String("s");return [a,a,"s"]'),
  "bigint twice": body("const a=Object(1n);return [a,a,1n]"),
  "with a property": ['Object.assign(new String("ab"),{x:1})', 'new String("ab")'],
});

for (const flags of ["", "g", "i", "m", "s", "u", "y", "d", "v", "gi", "gm", "dg", "gimsuy", "dgimsuy", "dgimsvy"]) {
  add(`regexp: flags ${flags || "none"}`, `new RegExp("a+b","${flags}")`);
}
named("regexp", {
  empty: 'new RegExp("")',
  "an escaped slash": "/\\//",
  "a slash": 'new RegExp("/")',
  "Latin-1": 'new RegExp("\\u00e9")',
  "two-byte": 'new RegExp("\\u0101")',
  "two-byte, unicode": 'new RegExp("\\u0101","u")',
  "a line end": 'new RegExp("\\n")',
  groups: "/(?<y>\\d+)-(?<m>x)\\k<m>/u",
  lookbehind: "/(?<=a)b(?!c)/",
  "a class": "/[\\d\\-a-z]+?/g",
  "lastIndex is lost": ["Object.assign(/a/g,{lastIndex:3})", "/a/g"],
  "a subclass": ['new (class R2 extends RegExp{})("q","g")', "/q/g"],
  twice: body("const r=/x/;return {a:r,b:r}"),
});

// -------------------------------------------------------------------------------------- maps and sets

named("map", {
  empty: "new Map()",
  "one entry": "new Map([[1,2]])",
  "order of entry": 'new Map([[1,0],["a",0],[3,0],[2,0]])',
  "every scalar key": 'new Map([[undefined,1],[null,2],[true,3],[false,4],[1.5,5],["",6],[1n,7],[NaN,8]])',
  "1 and true": "new Map([[1,1],[true,2],[0,3],[false,4]])",
  "1 and 1n": "new Map([[1,1],[1n,2]])",
  "1 and its text": 'new Map([[1,1],["1",2]])',
  "object keys": "new Map([[{a:1},[1]],[[],{}]])",
  "equal lists as keys": "new Map([[[1],1],[[1],2]])",
  "contains itself": body("const m=new Map();m.set(m,m);return m"),
  "value is itself": body('const m=new Map();m.set("m",m);return m'),
  "-0 is 0": "new Map([[-0,1]])",
  nested: 'new Map([["m",new Map([["s",new Set([1])]])]])',
  "key and value one object": body("const k={};return new Map([[k,k]])"),
  "after delete": body("const m=new Map([[1,1],[2,2],[3,3]]);m.delete(2);return m"),
  "64 entries": "new Map(Array.from({length:64},(_, i)=>[i,i]))",
  "65 entries": "new Map(Array.from({length:65},(_, i)=>[i,String(i)]))",
  "string keys": 'new Map([["a",1],["b",2]])',
  "date keys": "new Map([[new Date(0),1],[new Date(0),2]])",
  "with a property": ["Object.assign(new Map([[1,2]]),{x:1})", "new Map([[1,2]])"],
  "a subclass": ["new (class M2 extends Map{})([[1,2]])", "new Map([[1,2]])"],
  "twice": body("const m=new Map();return [m,m,new Map()]"),
});

named("set", {
  empty: "new Set()",
  "one member": "new Set([1])",
  "one string": 'new Set(["a"])',
  "one null": "new Set([null])",
  "one undefined": "new Set([undefined])",
  "one float": "new Set([1.5])",
  "order of entry": 'new Set([1,"a",3,2])',
  "every scalar": 'new Set([1.5,"a",3n,null,undefined,true,NaN])',
  "1 and true": "new Set([1,true,0,false])",
  objects: "new Set([{},[],new Date(0)])",
  "equal lists": "new Set([[1],[1]])",
  sets: "new Set([new Set([1]),new Set([1])])",
  "contains itself": body("const s=new Set();s.add(s);return s"),
  "130 members": "new Set(Array.from({length:130},(_, i)=>i))",
  "a subclass": ["new (class S2 extends Set{})([1])", "new Set([1])"],
  "twice": body("const s=new Set();return [s,s,new Set()]"),
});

// ------------------------------------------------------------------------------------------- buffers

for (const how of ["default", "native"]) {
  const kind = how === "native" ? "native buffer" : "buffer";
  named(kind, {
    empty: "new ArrayBuffer(0)",
    "three bytes": "new Uint8Array([0,128,255]).buffer",
    "two hundred bytes": "new ArrayBuffer(200)",
    twice: body("const a=new ArrayBuffer(1);return [a,a,new ArrayBuffer(1)]"),
    resizable: "new ArrayBuffer(2,{maxByteLength:4})",
    "resizable from nothing": "new ArrayBuffer(0,{maxByteLength:0})",
    "resizable to 300": "new ArrayBuffer(3,{maxByteLength:300})",
    "resizable twice": body("const a=new ArrayBuffer(1,{maxByteLength:2});return [a,a]"),
  }, how === "native" ? { how } : {});
}

const KINDS = {
  Int8Array: [1, "-1,1,127,-128"],
  Uint8Array: [1, "0,1,128,255"],
  Uint8ClampedArray: [1, "0,300,-5,254"],
  Int16Array: [2, "-2,258"],
  Uint16Array: [2, "1,65535"],
  Int32Array: [4, "-1,1"],
  Uint32Array: [4, "4294967295,7"],
  Float32Array: [4, "1.5,-0,NaN,Infinity"],
  Float64Array: [8, "1.5,-0,Infinity,NaN"],
  BigInt64Array: [8, "-1n,1n"],
  BigUint64Array: [8, "2n**64n-1n,5n"],
  Float16Array: [2, "1,-0.5,65504,NaN"],
};

for (const [kind, [size, values]] of Object.entries(KINDS)) {
  const options = kind === "Float16Array" ? { since: 24 } : {};
  named(`view ${kind}`, {
    empty: `new ${kind}(0)`,
    values: `new ${kind}([${values}])`,
    "forty bytes": `new ${kind}(${40 / size})`,
    "part of a buffer": `new ${kind}(Uint8Array.from({length:32},(_, i)=>i).buffer,${size},2)`,
    twice: body(`const u=new ${kind}(1);return [u,u,new ${kind}(1)]`),
    "resizable": [`new ${kind}(new ArrayBuffer(${size},{maxByteLength:${size * 4}}))`, `new ${kind}(1)`],
    "shared": [`new ${kind}(new SharedArrayBuffer(${size}))`, `new ${kind}(1)`],
  }, options);
  named(`native ${kind}`, {
    empty: `new ${kind}(0)`,
    values: `new ${kind}([${values}])`,
    "part of a buffer": `new ${kind}(Uint8Array.from({length:32},(_, i)=>i).buffer,${size},2)`,
    twice: body(`const u=new ${kind}(1);return [u,u,new ${kind}(1)]`),
    "then its buffer": body(`const u=new ${kind}(1);return [u,u.buffer,u]`),
    "after its buffer": body(`const u=new ${kind}(1);return [u.buffer,u,u.buffer]`),
    "length-tracking": `new ${kind}(new ArrayBuffer(${size * 2},{maxByteLength:${size * 4}}))`,
    "on a resizable buffer": `new ${kind}(new ArrayBuffer(${size * 3},{maxByteLength:${size * 4}}),${size},1)`,
  }, { ...options, how: "native" });
}

named("view DataView", {
  empty: "new DataView(new ArrayBuffer(0))",
  "three bytes": "new DataView(new Uint8Array([1,2,3]).buffer)",
  "part of a buffer": "new DataView(new Uint8Array([1,2,3,4]).buffer,1,2)",
  twice: body("const u=new DataView(new ArrayBuffer(1));return [u,u]"),
  resizable: ["new DataView(new ArrayBuffer(3,{maxByteLength:8}))", "new DataView(new ArrayBuffer(3))"],
});
named("native DataView", {
  empty: "new DataView(new ArrayBuffer(0))",
  "three bytes": "new DataView(new Uint8Array([1,2,3]).buffer)",
  "part of a buffer": "new DataView(new Uint8Array([1,2,3,4]).buffer,1,2)",
  twice: body("const u=new DataView(new ArrayBuffer(1));return [u,u]"),
  "then its buffer": body("const u=new DataView(new ArrayBuffer(1));return [u,u.buffer]"),
  "length-tracking": "new DataView(new ArrayBuffer(3,{maxByteLength:8}))",
  "on a resizable buffer": "new DataView(new ArrayBuffer(3,{maxByteLength:8}),1,2)",
  "beside a typed array": body("const b=new ArrayBuffer(4);return [new DataView(b,1),new Uint16Array(b,2)]"),
}, { how: "native" });
named("Buffer", {
  empty: "Buffer.alloc(0)",
  text: 'Buffer.from("hello")',
  "three bytes": "Buffer.from([0,255,128])",
  "part of a buffer": 'Buffer.from("abcdef").subarray(2,4)',
  "128 bytes": "Buffer.alloc(128,7)",
  twice: body("const b=Buffer.from([1]);return {a:b,b}"),
  "two equal ones": "[Buffer.from([1,2]),Buffer.from([1,2])]",
  "two equal ones of one byte": "[Buffer.from([1]),Buffer.from([1])]",
  "between strings": '["\\u0101",Buffer.from("x"),"\\u0101"]',
});
named("views", {
  "three on one buffer": body("const b=new ArrayBuffer(4);return [new Uint8Array(b),new Uint16Array(b,2,1),b]"),
  "in an object": "({d:new Float64Array([2]),e:new Uint8Array(2)})",
  "as Map keys": "new Map([[new Uint8Array([1]),1],[new Uint8Array([1]),2]])",
  "another tag": ['Object.defineProperty(new Uint8Array([1]),Symbol.toStringTag,{value:"Int8Array"})', "new Int8Array([1])"],
  "another constructor": ["Object.assign(new Uint8Array([1]),{constructor:Buffer})", "Buffer.from([1])"],
  "out of bounds": [body("const b=new ArrayBuffer(8,{maxByteLength:16}),u=new Uint8Array(b,4,4);b.resize(4);return u"), "new Uint8Array(0)"],
});
named("native views", {
  "three on one buffer": body("const b=new ArrayBuffer(8);return [new Uint8Array(b),new Uint16Array(b,2,1),b,new Float64Array(b)]"),
  "two equal buffers": "[new Uint8Array([1]),new Uint8Array([1])]",
  "in an object": "({d:new Float64Array([2]),e:new Uint8Array(2)})",
  "then an object twice": body("const o={};return [new Uint8Array(1),o,o]"),
  "the same part twice": body("const b=new ArrayBuffer(4);return [new Uint8Array(b,1,2),new Uint8Array(b,1,2)]"),
}, { how: "native" });

// -------------------------------------------------------------------------------------------- errors

const error = (kind, args, extra = "") => `Object.assign(new ${kind}(${args}),{stack:"S"${extra}})`;
for (const kind of ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"]) {
  named(kind, {
    "with a message": error(kind, '"m"'),
    "without a message": error(kind, ""),
    "with an empty message": error(kind, '""'),
    "with a cause": error(kind, '"m",{cause:1}'),
    "without a stack": `Object.assign(new ${kind}("m"),{stack:undefined})`,
  });
}
named("error", {
  "two-byte message": error("Error", '"\\u0101"'),
  "two-byte stack": 'Object.assign(new Error("m"),{stack:"\\u0101"})',
  "cause undefined": error("Error", '"m",{cause:undefined}'),
  "cause null": error("Error", '"m",{cause:null}'),
  "cause an object": error("Error", '"m",{cause:{a:[1]}}'),
  "cause an error": error("Error", `"m",{cause:${error("TypeError", '"in"')}}`),
  "three causes deep": error("Error", `"a",{cause:${error("RangeError", `"b",{cause:${error("URIError", '"c"')}}`)}}`),
  "cause without message": error("Error", "undefined,{cause:1}"),
  "cause shared": body(`const o={};return [${error("Error", '"m",{cause:o}')},o]`),
  twice: body(`const e=${error("Error", '"m"')};return [e,e]`),
  "then an object": `[${error("Error", '"m"')},{x:1}]`,
  "in a map": `new Map([["e",${error("TypeError", '"m"')}]])`,
  "other properties are lost": [error("Error", '"m"', ',code:"X"'), error("Error", '"m"')],
  "an own name": [error("Error", '"m"', ',name:"TypeError"'), error("TypeError", '"m"')],
  "an unknown name": [error("TypeError", '"m"', ',name:"Custom"'), error("Error", '"m"')],
  "a subclass": [error("(class MyErr extends RangeError{})", '"m"'), error("RangeError", '"m"')],
  AggregateError: [error("AggregateError", '[1,2],"m"'), error("Error", '"m"')],
  "a message that is no string": [error("Error", '"m"', ",message:5"), error("Error", '"5"')],
  "a stack that is no string": ['Object.assign(new Error("m"),{stack:17})', 'Object.assign(new Error("m"),{stack:undefined})'],
});

// ------------------------------------------------------------------------------ identity, mixes, seams

const RECEIVERS = {
  object: "{}",
  array: "[]",
  sparse: "[,1]",
  date: "new Date(0)",
  boolean: "new Boolean(false)",
  number: "new Number(1)",
  string: 'new String("s")',
  bigint: "Object(1n)",
  regexp: "/x/",
  map: "new Map()",
  set: "new Set()",
  buffer: "new ArrayBuffer(1)",
  resizable: "new ArrayBuffer(1,{maxByteLength:2})",
  "typed array": "new Uint8Array([1])",
  DataView: "new DataView(new ArrayBuffer(1))",
  Buffer: "Buffer.from([1,2])",
  error: error("Error", '"m"'),
};
for (const [kind, js] of Object.entries(RECEIVERS)) {
  add(`ids: ${kind}`, body(`const o={},k=${js};return [k,o,k,o]`));
  add(`ids: two of ${kind}`, body(`const o={};return {a:${js},b:${js},o,p:o}`));
  if (kind !== "Buffer") {
    add(`native ids: ${kind}`, body(`const o={},k=${js};return [k,o,k,o]`), { how: "native" });
  }
}
for (const [kind, js] of Object.entries({ int: "1", float: "1.5", string: '"s"', bigint: "1n", null: "null", undefined: "undefined", boolean: "true" })) {
  add(`ids: none for ${kind}`, body(`const o={};return [${js},o,${js},o]`));
}
named("ids", {
  "every kind at once": body(`const all=[${Object.values(RECEIVERS).join(",")}];return [...all,...all]`),
  "two hundred references": body("const o={};return Array.from({length:200},()=>o)"),
  "reference past 127": body("const l=Array.from({length:130},()=>({}));return [...l,l[129],l[0]]"),
});

named("mix", {
  "a ring of four kinds": body('const m=new Map(),s=new Set(),a=[],o={};m.set("s",s);s.add(a);a.push(o);o.m=m;return o'),
  "a family": body('const p={name:"p",children:[]};for(const name of ["a","b"])p.children.push({name,parent:p});return p'),
  "a linked list": body("let n=null;for(let i=0;i<50;i++)n={i,next:n};return n"),
  "a doubly linked list": body("const a={},b={prev:a},c={prev:b};a.next=b;b.next=c;return [a,c]"),
  "a record": '({id:7,name:"n\\u00e4me",tags:new Set(["a","b"]),made:new Date(1700000000000),blob:new Uint8Array([1,2,3]),meta:new Map([["k",{v:[1,2.5,null]}]])})',
  "a session": body('const user={id:1n,name:"\\u0141"};return {user,seen:new Map([[user,new Date(0)]]),log:[[user,/x/g],[null,undefined]]}'),
  "a table": 'Array.from({length:10},(_, i)=>({id:i,label:"row "+i,even:i%2===0,half:i+0.5}))',
  "GeoJSON": '({type:"Feature",geometry:{type:"Polygon",coordinates:[[[1.5,2.25],[3.5,4.75],[1.5,2.25]]]},properties:null})',
  "a package": '({name:"x",version:"1.0.0",dependencies:{a:"^1"},private:true,files:[]})',
  "a matrix": "[[1,2],[3,4]]",
  "sets in maps in sets": "new Set([new Map([[new Set(),new Map()]])])",
  "boxes in boxes": "[[new Number(1)],{s:new String('x')}]",
  "maps with index keys": 'new Map([["1",{1:1}],[1,{"01":1}]])',
  "a queue of errors": `[${error("TypeError", '"a"')},{e:${error("RangeError", '"b"')}}]`,
  "one date everywhere": body("const d=new Date(5);return {d,l:[d],m:new Map([[d,d]]),s:new Set([d])}"),
});

named("several", {
  "two values": "[1,'a']",
  "ids go on": body("const o={};return [o,o,{o}]"),
  "alignment goes on": '["a","\\u0101","\\u0102"]',
}, { how: "several" });

named("shared buffer", {
  alone: "new SharedArrayBuffer(4)",
  twice: body("const s=new SharedArrayBuffer(4);return [s,s]"),
  "two of them": "[new SharedArrayBuffer(1),new SharedArrayBuffer(2)]",
  "with a view": body("const s=new SharedArrayBuffer(4);return [new Uint8Array(s),s]"),
  "view in an object": "({v:new Int32Array(new SharedArrayBuffer(8),4,1)})",
}, { how: "shared" });

named("transferred buffer", {
  alone: body("const b=new ArrayBuffer(4);return [b,[b]]"),
  twice: body("const b=new ArrayBuffer(4);return [[b,b],[b]]"),
  "two of them": body("const a=new ArrayBuffer(1),b=new ArrayBuffer(2);return [{b,a},[a,b]]"),
  "with a view": body("const b=new ArrayBuffer(4);return [[new Uint8Array(b,1,2),b],[b]]"),
  "beside a copied one": body("const b=new ArrayBuffer(4);return [[b,new ArrayBuffer(1)],[b]]"),
}, { how: "transfer" });

// ------------------------------------------------------------------------------------------- the file

/** The cases of the file for *major*, its base's included. */
function load(major) {
  const file = JSON.parse(fs.readFileSync(path.join(__dirname, `node${major}.json`), "utf8"));
  return { ...(file.base ? load(BASES[major]) : {}), ...file.cases };
}

function text(content) {
  const { cases: listed, ...head } = content;
  const lines = Object.entries(listed).map(([name, entry]) => `  ${JSON.stringify(name)}: ${JSON.stringify(entry)}`);
  const start = Object.entries(head).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  return `{${start.join("")}"cases": {\n${lines.join(",\n")}\n}}\n`;
}

function main() {
  const head = { node: process.version, v8: process.versions.v8 };
  if (process.argv.includes("--print")) {
    process.stdout.write(text({ ...head, cases }));
    return;
  }
  const base = BASES[MAJOR];
  const before = base ? load(base) : {};
  const differs = ([name, entry]) => JSON.stringify(entry) !== JSON.stringify(before[name]);
  const kept = Object.fromEntries(Object.entries(cases).filter(differs));
  const file = path.join(__dirname, `node${MAJOR}.json`);
  fs.writeFileSync(file, text({ ...head, ...(base && { base: `node${base}.json` }), cases: kept }));
  console.log(`${path.basename(file)}: ${Object.keys(cases).length} cases, ${Object.keys(kept).length} of them here`);
}

main();
