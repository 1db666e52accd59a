/* _writer._walk in C: values are written to a Writer.
 *
 * In C are the containers that messages are made of, and what is asked for each item of them.  Everything else is
 * handed over to a method of the Serializer.
 */

#include "dates.h"
#include "properties.h"
#include "walk.h"
#include "write_scalars.h"

#define FEW 8
#define FLOATS 64

/* One walk. */
typedef struct {
    State *state;
    Writer *writer;
    PyObject *serializer; /* NULL as long as dumps needs none; held */
    bool plain;           /* give up (-1 without an exception) instead of calling Python */
    bool claims;          /* is_host_object is overridden: ask Python for every object */
    bool buffers;         /* whether bytes are Node's Buffers, as DefaultSerializer has it */
    Walked *frames;
    Py_ssize_t depth;
    Py_ssize_t room;
    Py_ssize_t secured;   /* so many frames walk snapshots */
    Walked few[FEW];
} Run;

/* Write *item* if it is a scalar, or has a number; returns 1 for anything else. */
static inline int
write_simple(Run *run, PyObject *item)
{
    int status = write_scalar(run->state, run->writer, item);
    if (status <= 0 || (run->writer->numbers.quiet && Py_REFCNT(item) == 1))
        return status;
    Py_ssize_t number = numbers_find(&run->writer->numbers, item);
    return number < 0 ? 1 : put_tagged(run->writer, 0, REFERENCE, (uint64_t)number);
}

/* ---- Handing over to Python ---- */

/* Python code will run: it may change what is walked, and use this writer. */
static int
let_go(Run *run)
{
    for (; run->secured < run->depth; run->secured++)
        if (snapshot(&run->frames[run->secured]) < 0)
            return -1;
    return numbers_settle(&run->writer->numbers);
}

/* Have a Serializer, which dumps begins without. */
static int
need_serializer(Run *run)
{
    Writer *writer = run->writer;
    if (run->serializer != NULL)
        return 0;
    PyObject *core = core_of(run->state, writer);
    if (core != NULL)
        run->serializer = PyObject_CallFunction(run->state->serializer, "NOin", core,
                                                writer->hint ? Py_True : Py_False, writer->version, writer->max_depth);
    return run->serializer == NULL ? -1 : 0;
}

/* Whether one more container may lie in those that are being walked. */
static int
check_depth(Run *run)
{
    if (LIKELY(run->writer->depth <= run->writer->max_depth))
        return 0;
    if (run->plain)
        return -1;
    PyObject *reason = PyUnicode_FromFormat("nested more than %zd deep", run->writer->max_depth);
    PyObject *error = reason == NULL ? NULL : PyObject_CallOneArg(run->state->DataCloneError, reason);
    if (error != NULL)
        PyErr_SetObject(run->state->DataCloneError, error);
    Py_XDECREF(error);
    Py_XDECREF(reason);
    return -1;
}

/* Begin a frame. */
static Walked *
push(Run *run)
{
    if (check_depth(run) < 0)
        return NULL;
    if (run->depth == run->room) {
        Py_ssize_t room = run->room * 2;
        Walked *old = run->frames == run->few ? NULL : run->frames;
        Walked *frames = PyMem_Realloc(old, room * sizeof *frames);
        if (frames == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        if (old == NULL)
            memcpy(frames, run->few, sizeof run->few);
        run->frames = frames;
        run->room = room;
    }
    Walked *frame = &run->frames[run->depth++];
    run->writer->depth++;
    memset(frame, 0, sizeof *frame);
    return frame;
}

/* End the innermost frame. */
static void
pop(Run *run)
{
    walked_clear(&run->frames[--run->depth]);
    run->writer->depth--;
    if (run->secured > run->depth)
        run->secured = run->depth;
}

/* Walk what a Python method returned: a frame as _writer describes it, or None.  The reference is taken. */
static int
push_python_frame(Run *run, PyObject *returned)
{
    if (returned == NULL)
        return -1;
    if (returned == Py_None) {
        Py_DECREF(returned);
        return 0;
    }
    PyObject *items, *end, *layout, *iterator;
    Walked *frame = NULL;
    if (PyArg_ParseTuple(returned, "OSOO", &iterator, &end, &layout, &items) &&
        (items = PySequence_Fast(items, "a frame's items")) != NULL) {
        if ((frame = push(run)) != NULL) {
            frame->source = PyList_CheckExact(items) ? IN_LIST : IN_TUPLE;
            frame->shape = OTHER;
            frame->size = PySequence_Fast_GET_SIZE(items);
            frame->items = Py_NewRef(items);
            frame->frame = Py_NewRef(returned);
        }
        Py_DECREF(items);
    }
    Py_DECREF(returned);
    return frame == NULL ? -1 : 0;
}

/* Let the method *name* of the Serializer write *item*, or begin it. */
static int
hand_over(Run *run, PyObject *name, PyObject *item)
{
    if (run->plain || let_go(run) < 0 || need_serializer(run) < 0)
        return -1;
    Py_INCREF(item);
    PyObject *returned = PyObject_CallMethodOneArg(run->serializer, name, item);
    Py_DECREF(item);
    return push_python_frame(run, returned);
}

/* write_list looks for holes; here one is no item. */
static int
write_hole(Run *run)
{
    PyObject *error = run->plain ? NULL : PyObject_CallNoArgs(run->state->no_item);
    if (error != NULL)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return -1;
}

/* ---- Objects ---- */

/* Encodings._native_view of bytes (marked as read-only) or a bytearray: a buffer of its own, and the view on it.  If
 * there are many, ports have better ways. */
static int
write_octets(Run *run, PyObject *value, bool alone)
{
    Writer *writer = run->writer;
    bool frozen = PyBytes_CheckExact(value);
    Py_ssize_t length = Py_SIZE(value);
    if (length >= PLAIN_OCTETS || numbers_begin(&writer->numbers, NULL, true) < 0 ||
        numbers_begin(&writer->numbers, value, alone) < 0 ||
        put_tagged(writer, frozen ? writer->hint : 0, ARRAY_BUFFER, (uint64_t)length) < 0 ||
        reserve(writer, length + 2 + 2 * VARINT_SIZE + 1) < 0)
        return -1;
    char *at = end_of(writer);
    at = put_octets(at, frozen ? PyBytes_AS_STRING(value) : PyByteArray_AS_STRING(value), length);
    *at++ = ARRAY_BUFFER_VIEW;
    *at++ = UINT8_SUBTAG;
    *at++ = 0; /* where it begins */
    at = put_varint(at, (uint64_t)length);
    *at++ = 0; /* flags */
    written_to(writer, at);
    return 0;
}

/* DefaultSerializer._node_view of bytes. */
static int
write_bytes(Run *run, PyObject *value)
{
    Writer *writer = run->writer;
    Py_ssize_t length = PyBytes_GET_SIZE(value);
    if (reserve(writer, 2 + VARINT_SIZE + length) < 0)
        return -1;
    char *at = end_of(writer);
    *at++ = HOST_OBJECT;
    *at++ = NODE_BUFFER;
    at = put_varint(at, (uint64_t)length);
    memcpy(at, PyBytes_AS_STRING(value), length);
    written_to(writer, at + length);
    return 0;
}

/* Close a container of so many flat items. */
static int
write_end(Writer *writer, Shape shape, Py_ssize_t size)
{
    if (reserve(writer, 2 + VARINT_SIZE) < 0)
        return -1;
    char *at = end_of(writer);
    switch (shape) {
    case ARRAY:
        *at++ = END_DENSE_ARRAY;
        *at++ = 0;
        break;
    case OBJECT:
        *at++ = END_OBJECT;
        size /= 2;
        break;
    case MAP: *at++ = END_MAP; break;
    default: *at++ = END_SET;
    }
    written_to(writer, put_varint(at, (uint64_t)size));
    return 0;
}

/* Begin a frame of ours; the reference to *items* is taken. */
static int
enter(Run *run, Source source, Shape shape, PyObject *items, Py_ssize_t size, bool live)
{
    Walked *frame = items == NULL ? NULL : push(run);
    if (frame == NULL) {
        Py_XDECREF(items);
        return -1;
    }
    frame->source = source;
    frame->shape = shape;
    frame->items = items;
    frame->size = size;
    frame->live = live;
    return 0;
}

/* Go on with a dict behind *position*, of which so many keys and values have been written. */
static int
enter_dict(Run *run, Source source, Shape shape, PyObject *value, Py_ssize_t position, Py_ssize_t written)
{
    if (enter(run, source, shape, Py_NewRef(value), 2 * PyDict_GET_SIZE(value), true) < 0)
        return -1;
    run->frames[run->depth - 1].position = position;
    run->frames[run->depth - 1].index = written;
    return 0;
}

/* A dict whose names stand in no order of their own is an object whose properties can be written while its names are
 * still being looked at; for any other all is taken back.  Returns 1 then. */
static int
write_plain(Run *run, PyObject *value, bool alone)
{
    Writer *writer = run->writer;
    Py_ssize_t start = writer->used, number = writer->numbers.count;
    if (numbers_begin(&writer->numbers, value, alone) < 0 || reserve(writer, 1) < 0)
        return -1;
    writer->buffer[writer->used++] = BEGIN_OBJECT;
    PyObject *key, *item;
    Py_ssize_t position = 0, before = 0, written = 0, size = 2 * PyDict_GET_SIZE(value);
    bool simple = true; /* so far */
    while (PyDict_Next(value, &position, &key, &item)) {
        if (UNLIKELY(!plain_name(key))) {
            writer->used = start;
            numbers_forget(&writer->numbers, number);
            return 1;
        }
        if (!simple)
            continue;
        Py_ssize_t used = writer->used;
        int status = write_str(writer, key);
        if (status == 0)
            status = write_simple(run, item);
        if (status < 0)
            return -1;
        simple = status == 0;
        if (simple) {
            before = position;
            written += 2;
        }
        else
            writer->used = used;
    }
    if (check_depth(run) < 0)
        return -1;
    if (simple) /* as most dicts are: it needs no frame */
        return write_end(writer, OBJECT, size);
    return enter_dict(run, IN_DICT, OBJECT, value, before, written);
}

/* The keys and values of a Map that has been begun, as far as they are simple, and a frame for the rest. */
static int
write_pairs(Run *run, PyObject *value, Py_ssize_t size)
{
    Writer *writer = run->writer;
    PyObject *key, *item;
    Py_ssize_t position = 0, before = 0, written = 0, used = writer->used, number = writer->numbers.count;
    while (PyDict_Next(value, &position, &key, &item)) {
        int status = write_simple(run, key);
        if (status == 0)
            status = write_simple(run, item);
        if (status < 0)
            return -1;
        if (status)
            break;
        before = position;
        used = writer->used;
        number = writer->numbers.count;
        written += 2;
    }
    if (check_depth(run) < 0)
        return -1;
    if (written == size)
        return write_end(writer, MAP, size);
    writer->used = used;
    numbers_forget(&writer->numbers, number); /* of the last key */
    return enter_dict(run, IN_PAIRS, MAP, value, before, written);
}

/* Write a dict or a Map, or begin it. */
static int
write_dict(Run *run, PyObject *value, bool alone)
{
    Writer *writer = run->writer;
    Dictionary kind = MAPPED;
    if (PyDict_CheckExact(value)) {
        int status = write_plain(run, value, alone);
        if (status <= 0)
            return status;
        kind = classify(run->state, value);
    }
    else {
        PyObject *key, *item;
        Py_ssize_t position = 0;
        while (PyDict_Next(value, &position, &key, &item))
            if (doubtful_key(run->state, key))
                kind = ODD;
    }
    if (kind == ODD)
        return hand_over(run, run->state->names._other, value);
    Py_ssize_t size = 2 * PyDict_GET_SIZE(value);
    if (numbers_begin(&writer->numbers, value, alone) < 0 || reserve(writer, 1) < 0)
        return -1;
    writer->buffer[writer->used++] = kind == MAPPED ? BEGIN_MAP : BEGIN_OBJECT;
    if (kind == MAPPED)
        return write_pairs(run, value, size);
    return enter(run, IN_FLAT, OBJECT, indexed_items(value, false), size, false);
}

/* Write the floats that *items* begins with, at least one, but not too many at once; returns how many. */
static inline Py_ssize_t
write_floats(Writer *writer, PyObject *const *items, Py_ssize_t size)
{
    Py_ssize_t count = 0;
    if (size > FLOATS)
        size = FLOATS;
    if (reserve(writer, 9 * size) < 0)
        return -1;
    char *at = end_of(writer);
    do {
        *at++ = DOUBLE;
        at = put_double(at, PyFloat_AS_DOUBLE(items[count]));
    } while (++count < size && PyFloat_CheckExact(items[count]));
    written_to(writer, at);
    return count;
}

/* Write the items of a list or a tuple up to the first that begins a container; returns how many. */
static Py_ssize_t
write_items(Run *run, PyObject *const *items, Py_ssize_t size)
{
    Py_ssize_t index = 0;
    /* A float is often followed by floats only; the list itself takes as much room as they do. */
    if (size > FLOATS && PyFloat_CheckExact(items[0]) && reserve(run->writer, 9 * size) < 0)
        return -1;
    while (index < size) {
        if (PyFloat_CheckExact(items[index])) {
            Py_ssize_t count = write_floats(run->writer, items + index, size - index);
            if (count < 0)
                return -1;
            index += count;
            continue;
        }
        int status = write_simple(run, items[index]);
        if (status < 0)
            return -1;
        if (status)
            break;
        index++;
    }
    return index;
}

/* Go on with a list, a tuple or the list of a set's members, of which so many items have been written. */
static int
enter_items(Run *run, Source source, Shape shape, PyObject *value, Py_ssize_t size, Py_ssize_t index)
{
    if (check_depth(run) < 0)
        return -1;
    if (index == size)
        return write_end(run->writer, shape, size);
    if (enter(run, source, shape, Py_NewRef(value), size, source == IN_LIST && shape == ARRAY) < 0)
        return -1;
    run->frames[run->depth - 1].index = index;
    return 0;
}

/* Write a list, or begin it. */
static int
write_list(Run *run, PyObject *value, bool alone)
{
    Writer *writer = run->writer;
    PyObject *const *items = ((PyListObject *)value)->ob_item;
    Py_ssize_t size = PyList_GET_SIZE(value), offset = writer->used, number = writer->numbers.count;
    if (numbers_begin(&writer->numbers, value, alone) < 0 ||
        put_tagged(writer, 0, BEGIN_DENSE_ARRAY, (uint64_t)size) < 0)
        return -1;
    Py_ssize_t index = write_items(run, items, size);
    if (index < 0)
        return -1;
    for (Py_ssize_t i = index; i < size; i++)
        if (UNLIKELY(items[i] == run->state->hole)) { /* V8 writes such arrays in the sparse form */
            writer->used = offset;
            numbers_forget(&writer->numbers, number);
            return hand_over(run, run->state->names._other, value);
        }
    return enter_items(run, IN_LIST, ARRAY, value, size, index);
}

/* Write a tuple, or begin it. */
static int
write_tuple(Run *run, PyObject *value, bool alone)
{
    Py_ssize_t size = PyTuple_GET_SIZE(value);
    if (numbers_begin(&run->writer->numbers, value, alone) < 0 ||
        put_tagged(run->writer, run->writer->hint, BEGIN_DENSE_ARRAY, (uint64_t)size) < 0)
        return -1;
    Py_ssize_t index = write_items(run, ((PyTupleObject *)value)->ob_item, size);
    return index < 0 ? -1 : enter_items(run, IN_TUPLE, ARRAY, value, size, index);
}

/* Write the members of a set, in a list of their own, or begin them. */
static int
write_members(Run *run, PyObject *value, PyObject *members, bool alone)
{
    Writer *writer = run->writer;
    Py_ssize_t size = PyList_GET_SIZE(members);
    PyObject *const *items = ((PyListObject *)members)->ob_item;
    for (Py_ssize_t i = 0; i < size; i++)
        if ((PyObject *)Py_TYPE(items[i]) == run->state->ByIdentity)
            return hand_over(run, run->state->names._other, value);
    int hint = PyFrozenSet_CheckExact(value) ? writer->hint : 0;
    if (reserve(writer, hint + 1) < 0 || numbers_begin(&writer->numbers, value, alone) < 0)
        return -1;
    for (; hint > 0; hint--)
        writer->buffer[writer->used++] = PADDING;
    writer->buffer[writer->used++] = BEGIN_SET;
    Py_ssize_t index = write_items(run, items, size);
    return index < 0 ? -1 : enter_items(run, IN_LIST, SET, members, size, index);
}

/* Write a set, or begin it. */
static int
write_set(Run *run, PyObject *value, bool alone)
{
    PyObject *members = list_of(value);
    int status = members == NULL ? -1 : write_members(run, value, members, alone);
    Py_XDECREF(members);
    return status;
}

/* Encodings._date; returns 1 for one that Python is to write. */
static int
write_date(Run *run, PyObject *value, bool alone)
{
    Writer *writer = run->writer;
    double milliseconds;
    if (run->claims || !milliseconds_of(&run->state->dates, value, &milliseconds))
        return 1;
    if (numbers_begin(&writer->numbers, value, alone) < 0 || reserve(writer, 9) < 0)
        return -1;
    char *at = end_of(writer);
    *at++ = DATE;
    written_to(writer, put_double(at, milliseconds));
    return 0;
}

/* An object that has no number yet. */
static int
write_object(Run *run, PyObject *item)
{
    Writer *writer = run->writer;
    bool alone = writer->numbers.quiet && Py_REFCNT(item) == 1;
    PyTypeObject *type = Py_TYPE(item);
    bool ours = type == &PyDict_Type || type == &PyList_Type || type == &PyTuple_Type ||
                (PyObject *)type == run->state->Map || type == &PySet_Type || type == &PyFrozenSet_Type ||
                (type == &PyBytes_Type && run->buffers && (uint64_t)PyBytes_GET_SIZE(item) <= UINT32_MAX);
    if (run->plain && (type == &PyBytes_Type || type == &PyByteArray_Type))
        return write_octets(run, item, alone);
    if (!ours || UNLIKELY(run->claims)) {
        int status = is_date(&run->state->dates, item) ? write_date(run, item, alone) : 1;
        return status <= 0 ? status : hand_over(run, run->state->names._other, item);
    }
    if (type == &PyDict_Type || (PyObject *)type == run->state->Map)
        return write_dict(run, item, alone);
    if (type == &PyList_Type)
        return write_list(run, item, alone);
    if (type == &PyTuple_Type)
        return write_tuple(run, item, alone);
    if (type == &PyBytes_Type)
        return numbers_begin(&writer->numbers, item, alone) < 0 ? -1 : write_bytes(run, item);
    return write_set(run, item, alone);
}

/* ---- The loop ---- */

/* Close a container of Python's. */
static int
put_end(Writer *writer, PyObject *frame)
{
    PyObject *end = PyTuple_GET_ITEM(frame, 1);
    return put(writer, PyBytes_AS_STRING(end), PyBytes_GET_SIZE(end));
}

/* Write anything, or begin it. */
static inline int
write_item(Run *run, PyObject *item)
{
    int status = write_simple(run, item);
    if (status <= 0)
        return status;
    if (PyLong_CheckExact(item))
        return hand_over(run, run->state->names._other, item);
    if (UNLIKELY(item == run->state->hole))
        return write_hole(run);
    return write_object(run, item);
}

/* Write what the frames hold: in one loop, since nothing here recurses. */
static int
walk(Run *run)
{
    while (run->depth > 1) {
        Walked *frame = &run->frames[run->depth - 1];
        PyObject *key = NULL, *item;
        Py_ssize_t depth = run->depth;
        do {
            item = next_item(frame, &key);
            if (item == NULL) {
                int status = frame->shape == OTHER
                                 ? put_end(run->writer, frame->frame)
                                 : write_end(run->writer, frame->shape, frame->size);
                if (status < 0)
                    return -1;
                pop(run);
                break;
            }
            if (key != NULL && (LIKELY(PyUnicode_CheckExact(key)) ? write_str(run->writer, key) : write_item(run, key)) < 0)
                return -1;
            if (write_item(run, item) < 0)
                return -1;
            frame = &run->frames[run->depth - 1]; /* they may have moved */
        } while (run->depth == depth);
    }
    return 0;
}

/* A DataCloneError says where in the value it happened: put the path of the frames in front. */
static void
relocate(Run *run)
{
    if (!PyErr_ExceptionMatches(run->state->DataCloneError))
        return;
    PyObject *type, *error, *traceback, *steps = PyList_New(0);
    PyErr_Fetch(&type, &error, &traceback);
    for (Py_ssize_t i = 1; steps != NULL && i < run->depth; i++) { /* the outermost only holds the value */
        PyObject *step = step_of(run->state, &run->frames[i]);
        if (step == NULL || PyList_Append(steps, step) < 0)
            Py_CLEAR(steps);
        Py_XDECREF(step);
    }
    if (steps == NULL) { /* no memory */
        Py_XDECREF(type);
        Py_XDECREF(error);
        Py_XDECREF(traceback);
        return;
    }
    PyErr_Restore(type, error, traceback);
    raise_inside(run->state, steps);
    Py_DECREF(steps);
}

/* Write one value; -1 if that fails. */
static int
write_value(Run *run, PyObject *value)
{
    run->frames = run->few;
    run->room = FEW;
    run->depth = run->secured = 0;
    /* The outermost frame is there only to be counted, as in Python. */
    Walked *root = &run->frames[run->depth++];
    memset(root, 0, sizeof *root);
    root->source = IN_TUPLE;
    run->writer->depth++;
    int status = write_item(run, value);
    if (status == 0)
        status = walk(run);
    bool failed = status < 0 && !run->plain;
    if (failed || run->serializer != NULL)
        numbers_own(&run->writer->numbers);
    if (failed)
        relocate(run);
    while (run->depth)
        pop(run);
    if (run->frames != run->few)
        PyMem_Free(run->frames);
    return status;
}

/* ---- What is called ---- */

/* write(serializer, value, claims): _walk, for one value */
PyObject *
writer_write(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "write(serializer, value, claims)");
        return NULL;
    }
    Run run;
    run.state = PyType_GetModuleState(Py_TYPE(self));
    run.writer = (Writer *)self;
    run.plain = false;
    run.claims = arguments[2] == Py_True;
    run.buffers = false;
    if ((PyObject *)Py_TYPE(arguments[0]) == run.state->DefaultSerializer) {
        PyObject *treat = PyObject_GetAttr(arguments[0], run.state->names.treat_array_buffer_views_as_host_objects);
        if (treat == NULL)
            return NULL;
        run.buffers = treat == Py_True;
        Py_DECREF(treat);
    }
    Numbers *numbers = &run.writer->numbers;
    if (numbers->count && numbers_settle(numbers) < 0) /* what has been written may be met again */
        return NULL;
    run.serializer = Py_NewRef(arguments[0]);
    int status = write_value(&run, arguments[1]);
    Py_DECREF(run.serializer);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* dumps(value): what DefaultSerializer does, and without one if the value needs none.  *plain*: only what every
 * Serializer does alike, else None. */
PyObject *
accelerator_dumps(State *state, PyObject *value, bool plain)
{
    Writer *writer = (Writer *)state->spare;
    state->spare = NULL;
    if (writer == NULL && (writer = new_writer(state)) == NULL)
        return NULL;
    writer_init(writer, 1, WRITTEN_VERSION, MAX_DEPTH);
    Run run;
    run.state = state;
    run.writer = writer;
    run.serializer = NULL;
    run.plain = plain;
    run.claims = false;
    run.buffers = !plain;
    writer->buffer[0] = (char)VERSION;
    writer->buffer[1] = WRITTEN_VERSION;
    writer->used = 2;
    PyObject *bytes = NULL;
    if (write_value(&run, value) == 0)
        bytes = writer_bytes((PyObject *)writer, NULL);
    Py_XDECREF(run.serializer);
    numbers_clear(&writer->numbers);
    if (writer->bytes != NULL && (Py_REFCNT(writer->bytes) > 1 || !writer_keeps(writer)))
        use_small_buffer(writer);
    if (Py_REFCNT(writer) == 1 && state->spare == NULL)
        state->spare = (PyObject *)writer;
    else
        Py_DECREF(writer);
    if (bytes == NULL && plain && !PyErr_Occurred())
        Py_RETURN_NONE;
    return bytes;
}
