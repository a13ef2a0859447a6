/* CRC-32C: by the instruction where the processor has one, three blocks at once to hide its latency; else by tables
 * of eight bytes a step. The register is linear over GF(2), so that the CRC of three blocks side by side is put
 * together by advancing each register over as many zero bytes as follow it; a table does that for a fixed length. */
#include "crc32c.h"
#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* reflected */

static uint32_t table[8][256];

static void make_table(void)
{
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t crc = n;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        table[0][n] = crc;
    }
    for (uint32_t n = 0; n < 256; n++)
        for (int k = 1; k < 8; k++)
            table[k][n] = table[k - 1][n] >> 8 ^ table[0][table[k - 1][n] & 0xff];
}

uint32_t coffer_crc32c_portable(uint32_t crc, const void *bytes, size_t count)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_table);
    const unsigned char *p = bytes;
    crc = ~crc;
    for (; count >= 8; p += 8, count -= 8) {
        uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
              table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    }
    for (; count > 0; p++, count--)
        crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

#define BLOCK 1024 /* bytes of each of the three */

static uint32_t over_block[4][256]; /* the register after BLOCK zero bytes, by its four bytes */

__attribute__((target("sse4.2"))) static void make_over_block(void)
{
    uint32_t basis[32];
    for (int bit = 0; bit < 32; bit++) {
        uint64_t crc = 1ull << bit;
        for (int n = 0; n < BLOCK / 8; n++)
            crc = _mm_crc32_u64(crc, 0);
        basis[bit] = (uint32_t)crc;
    }
    for (int k = 0; k < 4; k++)
        for (uint32_t n = 0; n < 256; n++) {
            uint32_t crc = 0;
            for (int bit = 0; bit < 8; bit++)
                crc ^= n >> bit & 1 ? basis[8 * k + bit] : 0;
            over_block[k][n] = crc;
        }
}

static inline uint64_t advance(uint64_t crc)
{
    return over_block[0][crc & 0xff] ^ over_block[1][crc >> 8 & 0xff] ^ over_block[2][crc >> 16 & 0xff] ^
           over_block[3][crc >> 24 & 0xff];
}

static inline uint64_t load(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t start, const unsigned char *p, size_t count)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint64_t crc = ~start;
    if (count >= 3 * BLOCK)
        pthread_once(&once, make_over_block);
    for (; count >= 3 * BLOCK; p += 3 * BLOCK, count -= 3 * BLOCK) {
        uint64_t second = 0, third = 0;
        for (int n = 0; n < BLOCK; n += 8) {
            crc = _mm_crc32_u64(crc, load(p + n));
            second = _mm_crc32_u64(second, load(p + BLOCK + n));
            third = _mm_crc32_u64(third, load(p + 2 * BLOCK + n));
        }
        crc = advance(advance(crc) ^ second) ^ third;
    }
    for (; count >= 8; p += 8, count -= 8)
        crc = _mm_crc32_u64(crc, load(p));
    for (; count > 0; p++, count--)
        crc = _mm_crc32_u8((uint32_t)crc, *p);
    return ~(uint32_t)crc;
}

uint32_t coffer_crc32c(uint32_t crc, const void *bytes, size_t count)
{
    return __builtin_cpu_supports("sse4.2") ? by_instruction(crc, bytes, count)
                                            : coffer_crc32c_portable(crc, bytes, count);
}
#else
uint32_t coffer_crc32c(uint32_t crc, const void *bytes, size_t count)
{
    return coffer_crc32c_portable(crc, bytes, count);
}
#endif
