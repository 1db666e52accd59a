/* Scalars as bytes.
 *
 * In C, and inline, because messages are made of them. */
#ifndef WRITE_SCALARS_H
#define WRITE_SCALARS_H

#include "writer.h"

/* memcpy of what is mostly short, which takes less time than the call of a function. */
static inline char *
put_octets(char *at, const char *octets, Py_ssize_t length)
{
    if (length > 16)
        memcpy(at, octets, length);
    else if (length >= 8) { /* the first and the last eight, which may overlap */
        memcpy(at, octets, 8);
        memcpy(at + length - 8, octets + length - 8, 8);
    }
    else if (length >= 4) {
        memcpy(at, octets, 4);
        memcpy(at + length - 4, octets + length - 4, 4);
    }
    else if (length) {
        at[0] = octets[0];
        at[length / 2] = octets[length / 2];
        at[length - 1] = octets[length - 1];
    }
    return at + length;
}

/* A unit of UTF-16, little-endian. */
static inline char *
put_unit(char *at, uint32_t unit)
{
    *at++ = (char)unit;
    *at++ = (char)(unit >> 8);
    return at;
}

/* Characters that may lie beyond 0xFFFF.  Which of them do nobody can foresee, so there is no branch: two units are
 * written for each, and kept or not.  (With branches, text full of emoji takes twice the time.) */
static inline char *
put_mixed(char *at, const Py_UCS4 *characters, Py_ssize_t length)
{
    for (Py_ssize_t i = 0; i < length; i++) {
        uint32_t character = characters[i], beyond = character > 0xFFFF;
        uint32_t high = 0xD7C0 + (character >> 10), low = 0xDC00 | (character & 0x3FF);
        uint32_t both = (beyond ? high : character) | low << 16;
        for (int octet = 0; octet < 4; octet++) /* compiled to one store */
            at[octet] = (char)(both >> 8 * octet);
        at += 2 + 2 * beyond;
    }
    return at;
}

#define BLOCK 8 /* characters, which the compiler takes at once */
#define COUNTED (1 << 24)

/* The same for a text, in which often all of a few do. */
static inline char *
put_utf16(char *at, const Py_UCS4 *characters, Py_ssize_t length)
{
    for (; length >= BLOCK && !PY_BIG_ENDIAN; characters += BLOCK, length -= BLOCK) {
        int beyond = 0;
        for (int i = 0; i < BLOCK; i++)
            beyond += characters[i] > 0xFFFF;
        if (beyond == BLOCK) {
            uint32_t both[BLOCK];
            for (int i = 0; i < BLOCK; i++)
                both[i] = (0xD7C0 + (characters[i] >> 10)) | (0xDC00 | (characters[i] & 0x3FF)) << 16;
            memcpy(at, both, sizeof both);
            at += sizeof both;
        }
        else
            at = put_mixed(at, characters, BLOCK);
    }
    return put_mixed(at, characters, length);
}

/* How many UTF-16 units a text of four bytes a character has.  (Counted in 32 bits like the characters, so that the
 * compiler takes several at once; a part at a time, so that there is room for the count.) */
static inline Py_ssize_t
units_of(const Py_UCS4 *characters, Py_ssize_t length)
{
    Py_ssize_t units = length;
    for (Py_ssize_t i = 0; i < length;) {
        Py_ssize_t stop = length - i > COUNTED ? i + COUNTED : length;
        uint32_t beyond = 0;
        for (; i < stop; i++)
            beyond += characters[i] > 0xFFFF;
        units += beyond;
    }
    return units;
}

/* Text that Latin-1 will not do for, in UTF-16.  (Out of line: what writes a value is quicker if it is short.) */
static NOINLINE int
write_two_byte_str(Writer *writer, PyObject *text)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    const void *data = PyUnicode_DATA(text);
    int kind = PyUnicode_KIND(text);
    Py_ssize_t units = kind == PyUnicode_4BYTE_KIND ? units_of(data, length) : length;
    /* Two bytes more than needed, see put_utf16. */
    if (reserve(writer, 2 * units + 2 + VARINT_SIZE + 2) < 0)
        return -1;
    char *at = end_of(writer);
    /* V8 has its two-byte characters start at an even offset from the start of the buffer. */
    if ((writer->used + 1 + varint_size(2 * (uint64_t)units)) & 1)
        *at++ = PADDING;
    *at++ = TWO_BYTE_STRING;
    at = put_varint(at, 2 * (uint64_t)units);
    if (kind == PyUnicode_4BYTE_KIND)
        at = put_utf16(at, data, length);
    else if (PY_BIG_ENDIAN)
        for (Py_ssize_t i = 0; i < length; i++)
            at = put_unit(at, ((const Py_UCS2 *)data)[i]);
    else {
        memcpy(at, data, 2 * length);
        at += 2 * length;
    }
    written_to(writer, at);
    return 0;
}

/* Text: one byte a character if Latin-1 will do, else UTF-16. */
static inline int
write_str(Writer *writer, PyObject *text)
{
    if (READY(text) < 0)
        return -1;
    if (UNLIKELY(PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND))
        return write_two_byte_str(writer, text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    if (reserve(writer, length + 1 + VARINT_SIZE) < 0)
        return -1;
    char *at = end_of(writer);
    *at++ = ONE_BYTE_STRING;
    at = put_varint(at, (uint64_t)length);
    written_to(writer, put_octets(at, PyUnicode_DATA(text), length));
    return 0;
}

/* Returns 1 for an int of more than 64 bits, which Python is to write. */
static inline int
write_int(Writer *writer, PyObject *object)
{
    int64_t value;
    if (LIKELY(SMALL_INT(object)))
        value = SMALL_INT_VALUE(object);
    else if (MEDIUM_INT(object))
        value = MEDIUM_INT_VALUE(object);
    else {
        int overflow;
        value = PyLong_AsLongLongAndOverflow(object, &overflow);
        if (overflow)
            return 1;
        if (value == -1 && PyErr_Occurred())
            return -1;
    }
    if (reserve(writer, 2 + 1 + VARINT_SIZE) < 0)
        return -1;
    char *at = end_of(writer);
    if (INT32_MIN <= value && value <= INT32_MAX) {
        *at++ = INT32;
        at = put_varint(at, ((uint32_t)value << 1) ^ (uint32_t)(value >> 31));
    }
    else if (-MAX_SAFE_INTEGER <= value && value <= MAX_SAFE_INTEGER) {
        for (int i = 0; i < writer->hint; i++)
            *at++ = PADDING;
        *at++ = DOUBLE;
        at = put_double(at, (double)value);
    }
    else {
        uint64_t digits = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
        *at++ = BIG_INT;
        *at++ = (char)(8 << 1 | (value < 0));
        for (int i = 0; i < 8; i++)
            *at++ = (char)(digits >> 8 * i);
    }
    written_to(writer, at);
    return 0;
}

/* Returns 1 for what is no scalar, or an int for Python to write. */
static inline int
write_scalar(State *state, Writer *writer, PyObject *item)
{
    PyTypeObject *type = Py_TYPE(item);
    if (type == &PyUnicode_Type)
        return write_str(writer, item);
    if (type == &PyLong_Type)
        return write_int(writer, item);
    if (type == &PyFloat_Type) {
        if (reserve(writer, 9) < 0)
            return -1;
        char *at = end_of(writer);
        *at++ = DOUBLE;
        written_to(writer, put_double(at, PyFloat_AS_DOUBLE(item)));
        return 0;
    }
    if (item == Py_None || type == &PyBool_Type || item == state->undefined) {
        if (reserve(writer, 1) < 0)
            return -1;
        writer->buffer[writer->used++] =
            item == Py_None ? NULL_TAG : item == Py_True ? TRUE_TAG : item == Py_False ? FALSE_TAG : UNDEFINED;
        return 0;
    }
    return 1;
}

#endif
