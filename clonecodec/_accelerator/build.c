#include "accelerator.h"
