/* Keys of what is being built. */
#ifndef BUILD_H
#define BUILD_H

#include "accelerator.h"

PyObject *property_name(State *state, const uint8_t *bytes, Py_ssize_t length);
bool is_own_key(PyObject *key);
PyObject *admitted(State *state, PyObject *container, PyObject **keys, PyObject *key, bool paused);

#endif
