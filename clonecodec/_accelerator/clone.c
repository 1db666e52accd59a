/* _cloner in C: a clone of one value, without a transfer list.
 *
 * As in read.c, what is not as expected is left to Python, from the start: instances and exceptions among it, whose
 * own code might run.  So no code of the user's runs here.
 *
 * In C is what is asked for each object of a value, and the making of its clone.
 */

#include "build.h"
#include "dates.h"
#include "numbers.h"
#include "properties.h"
#include "walk.h"

/* A container that is being cloned. */
typedef struct {
    Walked walked;
    Kind kind;
    bool copied;        /* OBJECT_: the target began as a copy, so that only what is no scalar is replaced */
    PyObject *target;   /* held; a set for a frozenset */
    PyObject *key;      /* OBJECT_, MAP_: where the next value goes; held */
    PyObject *keys;     /* MAP_, SET_, FROZENSET: the Keys, once they are needed; held */
    Py_ssize_t number;
} Frame;

#define FEW 8
#define FLAT 8

struct Cloning {
    State *state;
    Numbers numbers;    /* of the originals */
    PyObject **clones;  /* by number, as many as numbers.count */
    Py_ssize_t clone_room;
    bool held;          /* whether references to them are: when a Map or a set might drop them again */
    PyObject *cloner;   /* NULL as long as none is needed; held */
    bool paused;        /* whether the collector is to be resumed */
    Py_ssize_t max_depth;
    Py_ssize_t secured; /* so many frames walk snapshots */
    Py_ssize_t depth;
    Py_ssize_t room;
    Frame *frames;
    Frame few[FEW];
    PyObject *few_clones[SMALL_TABLE];
};

/* NULL without an exception means: let Python do it. */
#define GIVE_UP NULL

/* Whether *item* is its own clone: asked for every item. */
static inline bool
is_scalar(State *state, PyObject *item)
{
    PyTypeObject *type = Py_TYPE(item);
    return type == &PyUnicode_Type || type == &PyLong_Type || type == &PyFloat_Type || item == Py_None ||
           type == &PyBool_Type || item == state->undefined;
}

/* Cloner._date */
static PyObject *
date(State *state, PyObject *value)
{
    double milliseconds;
    return milliseconds_of(&state->dates, value, &milliseconds) ? date_of(&state->dates, milliseconds) : GIVE_UP;
}

/* ---- Handing over to Python ---- */

/* Let a Cloner clone what holds no other values. */
static PyObject *
leaf(Cloning *cloning, PyObject *item)
{
    State *state = cloning->state;
    PyTypeObject *type = Py_TYPE(item);
    int known = PySet_Contains(state->clone_leaves, (PyObject *)type);
    if (known <= 0)
        return NULL;
    if ((PyObject *)type == state->datetime) { /* whose time zone may be the user's */
        PyObject *zone = PyObject_GetAttr(item, state->names.tzinfo);
        bool ours = zone != NULL && (PyObject *)Py_TYPE(zone) == state->timezone;
        Py_XDECREF(zone);
        if (!ours)
            return GIVE_UP;
    }
    for (; cloning->secured < cloning->depth; cloning->secured++)
        if (snapshot(&cloning->frames[cloning->secured].walked) < 0)
            return NULL;
    if (numbers_settle(&cloning->numbers) < 0)
        return NULL;
    Py_INCREF(item);
    if (cloning->paused)
        PyGC_Enable();
    PyObject *copy = NULL;
    if (cloning->cloner == NULL)
        cloning->cloner = PyObject_CallNoArgs(state->cloner);
    if (cloning->cloner != NULL)
        copy = PyObject_CallMethodOneArg(cloning->cloner, state->names.leaf, item);
    if (cloning->paused)
        PyGC_Disable();
    Py_DECREF(item);
    return copy;
}

/* ---- Containers ---- */

/* Remember that *clone* is what *original* becomes. */
static int
known(Cloning *cloning, PyObject *original, bool alone, PyObject *clone)
{
    Py_ssize_t number = cloning->numbers.count;
    if (UNLIKELY(number == cloning->clone_room) &&
        grow_objects(&cloning->clones, &cloning->clone_room, cloning->few_clones) < 0)
        return -1;
    if (numbers_begin(&cloning->numbers, original, alone) < 0)
        return -1;
    cloning->clones[number] = clone;
    if (cloning->held)
        Py_INCREF(clone);
    return 0;
}

/* Lists, dicts and tuples keep what is put into them; Maps and sets need not. */
static void
hold_clones(Cloning *cloning)
{
    if (!cloning->held)
        for (Py_ssize_t i = 0; i < cloning->numbers.count; i++)
            Py_INCREF(cloning->clones[i]);
    cloning->held = true;
}

static void
drop(Frame *frame)
{
    walked_clear(&frame->walked);
    Py_CLEAR(frame->target);
    Py_CLEAR(frame->key);
    Py_CLEAR(frame->keys);
}

/* Begin to clone a container that is known into *target*, whose reference is taken, as that of *items* is. */
static Frame *
push_known(Cloning *cloning, Py_ssize_t number, Kind kind, PyObject *target, Source source, PyObject *items,
           Py_ssize_t size, bool live)
{
    if (cloning->depth == cloning->room) {
        Py_ssize_t room = cloning->room * 2;
        Frame *old = cloning->frames == cloning->few ? NULL : cloning->frames;
        Frame *frames = PyMem_Realloc(old, room * sizeof *frames);
        if (frames == NULL) {
            PyErr_NoMemory();
            Py_DECREF(target);
            Py_DECREF(items);
            return NULL;
        }
        if (old == NULL)
            memcpy(frames, cloning->few, sizeof cloning->few);
        cloning->frames = frames;
        cloning->room = room;
    }
    Frame *frame = &cloning->frames[cloning->depth++];
    memset(frame, 0, sizeof *frame);
    frame->walked.source = source;
    frame->walked.items = items;
    frame->walked.size = size;
    frame->walked.live = live;
    frame->kind = kind;
    frame->target = target;
    frame->number = number;
    return frame;
}

/* The same with one that is not, *original*. */
static Frame *
push(Cloning *cloning, PyObject *original, bool alone, Kind kind, PyObject *target, Source source, PyObject *items,
     Py_ssize_t size, bool live)
{
    if (target == NULL || items == NULL)
        goto failed;
    if (kind == MAP_ || kind == SET_ || kind == FROZENSET)
        hold_clones(cloning);
    Py_ssize_t number = cloning->numbers.count;
    if (known(cloning, original, alone, kind == TUPLE || kind == FROZENSET ? cloning->state->not_yet : target) < 0)
        goto failed;
    return push_known(cloning, number, kind, target, source, items, size, live);
failed:
    Py_XDECREF(target);
    Py_XDECREF(items);
    return NULL;
}

static bool
are_scalars(State *state, PyObject *const *items, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < size; i++)
        if (!is_scalar(state, items[i]))
            return false;
    return true;
}

static inline void
share(PyObject **target, PyObject *const *items, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < size; i++)
        target[i] = Py_NewRef(items[i]);
}

/* Clones of containers of scalars, which most of what lies in others is; NULL without an exception for any other. */

static PyObject *
flat_list(State *state, PyObject *list)
{
    Py_ssize_t size = PyList_GET_SIZE(list);
    PyObject *const *items = ((PyListObject *)list)->ob_item;
    PyObject *clone = are_scalars(state, items, size) ? PyList_New(size) : NULL;
    if (clone != NULL)
        share(((PyListObject *)clone)->ob_item, items, size);
    return clone;
}

static PyObject *
flat_tuple(State *state, PyObject *tuple)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    PyObject *const *items = ((PyTupleObject *)tuple)->ob_item;
    PyObject *clone = are_scalars(state, items, size) ? PyTuple_New(size) : NULL;
    if (clone != NULL)
        share(((PyTupleObject *)clone)->ob_item, items, size);
    return clone;
}

static PyObject *
flat_dict(State *state, PyObject *dict)
{
    PyObject *key, *item;
    Py_ssize_t position = 0;
    if (PyDict_GET_SIZE(dict) > FLAT) /* which is seldom of scalars only, and would be looked through in vain */
        return NULL;
    while (PyDict_Next(dict, &position, &key, &item))
        if (!is_scalar(state, item) || !plain_name(key))
            return NULL;
    return PyDict_Copy(dict);
}

/* The clone of what lies in a list or dict that is known, if that needs no frame: what has been met before, or holds
 * scalars only.  *holders*: how many references to it the container, and its clone so far, account for. */
static inline PyObject *
simple_clone(Cloning *cloning, PyObject *item, Py_ssize_t holders)
{
    bool alone = cloning->numbers.quiet && Py_REFCNT(item) == holders;
    if (!alone) {
        Py_ssize_t number = numbers_find(&cloning->numbers, item);
        if (number >= 0) {
            PyObject *clone = cloning->clones[number];
            return clone == cloning->state->not_yet ? NULL : Py_NewRef(clone);
        }
    }
    if (cloning->depth >= cloning->max_depth)
        return NULL;
    PyObject *clone = PyDict_CheckExact(item)    ? flat_dict(cloning->state, item)
                      : PyList_CheckExact(item)  ? flat_list(cloning->state, item)
                      : PyTuple_CheckExact(item) ? flat_tuple(cloning->state, item)
                               : is_date(&cloning->state->dates, item) ? date(cloning->state, item)
                                                                       : NULL;
    if (clone != NULL && known(cloning, item, alone, clone) < 0)
        Py_CLEAR(clone);
    return clone;
}

/* Clone a container without a frame, into *whole*, as far as that can be done; return the frame for the rest.
 *
 * A dict with plain names, or a Map with keys that are their own clones: *target* is a copy of it, in which what is no
 * scalar is replaced; what is before *first* and *index* is known to be. */
static Frame *
begin_copy(Cloning *cloning, PyObject *value, bool alone, PyObject *target, Py_ssize_t first, Py_ssize_t index,
           PyObject **whole)
{
    PyObject *key, *item;
    Py_ssize_t position = first, before = first, size = 2 * PyDict_GET_SIZE(value), number = cloning->numbers.count;
    if (target == NULL || known(cloning, value, alone, target) < 0)
        goto failed;
    for (; index < size && PyDict_Next(value, &position, &key, &item); before = position, index += 2) {
        if (is_scalar(cloning->state, item))
            continue;
        PyObject *clone = simple_clone(cloning, item, 2);
        if (clone == NULL) {
            if (PyErr_Occurred())
                goto failed;
            Frame *frame = push_known(cloning, number, OBJECT_, target, IN_DICT, Py_NewRef(value), size, true);
            if (frame != NULL) {
                frame->copied = true;
                frame->walked.position = before;
                frame->walked.index = index;
            }
            return frame;
        }
        int status = PyDict_SetItem(target, key, clone);
        Py_DECREF(clone);
        if (status < 0)
            goto failed;
    }
    *whole = target;
    return NULL;
failed:
    Py_XDECREF(target);
    return NULL;
}

/* Clone a list as far as its items need no frame; return the frame for the rest. */
static Frame *
begin_list(Cloning *cloning, PyObject *value, bool alone, PyObject **whole)
{
    Py_ssize_t size = PyList_GET_SIZE(value), index = 0, number = cloning->numbers.count;
    PyObject *target = PyList_New(size);
    if (target == NULL || known(cloning, value, alone, target) < 0) {
        Py_XDECREF(target);
        return NULL;
    }
    for (; index < size; index++) {
        PyObject *item = PyList_GET_ITEM(value, index);
        PyObject *clone = is_scalar(cloning->state, item) ? Py_NewRef(item) : simple_clone(cloning, item, 1);
        if (clone == NULL)
            break;
        PyList_SET_ITEM(target, index, clone);
    }
    Py_SET_SIZE(target, index); /* it grows as it is filled */
    if (index == size) {
        *whole = target;
        return NULL;
    }
    if (PyErr_Occurred()) {
        Py_DECREF(target);
        return NULL;
    }
    Frame *frame = push_known(cloning, number, LIST, target, IN_LIST, Py_NewRef(value), size, true);
    if (frame != NULL)
        frame->walked.index = index;
    return frame;
}

/* A Map of the same keys and values. */
static PyObject *
copied_map(State *state, PyObject *dict)
{
    PyObject *map = PyObject_CallNoArgs(state->Map);
    if (map != NULL && PyDict_Update(map, dict) < 0)
        Py_CLEAR(map);
    return map;
}

/* Clone a dict or Map: as a copy if its keys allow that. */
static Frame *
begin_dict(Cloning *cloning, PyObject *value, bool alone, PyObject **whole)
{
    PyObject *key, *item;
    Py_ssize_t position = 0, first = 0, index = 0, size = 2 * PyDict_GET_SIZE(value);
    bool plain = PyDict_CheckExact(value), scalar = true, own = true; /* so far */
    while (plain && PyDict_Next(value, &position, &key, &item)) {
        plain = plain_name(key);
        scalar = scalar && is_scalar(cloning->state, item);
        if (scalar) {
            first = position;
            index += 2;
        }
    }
    if (plain)
        return begin_copy(cloning, value, alone, PyDict_Copy(value), first, index, whole);
    Dictionary kind = MAPPED;
    if (PyDict_CheckExact(value))
        kind = classify(cloning->state, value);
    else
        for (position = 0; PyDict_Next(value, &position, &key, &item);)
            if (doubtful_key(cloning->state, key))
                kind = ODD;
    switch (kind) {
    case INDEXED:
        return push(cloning, value, alone, OBJECT_, PyDict_New(), IN_FLAT, indexed_items(value, true), size, false);
    case MAPPED:
        for (position = 0; own && PyDict_Next(value, &position, &key, &item);)
            own = is_own_key(key);
        if (own)
            return begin_copy(cloning, value, alone, copied_map(cloning->state, value), 0, 0, whole);
        return push(cloning, value, alone, MAP_, PyObject_CallNoArgs(cloning->state->Map), IN_PAIRS,
                    Py_NewRef(value), size, true);
    default: return GIVE_UP;
    }
}

/* Begin to clone a container; or set *whole* to its clone if it needs no frame, as most do not. */
static Frame *
begin(Cloning *cloning, PyObject *value, bool alone, PyObject **whole)
{
    PyTypeObject *type = Py_TYPE(value);
    PyObject *target;
    Py_ssize_t size;
    if (type == &PyDict_Type || (PyObject *)type == cloning->state->Map)
        return begin_dict(cloning, value, alone, whole);
    if (type == &PyList_Type)
        return begin_list(cloning, value, alone, whole);
    if (type == &PyTuple_Type) {
        if ((*whole = flat_tuple(cloning->state, value)) != NULL && known(cloning, value, alone, *whole) < 0)
            Py_CLEAR(*whole);
        if (*whole != NULL || PyErr_Occurred())
            return NULL;
        size = PyTuple_GET_SIZE(value);
        target = PyTuple_New(size);
        if (target != NULL && size)
            PyObject_GC_UnTrack(target); /* nobody is to see it before it is filled */
        return push(cloning, value, alone, TUPLE, target, IN_TUPLE, Py_NewRef(value), size, false);
    }
    return push(cloning, value, alone, type == &PySet_Type ? SET_ : FROZENSET, PySet_New(NULL), IN_LIST,
                list_of(value), PySet_GET_SIZE(value), false);
}

/* Whether the container *number* is still being cloned. */
static bool
is_open(Cloning *cloning, Py_ssize_t number)
{
    Py_ssize_t low = 0, high = cloning->depth; /* inner ones have higher numbers */
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (cloning->frames[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < cloning->depth && cloning->frames[low].number == number;
}

/* The clone of what has been met before. */
static PyObject *
reference(Cloning *cloning, Py_ssize_t number)
{
    PyObject *clone = cloning->clones[number];
    if (clone == cloning->state->not_yet)
        return GIVE_UP;
    Frame *frame = &cloning->frames[cloning->depth - 1];
    bool patched = frame->kind <= LIST || frame->kind == OBJECT_ || (frame->kind == MAP_ && frame->key != NULL);
    if (!patched && PyList_CheckExact(clone) && is_open(cloning, number))
        return GIVE_UP;
    return Py_NewRef(clone);
}

/* Clone an object, or begin to.  *began* is set if it is a container. */
static PyObject *
clone_of(Cloning *cloning, PyObject *item, bool *began)
{
    /* A dict that began as a copy holds the original's items too, until they are replaced. */
    Py_ssize_t holders = cloning->frames[cloning->depth - 1].copied ? 2 : 1;
    bool alone = cloning->numbers.quiet && Py_REFCNT(item) == holders;
    if (!alone) {
        Py_ssize_t number = numbers_find(&cloning->numbers, item);
        if (number >= 0)
            return reference(cloning, number);
    }
    PyTypeObject *type = Py_TYPE(item);
    if (type == &PyDict_Type || type == &PyList_Type || type == &PyTuple_Type || PyAnySet_CheckExact(item) ||
        (PyObject *)type == cloning->state->Map) {
        if (cloning->depth > cloning->max_depth)
            return GIVE_UP;
        PyObject *whole = NULL;
        *began = begin(cloning, item, alone, &whole) != NULL;
        return whole;
    }
    PyObject *copy = type == &PyBytes_Type                   ? PyMemoryView_FromObject(item)
                     : is_date(&cloning->state->dates, item) ? date(cloning->state, item)
                                                             : NULL;
    if (copy == NULL && !PyErr_Occurred())
        copy = leaf(cloning, item);
    if (copy != NULL && known(cloning, item, alone, copy) < 0)
        Py_CLEAR(copy);
    return copy;
}

/* Take the finished clone out of the innermost frame. */
static PyObject *
closed(Cloning *cloning)
{
    Frame *frame = &cloning->frames[cloning->depth - 1];
    PyObject *value = frame->target;
    if (frame->kind == FROZENSET)
        value = PyFrozenSet_New(frame->target);
    else if (frame->kind == TUPLE && frame->walked.size)
        PyObject_GC_Track(value);
    if (value == NULL)
        return NULL;
    if (value == frame->target)
        frame->target = NULL;
    if (frame->kind == TUPLE || frame->kind == FROZENSET) {
        if (cloning->held) {
            Py_DECREF(cloning->clones[frame->number]);
            Py_INCREF(value);
        }
        cloning->clones[frame->number] = value;
    }
    drop(frame);
    cloning->depth--;
    if (cloning->secured > cloning->depth)
        cloning->secured = cloning->depth;
    return value;
}

/* Put *value* into the innermost container; its reference is taken. */
static inline int
store(Cloning *cloning, PyObject *value)
{
    Frame *frame = &cloning->frames[cloning->depth - 1];
    PyObject *target = frame->target;
    switch (frame->kind) {
    case LIST: put_into_list(target, value); return 0;
    case TUPLE: PyTuple_SET_ITEM(target, frame->walked.index - 1, value); return 0;
    case OBJECT_: return put_into_dict(target, &frame->key, value);
    case MAP_: return put_into_map(cloning->state, target, &frame->keys, &frame->key, value, cloning->paused);
    default: return put_into_set(cloning->state, target, &frame->keys, value, cloning->paused);
    }
}

/* ---- The loop ---- */

/* Clone *root*: in one loop, since nothing here recurses. */
static PyObject *
walk(Cloning *cloning, PyObject *root)
{
    State *state = cloning->state;
    PyObject *item = root, *key = NULL;
    for (;;) {
        bool began = false;
        PyObject *copy;
        if (item == NULL)
            copy = closed(cloning);
        else if (is_scalar(state, item))
            copy = Py_NewRef(item);
        else {
            if (key != NULL)
                cloning->frames[cloning->depth - 1].key = Py_NewRef(key);
            key = NULL;
            copy = clone_of(cloning, item, &began);
        }
        if (!began) {
            if (copy == NULL)
                return NULL;
            Frame *frame = &cloning->frames[cloning->depth - 1];
            if (frame->kind == ROOT)
                return copy;
            if (key != NULL)
                frame->key = Py_NewRef(key);
            if (store(cloning, copy) < 0)
                return NULL;
        }
        Frame *frame = &cloning->frames[cloning->depth - 1];
        key = NULL;
        do
            item = next_item(&frame->walked, &key);
        while (frame->copied && item != NULL && is_scalar(state, item));
        if (frame->kind == LIST) { /* most lists are of scalars */
            PyObject *target = frame->target;
            Py_ssize_t size = PyList_GET_SIZE(target);
            while (item != NULL && is_scalar(state, item)) {
                PyList_SET_ITEM(target, size, Py_NewRef(item));
                size++;
                item = next_item(&frame->walked, &key);
            }
            Py_SET_SIZE(target, size);
        }
        if (item == NULL)
            key = NULL;
    }
}

/* One that is at rest: the one that is kept, or a new one. */
static Cloning *
take_cloning(State *state)
{
    Cloning *cloning = state->spare_cloning;
    state->spare_cloning = NULL;
    if (cloning != NULL)
        return cloning;
    cloning = PyMem_Malloc(sizeof *cloning);
    if (cloning == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    numbers_init(&cloning->numbers);
    cloning->state = state;
    cloning->clones = cloning->few_clones;
    cloning->clone_room = SMALL_TABLE;
    cloning->cloner = NULL;
    cloning->held = false;
    cloning->frames = cloning->few;
    cloning->room = FEW;
    memset(&cloning->few[0], 0, sizeof cloning->few[0]);
    cloning->few[0].number = -1;
    return cloning;
}

/* Bring it to rest, and keep it for the next clone. */
static void
give_back(Cloning *cloning)
{
    State *state = cloning->state;
    while (cloning->depth)
        drop(&cloning->frames[--cloning->depth]);
    if (cloning->frames != cloning->few)
        PyMem_Free(cloning->frames);
    cloning->frames = cloning->few;
    cloning->room = FEW;
    if (cloning->held)
        for (Py_ssize_t i = 0; i < cloning->numbers.count; i++)
            Py_DECREF(cloning->clones[i]);
    cloning->held = false;
    numbers_clear(&cloning->numbers);
    if (cloning->clone_room > cloning->numbers.room) {
        PyMem_Free(cloning->clones);
        cloning->clones = cloning->few_clones;
        cloning->clone_room = SMALL_TABLE;
    }
    Py_CLEAR(cloning->cloner);
    if (state->spare_cloning == NULL)
        state->spare_cloning = cloning;
    else
        cloning_free(cloning);
}

/* Free one that is at rest, or none. */
void
cloning_free(Cloning *cloning)
{
    if (cloning == NULL)
        return;
    numbers_free(&cloning->numbers);
    if (cloning->clones != cloning->few_clones)
        PyMem_Free(cloning->clones);
    PyMem_Free(cloning);
}

/* structured_clone(value): what Cloner does without a transfer list */
PyObject *
accelerator_clone(State *state, PyObject *value, Py_ssize_t max_depth)
{
    if (is_scalar(state, value))
        return Py_NewRef(value);
    Cloning *cloning = take_cloning(state);
    if (cloning == NULL)
        return NULL;
    cloning->max_depth = max_depth;
    cloning->depth = cloning->secured = 1;
    cloning->paused = pause_collector(state);
    PyObject *copy = walk(cloning, value);
    end_pause(state, cloning->paused, cloning->numbers.count);
    PyObject *type = NULL, *error = NULL, *traceback = NULL;
    if (copy == NULL) {
        if (PyErr_ExceptionMatches(state->DataCloneError))
            PyErr_Clear();
        PyErr_Fetch(&type, &error, &traceback);
    }
    give_back(cloning);
    if (copy != NULL)
        return copy;
    if (type == NULL)
        Py_RETURN_NOTIMPLEMENTED;
    PyErr_Restore(type, error, traceback);
    return NULL;
}
