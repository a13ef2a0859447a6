#include "local_shim.h"
