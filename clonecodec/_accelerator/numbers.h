/* The numbers of objects: what V8 refers to an object by that has been met before. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include "accelerator.h"

typedef struct {
    PyObject *object;
    Py_ssize_t number;
} Entry;

#define SMALL_TABLE 32
#define KEPT_ROOM (1 << 16)

/* Which objects have a number, by identity. */
typedef struct {
    PyObject **objects;  /* by number; NULL for a number without an object */
    Py_ssize_t count;    /* numbers given */
    Py_ssize_t room;     /* for so many */
    Py_ssize_t owned;    /* of the first so many objects a reference is held; the others are sure to stay */
    Py_ssize_t entered;  /* the first so many are in the table */
    Entry *table;        /* open addressing; the size is a power of two: small, or the block's beginning */
    Py_ssize_t mask;     /* size - 1 */
    Py_ssize_t used;     /* entries in it */
    Entry *block;        /* NULL until it is needed; kept for the next message */
    Py_ssize_t block_size;
    bool quiet;
    Entry small[SMALL_TABLE];
    PyObject *few[SMALL_TABLE];
} Numbers;

void numbers_init(Numbers *numbers);
void numbers_clear(Numbers *numbers);
void numbers_free(Numbers *numbers);
int numbers_visit(Numbers *numbers, visitproc visit, void *arg);
int numbers_own(Numbers *numbers);
int numbers_settle(Numbers *numbers);
int numbers_enter(Numbers *numbers, PyObject *object, Py_ssize_t number);
void numbers_forget(Numbers *numbers, Py_ssize_t first);
int grow_objects(PyObject ***objects, Py_ssize_t *room, PyObject *const *few);
int numbers_append(Numbers *numbers, PyObject *object);

/* Where *object* stands in the table, if nothing else stands there. */
static inline Py_ssize_t
place_of(PyObject *object, Py_ssize_t mask)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)object >> 4) * UINT64_C(0x9E3779B97F4A7C15);
    return (Py_ssize_t)(mixed >> 24) & mask;
}

/* The number of *object*, or -1. */
static inline Py_ssize_t
numbers_find(Numbers *numbers, PyObject *object)
{
    Entry *table = numbers->table;
    for (Py_ssize_t i = place_of(object, numbers->mask);; i = (i + 1) & numbers->mask) {
        if (table[i].object == object)
            return table[i].number;
        if (table[i].object == NULL)
            return -1;
    }
}

/* Give *object* the next number.  *alone*: nobody but the container it was met in holds it, so that it will not be
 * met again, as long as the walk is quiet. */
static inline int
numbers_begin(Numbers *numbers, PyObject *object, bool alone)
{
    if (UNLIKELY(numbers->count == numbers->room) &&
        grow_objects(&numbers->objects, &numbers->room, numbers->few) < 0)
        return -1;
    if (!alone && numbers_enter(numbers, object, numbers->count) < 0)
        return -1;
    numbers->objects[numbers->count++] = object;
    if (!numbers->quiet) {
        Py_XINCREF(object);
        numbers->owned = numbers->entered = numbers->count;
    }
    return 0;
}

#endif
