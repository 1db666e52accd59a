/* Containers that are being built, by read.c and clone.c. */
#ifndef BUILD_H
#define BUILD_H

#include "accelerator.h"

typedef enum { ROOT, LIST, TUPLE, OBJECT_, MAP_, SET_, FROZENSET } Kind;

PyObject *property_name(State *state, const uint8_t *bytes, Py_ssize_t length);
bool is_own_key(PyObject *key);
int put_into_map(State *state, PyObject *map, PyObject **keys, PyObject **key, PyObject *item, bool paused);
int put_into_set(State *state, PyObject *set, PyObject **keys, PyObject *item, bool paused);

/* Put *item* at the end of a list that has been made with room for it; its reference is taken. */
static inline void
put_into_list(PyObject *list, PyObject *item)
{
    Py_ssize_t size = PyList_GET_SIZE(list);
    PyList_SET_ITEM(list, size, item);
    Py_SET_SIZE(list, size + 1);
}

/* Put *item* under *key*; both references are taken. */
static inline int
put_into_dict(PyObject *dict, PyObject **key, PyObject *item)
{
    int status = PyDict_SetItem(dict, *key, item);
    Py_CLEAR(*key);
    Py_DECREF(item);
    return status;
}

#endif
