/* A Reader: one value that is being read.
 *
 * Inline is what is called for each value. */
#ifndef READER_H
#define READER_H

#include "build.h"

/* A container that is being read. */
typedef struct {
    Kind kind;
    bool indexed;        /* OBJECT_: all keys are array indices, ascending, so far */
    bool unordered;      /* OBJECT_: array indices that do not come first */
    PyObject *target;    /* held; a set for a frozenset */
    PyObject *key;       /* OBJECT_, MAP_: where the next value goes; held */
    PyObject *keys;      /* MAP_, SET_, FROZENSET: the Keys, once they are needed; held */
    Py_ssize_t length;   /* LIST, TUPLE: as claimed */
    Py_ssize_t left;     /* LIST, TUPLE: items that are still to come */
    Py_ssize_t owed;     /* the sum of *left* of all containers around it: each takes a byte at least */
    Py_ssize_t count;    /* MAP_, SET_, FROZENSET: values read */
    Py_ssize_t number;
    uint32_t index;      /* OBJECT_: the last array index */
} Frame;

#define FEW_FRAMES 16

typedef struct {
    State *state;
    const uint8_t *start, *at, *end;
    bool plain;             /* let Python do it all instead of calling it: there is no Deserializer to ask */
    bool node;              /* host objects are Node's, as DefaultDeserializer knows them */
    bool copied;            /* and their bytes are copied: not zero_copy */
    bool shown;             /* or shown where they are, by loads */
    bool paused;            /* whether the collector is to be resumed */
    PyObject *data;         /* loads: what is read; borrowed */
    PyObject *whole;        /* a memoryview of it, once there is one; held */
    PyObject *deserializer; /* NULL as long as loads needs none; held */
    PyObject *wire;         /* held */
    PyObject *objects;      /* by number, a list; held */
    Py_ssize_t max_depth;   /* for this value, which may lie in a host object */
    Py_ssize_t depth;
    Py_ssize_t room;
    Frame *frames;
    Frame few[FEW_FRAMES];
} Reader;

/* NULL without an exception means: let Python do it. */
#define GIVE_UP NULL
/* reader.c */
PyObject *leaf(Reader *reader, uint8_t tag, bool hinted);

/* read_views.c */
PyObject *node_buffer(Reader *reader, bool hinted);
PyObject *read_only_view(Reader *reader);

/* read.c */
PyObject *read_walk(Reader *reader);
void drop(Frame *frame);

/* A number of more than 7 bits. */
static inline bool
long_varint(Reader *reader, int longest, uint64_t *value)
{
    const uint8_t *at = reader->at;
    *value = 0;
    for (int i = 0; i < longest; i++) {
        if (at >= reader->end)
            return false;
        *value |= (uint64_t)(*at & 0x7F) << 7 * i;
        if (*at++ < 0x80) {
            reader->at = at;
            return true;
        }
    }
    reader->at = at;
    return at < reader->end; /* V8 looks at the byte behind the longest form */
}

/* A number of 32 bits; most have one byte. */
static inline bool
varint(Reader *reader, uint32_t *value)
{
    if (LIKELY(reader->at < reader->end && *reader->at < 0x80)) {
        *value = *reader->at++;
        return true;
    }
    uint64_t wide;
    bool there = long_varint(reader, 5, &wide);
    *value = (uint32_t)wide;
    return there;
}

/* Whether the tag *end* comes next; if so, read it. */
static inline bool
ends(Reader *reader, uint8_t end)
{
    const uint8_t *at = reader->at;
    while (at < reader->end && *at == PADDING)
        at++;
    if (at >= reader->end || *at != end)
        return false;
    reader->at = at + 1;
    return true;
}

/* Give *value* the next number. */
static inline PyObject *
numbered(Reader *reader, PyObject *value)
{
    if (value != NULL && PyList_Append(reader->objects, value) < 0)
        Py_CLEAR(value);
    return value;
}

#endif
