/* The numbers of objects: a table by identity, with open addressing.
 *
 * In C because each object of a message is looked up and entered, most often at once: the dict of ids in Python takes
 * an int for each. */

#include "numbers.h"

/* Forget all entries. */
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

/* Begin without numbers. */
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

/* Give back the room for the objects. */
static void
free_objects(Numbers *numbers)
{
    if (numbers->objects != numbers->few)
        PyMem_Free(numbers->objects);
    numbers->objects = numbers->few;
    numbers->room = SMALL_TABLE;
}

/* Give back the room for a large table. */
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

/* For the garbage collector. */
int
numbers_visit(Numbers *numbers, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < numbers->owned; i++)
        Py_VISIT(numbers->objects[i]);
    return 0;
}

/* Make room for as many objects again; the first SMALL_TABLE are in *few*, within what knows them. */
int
grow_objects(PyObject ***objects, Py_ssize_t *room, PyObject *const *few)
{
    bool small = *objects == few;
    PyObject **grown = PyMem_Realloc(small ? NULL : *objects, 2 * *room * sizeof *grown);
    if (grown == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (small)
        memcpy(grown, few, SMALL_TABLE * sizeof *few);
    *objects = grown;
    *room *= 2;
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
    if (numbers->count == numbers->room && grow_objects(&numbers->objects, &numbers->room, numbers->few) < 0)
        return -1;
    numbers->objects[numbers->count++] = Py_NewRef(object);
    numbers->owned = numbers->entered = numbers->count;
    return 0;
}

/* Take *object* out of the table. */
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
