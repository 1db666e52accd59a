/* Scalars from bytes.
 *
 * In C, and inline, because messages are made of them. */
#ifndef READ_SCALARS_H
#define READ_SCALARS_H

#include "reader.h"

/* Eight bytes, little-endian. */
static inline double
get_double(const uint8_t *at)
{
    double value;
    uint64_t bits = 0;
#if PY_BIG_ENDIAN
    for (int i = 7; i >= 0; i--)
        bits = bits << 8 | at[i];
#else
    memcpy(&bits, at, sizeof bits);
#endif
    memcpy(&value, &bits, sizeof bits);
    return value;
}

/* The same, if they are there. */
static inline bool
double_value(Reader *reader, double *value)
{
    if (reader->end - reader->at < 8)
        return false;
    *value = get_double(reader->at);
    reader->at += 8;
    return true;
}

/* The length of a string, of which so many bytes are there. */
static inline bool
text_length(Reader *reader, uint32_t *length)
{
    return varint(reader, length) && *length <= reader->end - reader->at;
}

/* Text of Latin-1; short ASCII, as most is, without a call. */
static inline PyObject *
one_byte_text(const uint8_t *bytes, Py_ssize_t length)
{
    if (length > 64)
        return PyUnicode_DecodeLatin1((const char *)bytes, length, NULL);
    uint8_t all = 0;
    for (Py_ssize_t i = 0; i < length; i++)
        all |= bytes[i];
    if (UNLIKELY(all >= 0x80 || length <= 1)) /* Python has one object for each character */
        return PyUnicode_DecodeLatin1((const char *)bytes, length, NULL);
    PyObject *text = PyUnicode_New(length, 0x7F);
    if (text != NULL)
        memcpy(PyUnicode_1BYTE_DATA(text), bytes, length);
    return text;
}

/* Text of UTF-16. */
static PyObject *
two_byte_text(Reader *reader)
{
    uint32_t length;
    if (!text_length(reader, &length) || length & 1 || length / 2 > MAX_STRING_LENGTH)
        return GIVE_UP;
    int order = -1;
    PyObject *text = PyUnicode_DecodeUTF16((const char *)reader->at, length, "surrogatepass", &order);
    reader->at += length;
    return text;
}

/* A BigInt of 64 bits; longer ones are for Python. */
static PyObject *
big_int(Reader *reader)
{
    uint32_t bitfield;
    if (!varint(reader, &bitfield) || bitfield >> 1 != 8 || reader->end - reader->at < 8)
        return GIVE_UP;
    uint64_t digits = 0;
    for (int i = 7; i >= 0; i--)
        digits = digits << 8 | reader->at[i];
    reader->at += 8;
    PyObject *number = PyLong_FromUnsignedLongLong(digits);
    if (number != NULL && bitfield & 1)
        Py_SETREF(number, PyNumber_Negative(number));
    if (number != NULL && digits <= (uint64_t)MAX_SAFE_INTEGER)
        Py_SETREF(number, PyObject_CallOneArg(reader->state->BigInt, number));
    return number;
}

#endif
