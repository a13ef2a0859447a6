#ifndef COFFER_CRC32C_H
#define COFFER_CRC32C_H
#endif
