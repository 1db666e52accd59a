/* Dates: datetime.datetime in UTC, and JavaScript's milliseconds. */
#ifndef DATES_H
#define DATES_H

#include "accelerator.h"

int dates_import(Dates *dates);
bool milliseconds_of(const Dates *dates, PyObject *value, double *milliseconds);
PyObject *date_of(const Dates *dates, double milliseconds);

/* Whether *object* may be one whose milliseconds are known here. */
static inline bool
is_date(const Dates *dates, PyObject *object)
{
    return Py_TYPE(object) == dates->type;
}

#endif
