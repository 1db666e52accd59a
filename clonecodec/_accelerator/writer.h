/* A Writer: the bytes and the numbers of a Serializer.
 *
 * Inline is what is called for each value. */
#ifndef WRITER_H
#define WRITER_H

#include "numbers.h"

#define SMALL_BUFFER 512

typedef struct {
    PyObject_HEAD
    Numbers numbers;
    char *buffer;      /* small, or the bytes of *bytes* */
    Py_ssize_t used;
    Py_ssize_t room;
    PyObject *bytes;   /* shared with whom it was given to, or nobody's but ours */
    Py_ssize_t depth;  /* of all walks that are going on: one may begin within another */
    Py_ssize_t max_depth;
    int hint;          /* so many padding bytes mark Python's own kinds */
    int version;
    char small[SMALL_BUFFER];
} Writer;

void use_small_buffer(Writer *writer);
int writer_grow(Writer *writer, Py_ssize_t more);
int put(Writer *writer, const void *bytes, Py_ssize_t length);
Writer *new_writer(State *state);
void writer_init(Writer *writer, int hint, int version, Py_ssize_t max_depth);
PyObject *core_of(State *state, Writer *writer);
bool writer_keeps(Writer *writer);
PyObject *writer_bytes(PyObject *self, PyObject *ignored);

/* write.c */
PyObject *writer_write(PyObject *self, PyObject *const *arguments, Py_ssize_t count);

/* Make room for *more* bytes. */
static inline int
reserve(Writer *writer, Py_ssize_t more)
{
    return LIKELY(writer->room - writer->used >= more) ? 0 : writer_grow(writer, more);
}

#define VARINT_SIZE 10

/* Seven bits a byte, lowest first. */
static inline char *
put_varint(char *at, uint64_t number)
{
    while (number > 0x7F) {
        *at++ = (char)(number | 0x80);
        number >>= 7;
    }
    *at++ = (char)number;
    return at;
}

/* How many bytes that takes. */
static inline Py_ssize_t
varint_size(uint64_t number)
{
    Py_ssize_t size = 1;
    while (number >>= 7)
        size++;
    return size;
}

/* Eight bytes, little-endian. */
static inline char *
put_double(char *at, double number)
{
    uint64_t bits = UINT64_C(0x7FF8000000000000); /* the one NaN that is written */
    if (number == number)
        memcpy(&bits, &number, sizeof bits);
#if PY_BIG_ENDIAN
    for (int i = 0; i < 8; i++)
        at[i] = (char)(bits >> 8 * i);
#else
    memcpy(at, &bits, sizeof bits);
#endif
    return at + 8;
}

/* Where the next byte goes. */
static inline char *
end_of(Writer *writer)
{
    return writer->buffer + writer->used;
}

/* Bytes have been written up to there. */
static inline void
written_to(Writer *writer, char *at)
{
    writer->used = at - writer->buffer;
}

/* Add a tag and a number. */
static inline int
put_tagged(Writer *writer, int hint, char tag, uint64_t number)
{
    if (reserve(writer, hint + 1 + VARINT_SIZE) < 0)
        return -1;
    char *at = end_of(writer);
    for (; hint > 0; hint--)
        *at++ = PADDING;
    *at++ = tag;
    written_to(writer, put_varint(at, number));
    return 0;
}

#endif
