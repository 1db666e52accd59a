/* What Python sees of reading, and what is handed over to it.
 *
 * In C because the calls are for each message, and a small one takes less time than a Deserializer. */

#include "reader.h"

/* ---- Handing over to Python ---- */

/* Have a Deserializer, which loads begins without. */
static int
need_deserializer(Reader *reader)
{
    if (reader->deserializer == NULL) {
        reader->deserializer = PyObject_CallFunctionObjArgs(reader->state->deserializer, reader->data,
                                                            reader->objects, reader->shown ? Py_True : Py_False, NULL);
        if (reader->deserializer != NULL)
            reader->wire = PyObject_GetAttr(reader->deserializer, reader->state->names._wire);
    }
    return reader->wire == NULL ? -1 : 0;
}

/* Let *method* of the Deserializer read what follows the tag. */
static PyObject *
by_python(Reader *reader, PyObject *method, bool hinted)
{
    State *state = reader->state;
    PyObject *offset = NULL, *value = NULL;
    if (reader->paused)
        PyGC_Enable();
    if (need_deserializer(reader) < 0 || (offset = PyLong_FromSsize_t(reader->at - reader->start)) == NULL ||
        PyObject_SetAttr(reader->wire, state->names.offset, offset) < 0)
        goto done;
    PyObject *arguments[] = {reader->deserializer, hinted ? Py_True : Py_False};
    value = PyObject_Vectorcall(method, arguments, 2, NULL);
    if (value == NULL)
        goto done;
    Py_SETREF(offset, PyObject_GetAttr(reader->wire, state->names.offset));
    Py_ssize_t now = offset == NULL ? -1 : PyLong_AsSsize_t(offset);
    if (now < 0 || now > reader->end - reader->start)
        Py_CLEAR(value);
    else
        reader->at = reader->start + now;
done:
    Py_XDECREF(offset);
    if (reader->paused)
        PyGC_Disable();
    return value;
}

/* What stands behind *tag*, read by a Python method if there is one for it. */
PyObject *
leaf(Reader *reader, uint8_t tag, bool hinted)
{
    if (reader->plain)
        return GIVE_UP;
    PyObject *key = PyLong_FromLong(tag);
    PyObject *method = key == NULL ? NULL : PyDict_GetItemWithError(reader->state->leaves, key);
    Py_XDECREF(key);
    return method == NULL ? GIVE_UP : by_python(reader, method, hinted);
}

/* ---- What is called ---- */

/* Read one value.  NULL without an exception if Python is to do it; then the objects are as they were. */
static PyObject *
read_value(Reader *reader)
{
    Py_ssize_t known = PyList_GET_SIZE(reader->objects);
    reader->frames = reader->few;
    reader->room = FEW_FRAMES;
    memset(&reader->few[0], 0, sizeof reader->few[0]);
    reader->few[0].kind = ROOT;
    reader->few[0].number = -1;
    reader->paused = pause_collector(reader->state);
    PyObject *value = read_walk(reader);
    end_pause(reader->state, reader->paused, PyList_GET_SIZE(reader->objects) - known);
    PyObject *type = NULL, *error = NULL, *traceback = NULL;
    if (value == NULL) {
        if (PyErr_ExceptionMatches(reader->state->DecodeError))
            PyErr_Clear();
        PyErr_Fetch(&type, &error, &traceback);
    }
    while (reader->depth)
        drop(&reader->frames[--reader->depth]);
    if (reader->frames != reader->few)
        PyMem_Free(reader->frames);
    if (value == NULL) {
        (void)PyList_SetSlice(reader->objects, known, PyList_GET_SIZE(reader->objects), NULL);
        PyErr_Restore(type, error, traceback);
    }
    return value;
}

/* Returns NotImplemented where the others return NULL without an exception. */
static PyObject *
finish(Reader *reader, Py_buffer *view, PyObject *value)
{
    PyBuffer_Release(view);
    Py_XDECREF(reader->deserializer);
    Py_XDECREF(reader->wire);
    Py_XDECREF(reader->whole);
    Py_XDECREF(reader->objects);
    if (value == NULL && !PyErr_Occurred())
        Py_RETURN_NOTIMPLEMENTED;
    return value;
}

/* Begin to read the bytes of *view*. */
static void
look_at(Reader *reader, State *state, Py_buffer *view)
{
    memset(reader, 0, offsetof(Reader, few));
    reader->state = state;
    reader->start = reader->at = view->buf;
    reader->end = reader->start + view->len;
    reader->depth = 1;
}

/* loads(data): what DefaultDeserializer does, and without one if the value needs none. */
PyObject *
accelerator_loads(State *state, PyObject *data, Loads how)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    Reader reader;
    look_at(&reader, state, &view);
    reader.data = data;
    reader.plain = how == PLAINLY;
    reader.node = !reader.plain;
    reader.copied = how == COPYING;
    reader.shown = how == SHOWING;
    reader.max_depth = MAX_DEPTH;
    if (view.len < 2 || reader.at[0] != VERSION || reader.at[1] < 13 || reader.at[1] > 16)
        return finish(&reader, &view, NULL);
    reader.at += 2;
    reader.objects = PyList_New(0);
    PyObject *value = reader.objects == NULL ? NULL : read_value(&reader);
    return finish(&reader, &view, value);
}

/* An attribute that is a number. */
static Py_ssize_t
size_attribute(PyObject *object, PyObject *name)
{
    PyObject *attribute = PyObject_GetAttr(object, name);
    Py_ssize_t value = attribute == NULL ? -1 : PyNumber_AsSsize_t(attribute, NULL);
    Py_XDECREF(attribute);
    return value;
}

/* read(deserializer): its next value */
PyObject *
accelerator_read(PyObject *module, PyObject *deserializer)
{
    State *state = state_of(module);
    Reader reader;
    Py_buffer view;
    PyObject *wire = PyObject_GetAttr(deserializer, state->names._wire);
    if (wire == NULL)
        return NULL;
    if ((PyObject *)Py_TYPE(wire) != state->WireReader) { /* a file, which may not have been read yet */
        Py_DECREF(wire);
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *data = PyObject_GetAttr(wire, state->names.data);
    if (data == NULL || PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        Py_XDECREF(data);
        Py_DECREF(wire);
        return NULL;
    }
    look_at(&reader, state, &view);
    reader.deserializer = Py_NewRef(deserializer);
    reader.wire = wire;
    reader.node = (PyObject *)Py_TYPE(deserializer) == state->DefaultDeserializer;
    PyObject *value = NULL, *stack = PyObject_GetAttr(deserializer, state->names._stack);
    PyObject *zero_copy = PyObject_GetAttr(deserializer, state->names._zero_copy);
    Py_ssize_t offset = size_attribute(wire, state->names.offset);
    Py_ssize_t around = stack == NULL ? -1 : PyObject_Size(stack);
    reader.max_depth = size_attribute(deserializer, state->names._max_depth);
    reader.objects = PyObject_GetAttr(deserializer, state->names._objects);
    if (PyErr_Occurred() || !PyList_CheckExact(reader.objects) || offset > view.len)
        goto done;
    reader.max_depth -= around;
    reader.copied = !PyObject_IsTrue(zero_copy);
    reader.at += offset;
    value = read_value(&reader);
    if (value == NULL && PyErr_Occurred())
        goto done;
    PyObject *end = PyLong_FromSsize_t(value == NULL ? offset : reader.at - reader.start);
    if (end == NULL || PyObject_SetAttr(wire, state->names.offset, end) < 0)
        Py_CLEAR(value);
    Py_XDECREF(end);
done:
    Py_DECREF(data);
    Py_XDECREF(stack);
    Py_XDECREF(zero_copy);
    return finish(&reader, &view, value);
}
