/* CRC-32C (Castagnoli; RFC 3720, appendix B.4), at the speed of the machine. */
#ifndef COFFER_CRC32C_H
#define COFFER_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of what gave `crc` followed by these bytes; `crc` is 0 at the start. Any thread. */
uint32_t coffer_crc32c(uint32_t crc, const void *bytes, size_t count);

/* The same by table alone: what runs where the processor has no instruction for it. */
uint32_t coffer_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

#endif
