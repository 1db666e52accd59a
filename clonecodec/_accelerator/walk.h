/* Containers that are walked. */
#ifndef WALK_H
#define WALK_H

#include "accelerator.h"

typedef enum {
    IN_LIST,
    IN_TUPLE,
    IN_DICT,  /* the values of a dict, each with its key */
    IN_FLAT,  /* the same in a list: key, value, key, value ... */
    IN_PAIRS, /* a dict whose keys are items too */
} Source;

typedef enum { ARRAY, OBJECT, MAP, SET, OTHER } Shape;

typedef struct {
    uint8_t source;      /* Source */
    uint8_t shape;       /* Shape */
    bool live;           /* items is the container itself, which somebody might change */
    PyObject *items;     /* held */
    Py_ssize_t size;     /* of the flat items: keys and values count, as in a frame of Python's */
    Py_ssize_t index;    /* of the next one */
    Py_ssize_t position; /* IN_DICT, IN_PAIRS: PyDict_Next's */
    PyObject *value;     /* IN_PAIRS: of the key that was returned last */
    PyObject *frame;     /* OTHER: Python's; held */
} Walked;

int snapshot(Walked *walked);
void walked_clear(Walked *walked);
PyObject *step_of(State *state, Walked *walked);
int raise_inside(State *state, PyObject *steps);

/* The next item, borrowed; *key* is set where the property it belongs to is written apart.  NULL at the end. */
static inline PyObject *
next_item(Walked *walked, PyObject **key)
{
    PyObject *item;
    switch (walked->source) {
    case IN_LIST:
        if (walked->index >= walked->size)
            return NULL;
        return PyList_GET_ITEM(walked->items, walked->index++);
    case IN_TUPLE:
        if (walked->index >= walked->size)
            return NULL;
        return PyTuple_GET_ITEM(walked->items, walked->index++);
    case IN_DICT:
        if (!PyDict_Next(walked->items, &walked->position, key, &item))
            return NULL;
        walked->index += 2;
        return item;
    case IN_FLAT:
        if (walked->index >= walked->size)
            return NULL;
        *key = PyList_GET_ITEM(walked->items, walked->index);
        walked->index += 2;
        return PyList_GET_ITEM(walked->items, walked->index - 1);
    default:
        item = walked->value;
        if (item != NULL) {
            walked->value = NULL;
            walked->index++;
            return item;
        }
        if (!PyDict_Next(walked->items, &walked->position, &item, &walked->value))
            return NULL;
        walked->index++;
        return item;
    }
}

PyObject *list_of(PyObject *set);

#endif
