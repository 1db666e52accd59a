/* _dates in C: a datetime in UTC to milliseconds and back.
 *
 * In C because records with dates are common, and took up to ten times as long when Python was called for each.  What
 * is seldom is left to Python: other time zones, naive datetimes, microseconds so far from 1970 that a double has no
 * room for them, and times that no datetime can hold.
 */

#include "dates.h"

#include <datetime.h>

#define MICROSECONDS_A_DAY (INT64_C(86400) * 1000000)
#define DAYS_BEFORE_1970 719162 /* since the first of the year 1 */
#define DAYS_IN_400_YEARS 146097
#define EXACT_IN_DOUBLE (INT64_C(1) << 53)
#define FIRST (-INT64_C(62135596800000)) /* millisecond of the year 1, and the last one of 9999 */
#define LAST INT64_C(253402300799999)

/* Have what _datetime shows to C, if datetime is not the one in Python. */
int
dates_import(Dates *dates)
{
    PyDateTime_CAPI *api = PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0);
    if (api == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError) && !PyErr_ExceptionMatches(PyExc_ImportError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    dates->type = (PyTypeObject *)Py_NewRef(api->DateTimeType);
    dates->utc = Py_NewRef(api->TimeZone_UTC);
    dates->make = api->DateTime_FromDateAndTimeAndFold;
    return 0;
}

/* The days before a year, a month and a day since 1970, in the calendar that datetime has for all times.  Years are
 * counted from March, so that the day of a leap year is the last one. */
static int64_t
days_since_1970(int year, int month, int day)
{
    year -= month <= 2;
    int month_from_march = (month + 9) % 12;
    return 365 * (int64_t)year + year / 4 - year / 100 + year / 400 + (153 * month_from_march + 2) / 5 + day - 307 -
           DAYS_BEFORE_1970;
}

/* _dates.to_milliseconds of a datetime; false if Python is to do it. */
bool
milliseconds_of(const Dates *dates, PyObject *value, double *milliseconds)
{
    if (PyDateTime_DATE_GET_TZINFO(value) != dates->utc)
        return false;
    int64_t days = days_since_1970(PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value), PyDateTime_GET_DAY(value));
    int seconds = (PyDateTime_DATE_GET_HOUR(value) * 60 + PyDateTime_DATE_GET_MINUTE(value)) * 60 +
                  PyDateTime_DATE_GET_SECOND(value);
    int64_t microseconds =
        days * MICROSECONDS_A_DAY + seconds * INT64_C(1000000) + PyDateTime_DATE_GET_MICROSECOND(value);
    if (microseconds % 1000 == 0)
        *milliseconds = (double)(microseconds / 1000);
    else if (-EXACT_IN_DOUBLE <= microseconds && microseconds <= EXACT_IN_DOUBLE)
        *milliseconds = (double)microseconds / 1000;
    else
        return false;
    return true;
}

/* _dates.from_milliseconds where that is a datetime; NULL without an exception if Python is to do it. */
PyObject *
date_of(const Dates *dates, double milliseconds)
{
    if (dates->make == NULL || !(FIRST <= milliseconds && milliseconds <= LAST))
        return NULL;
    if (-1 < milliseconds && milliseconds < 1 && milliseconds != 0) /* it may have more digits than *rest* */
        return NULL;
    int64_t whole = (int64_t)milliseconds;
    whole -= (double)whole > milliseconds;
    int64_t rest = (int64_t)((milliseconds - (double)whole) * (double)(INT64_C(1) << 52)); /* exact */
    int64_t since_first = (whole - FIRST) * 1000 + ((rest * 1000 + (INT64_C(1) << 51)) >> 52);
    int64_t of_day = since_first % MICROSECONDS_A_DAY;
    int seconds = (int)(of_day / 1000000);
    int days = (int)(since_first / MICROSECONDS_A_DAY) + 306; /* since March of the year 0 */
    int centuries = days / DAYS_IN_400_YEARS, day = days % DAYS_IN_400_YEARS;
    int year = (day - day / 1460 + day / 36524 - day / (DAYS_IN_400_YEARS - 1)) / 365;
    day -= 365 * year + year / 4 - year / 100;
    int month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    year += 400 * centuries + (month >= 10);
    month += month < 10 ? 3 : -9;
    return dates->make(year, month, day + 1, seconds / 3600, seconds / 60 % 60, seconds % 60, (int)(of_day % 1000000),
                       dates->utc, 0, dates->type);
}
