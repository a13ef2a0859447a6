/* What Swift cannot say of Linux file systems. */
#ifndef COFFER_LOCAL_SHIM_H
#define COFFER_LOCAL_SHIM_H
#endif
