/* A CPU's way into the map: Armv7-A (DDI 0406 B3, B2.2.9). All of it lies in the first page of the image,
 * which is seen at the address of loading, too, while the MMU is switched on. */
/* [impl->req~armv7a~1] */
#include "a32_asm.h"

#define HSCTLR_ON    0x30cd1835 /* RES1 bits, M C I, WXN */
#define HMAIR0_VALUE 0x04ff     /* 0 write-back, 1 device */
#define HTCR_VALUE   0x80803500 /* RES1, inner shareable write-back walks, 4 GiB */

#define TABLES_L1    4096 /* struct arm_tables */

/* DCIMVAC (\crm = c6) or DCCIMVAC (c14) on the lines, of up to 512 bytes, of [r0, r1), both of whole pages;
 * clobbers r0, r2, r3 */
.macro CACHE_RANGE crm
    mrc     p15, 0, r2, c0, c0, 1 /* CTR */
    ubfx    r2, r2, #16, #4
    mov     r3, #4
    lsl     r2, r3, r2
9:
    .rept   8
    mcr     p15, 0, r0, c7, \crm, 1
    add     r0, r0, r2
    .endr
    cmp     r0, r1
    blo     9b
    dsb     sy
.endm

    .section .text.a32_head_memory, "ax"

/* MMU and caches off, on the boot stack; r0 = where the image is. Builds the map; r0 != 0: the image cannot
 * lie there. What a loader wrote or left behind goes to memory first; no stale line of the tables stays. */
    .global a32_memory_map
a32_memory_map:
    push    {r4, lr}
    mov     r4, r0
    ADDRESS r1, arm_image_end
    CACHE_RANGE c14
    mov     r0, r4
    bl      arm_early_map
    mov     r4, r0
    ADDRESS r0, arm_tables
    ADDRESS r1, arm_image_end
    CACHE_RANGE c6
    mov     r0, r4
    pop     {r4, pc}

/* Switches the map on; returns to the caller at its link address. Clobbers r0 to r3. */
    .global a32_memory_on
a32_memory_on:
    ldr     r0, =HMAIR0_VALUE
    mcr     p15, 4, r0, c10, c2, 0
    ldr     r0, =HTCR_VALUE
    mcr     p15, 4, r0, c2, c0, 2
    ADDRESS r0, arm_tables
    mov     r1, #0
    mcrr    p15, 4, r0, r1, c2 /* HTTBR */
    isb
    mcr     p15, 4, r1, c8, c7, 0 /* TLBIALLH */
    mcr     p15, 0, r1, c7, c5, 0 /* ICIALLU */
    mcr     p15, 0, r1, c7, c5, 6 /* BPIALL */
    dsb     nsh
    isb
    ldr     r2, =HSCTLR_ON
    ldr     r3, =on_at_link
    mcr     p15, 4, r2, c1, c0, 0 /* HSCTLR */
    isb
    ADDRESS r2, on_at_link
    sub     r2, r3, r2
    add     lr, lr, r2
    bx      r3
on_at_link: /* from the root with the identity to the one with all areas */
    add     r0, r0, #TABLES_L1
    mcrr    p15, 4, r0, r1, c2
    isb
    mcr     p15, 4, r1, c8, c7, 0
    dsb     nsh
    isb
    bx      lr
    .ltorg

    .section .rodata.a32_head, "a"
    .global a32_refuse_place
a32_refuse_place:
    .asciz  "\r\nBulkhead must be loaded at a 4 KiB boundary, and not in the last 4 MiB of the first GiB.\r\n"
