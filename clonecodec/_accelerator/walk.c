/* Containers that are walked: what write.c and clone.c have in common.
 *
 * ``next_item`` is in C, and inline, as it is called for each item.  What is here is called for each container once
 * Python code is to run, or for an error; it is in C because it is about frames that only C knows. */

#include "walk.h"

/* Let go of a container. */
void
walked_clear(Walked *walked)
{
    Py_CLEAR(walked->items);
    Py_CLEAR(walked->frame);
}

/* Keys and values in turn. */
static PyObject *
flat_items(PyObject *dict)
{
    PyObject *key, *value, *flat = PyList_New(2 * PyDict_GET_SIZE(dict));
    Py_ssize_t position = 0, i = 0;
    while (flat != NULL && i < PyList_GET_SIZE(flat) && PyDict_Next(dict, &position, &key, &value)) {
        PyList_SET_ITEM(flat, i++, Py_NewRef(key));
        PyList_SET_ITEM(flat, i++, Py_NewRef(value));
    }
    return flat;
}

/* Let *walked* walk a copy of its container from now on, since somebody may change that. */
int
snapshot(Walked *walked)
{
    if (!walked->live)
        return 0;
    /* The copy must not run a finalizer before it is complete. */
    int collecting = PyGC_Disable();
    PyObject *copy;
    if (walked->source == IN_LIST)
        copy = PyList_GetSlice(walked->items, 0, walked->size);
    else
        copy = flat_items(walked->items);
    if (collecting)
        PyGC_Enable();
    if (copy == NULL)
        return -1;
    if (walked->source != IN_LIST)
        walked->source = walked->source == IN_DICT ? IN_FLAT : IN_LIST;
    walked->live = false;
    Py_SETREF(walked->items, copy);
    return 0;
}

/* What _paths.inside wants to know of a container: its layout, its flat items, and which of them is walked. */
PyObject *
step_of(State *state, Walked *walked)
{
    PyObject *layout, *step, *flat = walked->items;
    if (walked->source == IN_DICT || walked->source == IN_PAIRS)
        flat = flat_items(flat);
    else
        Py_INCREF(flat);
    if (flat == NULL)
        return NULL;
    switch (walked->shape) {
    case ARRAY: layout = PyLong_FromSsize_t(walked->size); break;
    case OBJECT: layout = Py_NewRef(state->OBJECT); break;
    case MAP: layout = Py_NewRef(state->MAP); break;
    case SET: layout = Py_NewRef(state->SET); break;
    default: layout = Py_NewRef(PyTuple_GET_ITEM(walked->frame, 2));
    }
    step = layout == NULL ? NULL : Py_BuildValue("(NNn)", layout, flat, walked->index - 1);
    if (layout == NULL)
        Py_DECREF(flat);
    return step;
}

/* A DataCloneError is on its way out: raise it as seen from outside of *steps*.  Returns -1. */
int
raise_inside(State *state, PyObject *steps)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback != NULL)
        PyException_SetTraceback(error, traceback);
    PyObject *outer = PyObject_CallFunctionObjArgs(state->inside, error, steps, NULL);
    if (outer != NULL) {
        PyException_SetCause(outer, PyException_GetCause(error));
        PyException_SetTraceback(outer, traceback != NULL ? traceback : Py_None);
        PyException_SetContext(outer, Py_NewRef(error));
        PyErr_SetObject((PyObject *)Py_TYPE(outer), outer);
        Py_DECREF(outer);
    }
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
    return -1;
}

/* The members of a set, in its own order: out of its table, since an iterator takes as long as the list. */
PyObject *
list_of(PyObject *set)
{
    int collecting = PyGC_Disable();
    PyObject *list = PyList_New(PySet_GET_SIZE(set));
    if (collecting)
        PyGC_Enable();
    Py_ssize_t i = 0;
    for (setentry *entry = ((PySetObject *)set)->table; list != NULL && i < PyList_GET_SIZE(list); entry++)
        if (entry->key != NULL && entry->hash != -1) /* neither free nor freed */
            PyList_SET_ITEM(list, i++, Py_NewRef(entry->key));
    return list;
}
