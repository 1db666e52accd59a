/* What a dict is in JavaScript, and what its keys are. */
#ifndef PROPERTIES_H
#define PROPERTIES_H

#include "accelerator.h"

/* What a dict is in JavaScript. */
typedef enum {
    PLAIN,   /* an object, in its own order */
    INDEXED, /* an object with array indices among its keys */
    MAPPED,  /* a Map */
    ODD,     /* for Python to say */
} Dictionary;

Dictionary classify(State *state, PyObject *dict);
PyObject *indexed_items(PyObject *dict, bool named);
bool array_index(PyObject *key, uint32_t *index);
bool has_surrogates(PyObject *text);
bool doubtful_key(State *state, PyObject *key);

/* Whether a dict with such keys only is PLAIN. */
static inline bool
plain_name(PyObject *key)
{
    uint32_t index;
    if (UNLIKELY(!PyUnicode_CheckExact(key)))
        return false;
    if (UNLIKELY(!PyUnicode_IS_COMPACT_ASCII(key)))
        return READY(key) == 0 && !has_surrogates(key);
    return LIKELY(PyUnicode_1BYTE_DATA(key)[0] > '9') || !array_index(key, &index);
}

#endif
