/* CRC-32C, the Castagnoli CRC of iSCSI and SSE 4.2 (polynomial 0x82F63B78 reflected, start and end
 * inverted). */
#ifndef LIB_CRC32C_H
#define LIB_CRC32C_H

#include <stdint.h>

/* The sum over data appended to what gave `before`; 0 to start with. */
uint32_t crc32c_update(uint32_t before, const uint8_t *data, uint64_t bytes);

#endif
