/* Views: Node's, and bytes between ports.
 *
 * In C because a short one is read in less time than Python's methods take to be called. */

#include "reader.h"

/* _node.DefaultDeserializer._shown: the bytes that have just been read, where they are. */
static PyObject *
shown(Reader *reader, Py_ssize_t length)
{
    if (reader->whole == NULL && (reader->whole = PyMemoryView_FromObject(reader->data)) == NULL)
        return NULL;
    Py_ssize_t end = reader->at - reader->start;
    return PySequence_GetSlice(reader->whole, end - length, end);
}

/* A view that is no Buffer, as a memoryview; NULL without an exception also if it is of a kind that is none. */
static PyObject *
node_view(Reader *reader, uint8_t index, Py_ssize_t length)
{
    PyObject *formats = reader->state->view_formats, *format = NULL, *view, *memory;
    Py_ssize_t size = 1;
    if (index < PyTuple_GET_SIZE(formats) && (format = PyTuple_GET_ITEM(formats, index)) != Py_None)
        size = PyLong_AsSsize_t(PyTuple_GET_ITEM(format, 1));
    if (format == NULL || format == Py_None || length < size || length % size)
        return GIVE_UP;
    if (reader->shown)
        view = shown(reader, length);
    else {
        memory = PyByteArray_FromStringAndSize((const char *)reader->at - length, length);
        view = memory == NULL ? NULL : PyMemoryView_FromObject(memory);
        Py_XDECREF(memory);
    }
    if (view != NULL && index != UINT8_VIEW)
        Py_SETREF(view, PyObject_CallMethodOneArg(view, reader->state->names.cast, PyTuple_GET_ITEM(format, 0)));
    return view;
}

/* A view of Node's: _node.DefaultDeserializer.read_host_object. */
PyObject *
node_buffer(Reader *reader, bool hinted)
{
    uint64_t length;
    const uint8_t *before = reader->at;
    if (!reader->node)
        return GIVE_UP;
    if ((!reader->copied && !reader->shown) || reader->at >= reader->end)
        return leaf(reader, HOST_OBJECT, hinted);
    uint8_t index = *reader->at++;
    if (!long_varint(reader, 10, &length) || length > (uint64_t)(reader->end - reader->at))
        return GIVE_UP;
    reader->at += length;
    if (index != NODE_BUFFER) {
        PyObject *view = node_view(reader, index, (Py_ssize_t)length);
        if (view != NULL || PyErr_Occurred())
            return numbered(reader, view);
        reader->at = before;
        return leaf(reader, HOST_OBJECT, hinted);
    }
    if (reader->shown)
        return numbered(reader, shown(reader, (Py_ssize_t)length));
    const char *bytes = (const char *)reader->at - length;
    if (hinted)
        return numbered(reader, PyByteArray_FromStringAndSize(bytes, (Py_ssize_t)length));
    if (length != 1)
        return numbered(reader, PyBytes_FromStringAndSize(bytes, (Py_ssize_t)length));
    /* Python has one object for all bytes of length 1 that are equal; two Buffers that were two stay two. */
    PyObject *single = PyBytes_FromStringAndSize(NULL, 1);
    if (single != NULL)
        PyBytes_AS_STRING(single)[0] = bytes[0];
    return numbered(reader, single);
}

/* Payloads._view_of_bytes, of bytes that are marked as read-only: a buffer, and a view over the whole of it. */
PyObject *
read_only_view(Reader *reader)
{
    uint64_t size, offset, length;
    if (reader->start[1] < 14 || !long_varint(reader, 10, &size) ||
        size > (uint64_t)(reader->end - reader->at))
        return GIVE_UP;
    const char *octets = (const char *)reader->at;
    reader->at += size;
    if (!ends(reader, ARRAY_BUFFER_VIEW) || reader->end - reader->at < 1 || *reader->at++ != UINT8_SUBTAG ||
        !long_varint(reader, 10, &offset) || offset != 0 || !long_varint(reader, 10, &length) || length != size ||
        reader->at == reader->end || *reader->at++ != 0)
        return GIVE_UP;
    /* The buffer has a number, too; who refers to that wants it to be one. */
    if (PyList_Append(reader->objects, reader->state->not_yet) < 0)
        return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(octets, (Py_ssize_t)size);
    PyObject *view = bytes == NULL ? NULL : PyMemoryView_FromObject(bytes);
    Py_XDECREF(bytes);
    return numbered(reader, view);
}
