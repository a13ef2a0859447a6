#include "loader_shim.h"
