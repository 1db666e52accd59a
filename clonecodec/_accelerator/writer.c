/* What Python sees of a Writer: bytes, and numbers by id.
 *
 * To Python's methods a Writer is a bytearray that is only added to.  (It is not one, because the bytes are to be
 * given away in the end, without a copy.)  Its methods are in C because the bytes and the numbers are C's.
 */

#include "writer.h"

#define KEPT_BUFFER (3 << 19)

/* The objects that have a number, as a list. */
typedef struct {
    PyObject_HEAD
    Writer *writer;
} Objects;

/* ---- Bytes ---- */

/* Begin anew, with the room that every Writer has. */
void
use_small_buffer(Writer *writer)
{
    writer->buffer = writer->small;
    writer->room = SMALL_BUFFER;
    writer->used = 0;
    Py_CLEAR(writer->bytes);
}

/* Make room for *more* bytes, and some. */
int
writer_grow(Writer *writer, Py_ssize_t more)
{
    if (more > PY_SSIZE_T_MAX / 4 - writer->used) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t needed = writer->used + more;
    /* A long piece is likely the last.  (malloc keeps what is freed for what is no larger: room that is given back
     * in the end would cost new pages each time.) */
    Py_ssize_t room = more > writer->used ? needed + 64 : needed + (needed >> 1);
    if (writer->bytes != NULL && Py_REFCNT(writer->bytes) == 1) {
        if (_PyBytes_Resize(&writer->bytes, room) < 0) { /* the old ones are gone */
            use_small_buffer(writer);
            return -1;
        }
    }
    else {
        PyObject *bytes = PyBytes_FromStringAndSize(NULL, room);
        if (bytes == NULL)
            return -1;
        memcpy(PyBytes_AS_STRING(bytes), writer->buffer, writer->used);
        Py_XSETREF(writer->bytes, bytes);
    }
    writer->buffer = PyBytes_AS_STRING(writer->bytes);
    writer->room = room;
    return 0;
}

/* Add bytes. */
int
put(Writer *writer, const void *bytes, Py_ssize_t length)
{
    if (length == 0) /* of an empty view, bytes may be NULL */
        return 0;
    if (reserve(writer, length) < 0)
        return -1;
    memcpy(end_of(writer), bytes, length);
    writer->used += length;
    return 0;
}

/* The core of a Serializer: a Writer, and what stands for _out, _ids and _objects. */
PyObject *
core_of(State *state, Writer *writer)
{
    Objects *objects = (Objects *)state->objects_type->tp_alloc(state->objects_type, 0);
    if (objects == NULL)
        return NULL;
    objects->writer = (Writer *)Py_NewRef((PyObject *)writer);
    PyObject *core = PyTuple_Pack(4, writer, writer, writer, objects);
    Py_DECREF(objects);
    return core;
}

/* ---- What Python sees ---- */

/* What a Serializer is told. */
void
writer_init(Writer *writer, int hint, int version, Py_ssize_t max_depth)
{
    writer->depth = 0;
    writer->max_depth = max_depth;
    writer->hint = hint;
    writer->version = version;
}

Writer *
new_writer(State *state)
{
    Writer *writer = (Writer *)state->writer_type->tp_alloc(state->writer_type, 0);
    if (writer != NULL) {
        numbers_init(&writer->numbers);
        use_small_buffer(writer);
    }
    return writer;
}

static int
writer_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return numbers_visit(&((Writer *)self)->numbers, visit, arg);
}

static int
writer_clear(PyObject *self)
{
    numbers_clear(&((Writer *)self)->numbers);
    return 0;
}

static void
writer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    numbers_free(&((Writer *)self)->numbers);
    Py_CLEAR(((Writer *)self)->bytes);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
writer_append(PyObject *self, PyObject *byte)
{
    long value = PyLong_AsLong(byte);
    if (value == -1 && PyErr_Occurred())
        return NULL;
    char octet = (char)value;
    return put((Writer *)self, &octet, 1) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
writer_add(PyObject *self, PyObject *octets)
{
    Py_buffer view;
    if (PyObject_GetBuffer(octets, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    int status = put((Writer *)self, view.buf, view.len);
    PyBuffer_Release(&view);
    return status < 0 ? NULL : Py_NewRef(self);
}

/* The numbers, as a dict whose keys are what id() returns. */

/* The number of the object whose id is given; -1 if it has none, -2 for an error. */
static Py_ssize_t
number_by_id(PyObject *self, PyObject *id)
{
    void *address = PyLong_AsVoidPtr(id);
    Numbers *numbers = &((Writer *)self)->numbers;
    if ((address == NULL && PyErr_Occurred()) || numbers_settle(numbers) < 0)
        return -2;
    return address == NULL ? -1 : numbers_find(numbers, address);
}

static PyObject *
writer_get(PyObject *self, PyObject *id)
{
    Py_ssize_t number = number_by_id(self, id);
    if (number < 0)
        return number == -1 ? Py_NewRef(Py_None) : NULL;
    return PyLong_FromSsize_t(number);
}

static PyObject *
writer_item(PyObject *self, PyObject *id)
{
    Py_ssize_t number = number_by_id(self, id);
    if (number == -1)
        PyErr_SetObject(PyExc_KeyError, id);
    return number < 0 ? NULL : PyLong_FromSsize_t(number);
}

static int
writer_contains(PyObject *self, PyObject *id)
{
    Py_ssize_t number = number_by_id(self, id);
    return number == -2 ? -1 : number >= 0;
}

static int
writer_set_item(PyObject *self, PyObject *id, PyObject *number)
{
    Numbers *numbers = &((Writer *)self)->numbers;
    void *address = PyLong_AsVoidPtr(id);
    Py_ssize_t value = number == NULL ? -1 : PyLong_AsSsize_t(number);
    if (PyErr_Occurred() || numbers_settle(numbers) < 0)
        return -1;
    if (address == NULL || value < 0) {
        PyErr_SetString(PyExc_TypeError, "the numbers of objects, by id");
        return -1;
    }
    return numbers_enter(numbers, address, value);
}

static Py_ssize_t
writer_length(PyObject *self)
{
    return ((Writer *)self)->used;
}

/* Whether the room is for the next dumps, as far as it is not too much, and more than these bytes need.  (To cut it
 * and to ask for more again takes new pages each time, which takes longer than a copy.) */
bool
writer_keeps(Writer *writer)
{
    return writer->room <= KEPT_BUFFER && writer->room - writer->used > writer->room >> 4;
}

/* Give the bytes away, without a copy if there are many. */
PyObject *
writer_bytes(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    Writer *writer = (Writer *)self;
    if (writer->bytes == NULL || writer->used <= SMALL_BUFFER || writer_keeps(writer) ||
        (Py_REFCNT(writer->bytes) > 1 && PyBytes_GET_SIZE(writer->bytes) != writer->used))
        return PyBytes_FromStringAndSize(writer->buffer, writer->used);
    if (PyBytes_GET_SIZE(writer->bytes) != writer->used) {
        Py_ssize_t used = writer->used;
        if (_PyBytes_Resize(&writer->bytes, used) < 0) {
            use_small_buffer(writer); /* the old ones are gone */
            return NULL;
        }
        writer->buffer = PyBytes_AS_STRING(writer->bytes);
        writer->room = used; /* so that the next byte looks whose they are */
    }
    return Py_NewRef(writer->bytes);
}

static PyObject *
writer_clear_bytes(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    use_small_buffer((Writer *)self);
    return Py_NewRef(Py_None);
}

static PyMethodDef writer_methods[] = {
    {"write", (PyCFunction)(void (*)(void))writer_write, METH_FASTCALL, NULL},
    {"get", writer_get, METH_O, NULL},
    {"append", writer_append, METH_O, NULL},
    {"clear", writer_clear_bytes, METH_NOARGS, NULL},
    {"__bytes__", writer_bytes, METH_NOARGS, NULL},
    {NULL},
};

static PyType_Slot writer_slots[] = {
    {Py_tp_doc, "The bytes that a Serializer has written, and the objects that have a number."},
    {Py_tp_dealloc, writer_dealloc},
    {Py_tp_traverse, writer_traverse},
    {Py_tp_clear, writer_clear},
    {Py_tp_methods, writer_methods},
    {Py_nb_inplace_add, writer_add},
    {Py_sq_length, writer_length},
    {Py_sq_contains, writer_contains},
    {Py_mp_subscript, writer_item},
    {Py_mp_ass_subscript, writer_set_item},
    {0, NULL},
};

PyType_Spec writer_spec = {
    .name = "clonecodec._accelerator.Writer",
    .basicsize = sizeof(Writer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = writer_slots,
};

static int
objects_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Objects *)self)->writer);
    return 0;
}

static int
objects_clear(PyObject *self)
{
    Py_CLEAR(((Objects *)self)->writer);
    return 0;
}

static void
objects_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    (void)objects_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static Py_ssize_t
objects_length(PyObject *self)
{
    Writer *writer = ((Objects *)self)->writer;
    return writer == NULL ? 0 : writer->numbers.count;
}

/* The object is in the dict already, unless it is None, which stands for what is no object here. */
static PyObject *
objects_append(PyObject *self, PyObject *value)
{
    Writer *writer = ((Objects *)self)->writer;
    if (writer == NULL || numbers_settle(&writer->numbers) < 0)
        return writer == NULL ? PyErr_Format(PyExc_RuntimeError, "no writer") : NULL;
    return numbers_append(&writer->numbers, value) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef objects_methods[] = {
    {"append", objects_append, METH_O, NULL},
    {NULL},
};

static PyType_Slot objects_slots[] = {
    {Py_tp_doc, "The objects that have a number."},
    {Py_tp_dealloc, objects_dealloc},
    {Py_tp_traverse, objects_traverse},
    {Py_tp_clear, objects_clear},
    {Py_tp_methods, objects_methods},
    {Py_sq_length, objects_length},
    {0, NULL},
};

PyType_Spec objects_spec = {
    .name = "clonecodec._accelerator.Objects",
    .basicsize = sizeof(Objects),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = objects_slots,
};

/* writer(hint, version, max_depth): the core of a Serializer */
PyObject *
accelerator_writer(PyObject *module, PyObject *arguments)
{
    State *state = state_of(module);
    Py_ssize_t hint;
    int version;
    PyObject *depth;
    if (!PyArg_ParseTuple(arguments, "niO:writer", &hint, &version, &depth))
        return NULL;
    Py_ssize_t max_depth = PyNumber_AsSsize_t(depth, NULL);
    if (max_depth == -1 && PyErr_Occurred())
        return NULL;
    Writer *writer = new_writer(state);
    if (writer == NULL)
        return NULL;
    writer_init(writer, (int)hint, version, max_depth);
    PyObject *core = core_of(state, writer);
    Py_DECREF(writer);
    return core;
}
