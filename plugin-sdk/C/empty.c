#include "coffer_backend.h"
