/* Containers that are walked, and the numbers of the objects met: what write.c and clone.c have in common. */

#include "accelerator.h"

/* ---- The numbers of objects ---- */

static void
use_small_table(Numbers *numbers)
{
    numbers->count = numbers->entered = 0;
    numbers->table = numbers->small;
    numbers->mask = SMALL_TABLE - 1;
    numbers->used = 0;
    numbers->quiet = true;
    memset(numbers->small, 0, sizeof numbers->small);
}

void
numbers_init(Numbers *numbers)
{
    numbers->objects = numbers->few;
    numbers->room = SMALL_TABLE;
    numbers->block = NULL;
    numbers->block_size = 0;
    numbers->owned = 0;
    use_small_table(numbers);
}

static void
free_objects(Numbers *numbers)
{
    if (numbers->objects != numbers->few)
        PyMem_Free(numbers->objects);
    numbers->objects = numbers->few;
    numbers->room = SMALL_TABLE;
}

static void
free_block(Numbers *numbers)
{
    PyMem_Free(numbers->block);
    numbers->block = NULL;
    numbers->block_size = 0;
}

/* Forget all numbers.  Room for many is kept for the next message, if this one needed it: new pages would take longer
 * than all that is entered. */
void
numbers_clear(Numbers *numbers)
{
    Py_ssize_t owned = numbers->owned;
    if (UNLIKELY(owned)) { /* what is released may run code that uses the numbers again */
        Numbers old = *numbers;
        if (old.objects == numbers->few)
            old.objects = old.few;
        numbers_init(numbers);
        for (Py_ssize_t i = 0; i < owned; i++)
            Py_XDECREF(old.objects[i]);
        free_objects(&old);
        free_block(&old);
        return;
    }
    if (UNLIKELY(numbers->room > SMALL_TABLE) && (numbers->room > KEPT_ROOM || numbers->count < numbers->room >> 2))
        free_objects(numbers);
    if (UNLIKELY(numbers->block != NULL) && (numbers->block_size > 2 * KEPT_ROOM || numbers->table == numbers->small))
        free_block(numbers);
    if (numbers->used)
        use_small_table(numbers);
    numbers->count = numbers->entered = 0;
    numbers->quiet = true;
}

/* Give back also what is kept. */
void
numbers_free(Numbers *numbers)
{
    numbers_clear(numbers);
    free_objects(numbers);
    free_block(numbers);
}

int
numbers_visit(Numbers *numbers, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < numbers->owned; i++)
        Py_VISIT(numbers->objects[i]);
    return 0;
}

int
numbers_grow(Numbers *numbers)
{
    Py_ssize_t room = numbers->room * 2;
    PyObject **old = numbers->objects == numbers->few ? NULL : numbers->objects;
    PyObject **objects = PyMem_Realloc(old, room * sizeof *objects);
    if (objects == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (old == NULL)
        memcpy(objects, numbers->few, sizeof numbers->few);
    numbers->objects = objects;
    numbers->room = room;
    return 0;
}

/* Make the table four times as large.  The entries there are stand behind it, while they are entered again.  (It
 * is cleared when it is needed: that takes it into the cache.) */
static int
enlarge_table(Numbers *numbers)
{
    Py_ssize_t entries = numbers->mask + 1, size = 4 * entries;
    bool in_block = numbers->table != numbers->small;
    if (numbers->block_size < size + entries) {
        Entry *block = PyMem_Realloc(numbers->block, (size + entries) * sizeof *block);
        if (block == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        numbers->block = block;
        numbers->block_size = size + entries;
    }
    Entry *table = numbers->block, *old = table + size;
    memcpy(old, in_block ? table : numbers->small, entries * sizeof *old);
    memset(table, 0, size * sizeof *table);
    for (Entry *entry = old; entry < old + entries; entry++) {
        if (entry->object == NULL)
            continue;
        Py_ssize_t i = place_of(entry->object, size - 1);
        while (table[i].object != NULL)
            i = (i + 1) & (size - 1);
        table[i] = *entry;
    }
    numbers->table = table;
    numbers->mask = size - 1;
    return 0;
}

/* Enter *object*, or give it another number. */
int
numbers_enter(Numbers *numbers, PyObject *object, Py_ssize_t number)
{
    if (numbers->used * 5 > numbers->mask * 3 && enlarge_table(numbers) < 0)
        return -1;
    Py_ssize_t i = place_of(object, numbers->mask);
    while (numbers->table[i].object != NULL) {
        if (numbers->table[i].object == object) {
            numbers->table[i].number = number;
            return 0;
        }
        i = (i + 1) & numbers->mask;
    }
    numbers->table[i] = (Entry){object, number};
    numbers->used++;
    return 0;
}

/* Hold every object that has a number, so that it stays whatever code runs. */
int
numbers_own(Numbers *numbers)
{
    for (Py_ssize_t i = numbers->owned; i < numbers->count; i++)
        Py_XINCREF(numbers->objects[i]);
    numbers->owned = numbers->count;
    return 0;
}

/* Python code will run: from now on anything may be met again, and be gone unless it is held. */
int
numbers_settle(Numbers *numbers)
{
    numbers_own(numbers);
    for (Py_ssize_t i = numbers->entered; i < numbers->count; i++) {
        PyObject *object = numbers->objects[i];
        if (object != NULL && numbers_find(numbers, object) < 0 && numbers_enter(numbers, object, i) < 0)
            return -1;
        numbers->entered = i + 1;
    }
    numbers->quiet = false;
    return 0;
}

/* Give *object* the next number, when it has been entered, or is not to be met again. */
int
numbers_append(Numbers *numbers, PyObject *object)
{
    if (numbers->count == numbers->room && numbers_grow(numbers) < 0)
        return -1;
    numbers->objects[numbers->count++] = Py_NewRef(object);
    numbers->owned = numbers->entered = numbers->count;
    return 0;
}

static void
take_out(Numbers *numbers, PyObject *object)
{
    Entry *table = numbers->table;
    Py_ssize_t mask = numbers->mask, i = place_of(object, mask);
    while (table[i].object != object) {
        if (table[i].object == NULL)
            return;
        i = (i + 1) & mask;
    }
    for (Py_ssize_t j = i;;) { /* close the gap, so that no entry is behind one */
        table[i].object = NULL;
        Py_ssize_t home;
        do {
            j = (j + 1) & mask;
            if (table[j].object == NULL) {
                numbers->used--;
                return;
            }
            home = place_of(table[j].object, mask);
        } while (i <= j ? i < home && home <= j : i < home || home <= j);
        table[i] = table[j];
        i = j;
    }
}

/* Take back the numbers from *first* on. */
void
numbers_forget(Numbers *numbers, Py_ssize_t first)
{
    while (numbers->count > first) {
        PyObject *object = numbers->objects[--numbers->count];
        bool owned = numbers->count < numbers->owned;
        if (object != NULL)
            take_out(numbers, object);
        if (owned) {
            numbers->owned = numbers->count;
            if (numbers->entered > numbers->count)
                numbers->entered = numbers->count;
            Py_XDECREF(object);
        }
    }
}

/* ---- Containers that are walked ---- */

void
walked_clear(Walked *walked)
{
    Py_CLEAR(walked->items);
    Py_CLEAR(walked->frame);
}

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

/* ---- What kind of object a dict is ---- */

/* _properties.is_index */
bool
array_index(PyObject *key, uint32_t *index)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(key);
    if (length == 0 || length > 10 || !PyUnicode_IS_ASCII(key))
        return false;
    const Py_UCS1 *text = PyUnicode_1BYTE_DATA(key);
    uint64_t number = 0;
    if (text[0] == '0' && length > 1)
        return false;
    for (Py_ssize_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (text[i] - '0');
    }
    *index = (uint32_t)number;
    return number < MAX_ARRAY_LENGTH;
}

bool
has_surrogates(PyObject *text)
{
    if (PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND)
        return false;
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0; i < length; i++)
        if (Py_UNICODE_IS_SURROGATE(PyUnicode_READ(kind, data, i)))
            return true;
    return false;
}

/* _keys.check_keys: whether a Map may have a key that is this one to JavaScript, and another to Python. */
bool
doubtful_key(State *state, PyObject *key)
{
    if (PyUnicode_Check(key))
        return READY(key) < 0 || has_surrogates(key);
    if (PyFloat_Check(key))
        return PyFloat_AS_DOUBLE(key) != PyFloat_AS_DOUBLE(key);
    return (PyObject *)Py_TYPE(key) == state->ByIdentity;
}

/* _properties.property_list, as far as it is a question */
Dictionary
classify(State *state, PyObject *dict)
{
    Dictionary kind = PLAIN;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    uint32_t index;
    while (PyDict_Next(dict, &position, &key, &value)) {
        if (UNLIKELY(!PyUnicode_CheckExact(key))) {
            if (!PyUnicode_Check(key)) {
                kind = MAPPED;
                break;
            }
            kind = ODD;
        }
        else if (UNLIKELY(!PyUnicode_IS_COMPACT_ASCII(key))) {
            if (READY(key) < 0 || has_surrogates(key))
                kind = ODD;
        }
        else if (PyUnicode_GET_LENGTH(key) && PyUnicode_1BYTE_DATA(key)[0] <= '9' && array_index(key, &index)) {
            if (kind == PLAIN)
                kind = INDEXED;
        }
    }
    if (kind == MAPPED) {
        position = 0;
        while (PyDict_Next(dict, &position, &key, &value))
            if (doubtful_key(state, key))
                return ODD;
    }
    return kind;
}

typedef struct {
    uint32_t index;
    PyObject *key, *value;
} Indexed;

static int
by_index(const void *left, const void *right)
{
    uint32_t a = ((const Indexed *)left)->index, b = ((const Indexed *)right)->index;
    return (a > b) - (a < b);
}

/* _properties.property_list of a dict with array indices: those first, as numbers or (*named*) as they are. */
PyObject *
indexed_items(PyObject *dict, bool named)
{
    PyObject *key, *value;
    Py_ssize_t size = PyDict_GET_SIZE(dict), position = 0, count = 0, i = 0;
    uint32_t index;
    Indexed *indexed = PyMem_Malloc(size * sizeof *indexed);
    if (indexed == NULL)
        return PyErr_NoMemory();
    int collecting = PyGC_Disable();
    PyObject *flat = PyList_New(2 * size);
    if (collecting)
        PyGC_Enable();
    if (flat == NULL)
        goto done;
    bool ascending = true; /* as they do in what loads has made */
    while (PyDict_Next(dict, &position, &key, &value))
        if (array_index(key, &index)) {
            ascending = ascending && (count == 0 || indexed[count - 1].index < index);
            indexed[count++] = (Indexed){index, key, value};
        }
    if (!ascending)
        qsort(indexed, count, sizeof *indexed, by_index);
    for (; i < count; i++) {
        index = indexed[i].index;
        key = named                 ? Py_NewRef(indexed[i].key)
              : index < 0x80000000u ? PyLong_FromUnsignedLong(index)
                                    : PyFloat_FromDouble(index);
        if (key == NULL) {
            Py_CLEAR(flat);
            goto done;
        }
        PyList_SET_ITEM(flat, 2 * i, key);
        PyList_SET_ITEM(flat, 2 * i + 1, Py_NewRef(indexed[i].value));
    }
    position = 0;
    while (PyDict_Next(dict, &position, &key, &value))
        if (!array_index(key, &index)) {
            PyList_SET_ITEM(flat, 2 * i, Py_NewRef(key));
            PyList_SET_ITEM(flat, 2 * i + 1, Py_NewRef(value));
            i++;
        }
done:
    PyMem_Free(indexed);
    return flat;
}

/* The members of a set, in its own order. */
PyObject *
list_of(PyObject *set)
{
    int collecting = PyGC_Disable();
    PyObject *list = PySequence_List(set);
    if (collecting)
        PyGC_Enable();
    return list;
}
