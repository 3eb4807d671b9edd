/* A CPU's first regions: Armv8-R (DDI 0568 E2.2). The background region is off, so nothing else is there. */
#define HSCTLR_ON    0x30cd1835 /* RES1 bits, M C I, WXN; not BR */
#define HMAIR0_VALUE 0x04ff     /* 0 write-back, 1 device: mpu_region.h */
#define CODE         0x1c       /* HPRBAR: inner shareable, read-only for EL2 */
#define DATA         0x19       /* ... read-write, never executed */
#define LAST         63         /* HPRLAR: the last granule of what ends there, enabled */
#define REGIONS_BYTES 100       /* struct a32_regions */

    .section .text.a32_head_memory, "ax"

/* Nothing has to be built: the image lies where it is linked. */
    .global a32_memory_map
a32_memory_map:
    bx      lr

/* r0 = 0: the image alone, else 1 + the cpuid_t of a secondary, which has all of its own regions. MPU and
 * caches off, and on afterwards. Clobbers r0 to r5. */
    .global a32_memory_on
a32_memory_on:
    ldr     r1, =image_regions
    cmp     r0, #0
    beq     1f
    ldr     r1, =a32_regions - REGIONS_BYTES
    mov     r2, #REGIONS_BYTES
    mla     r1, r0, r2, r1
1:  ldr     r2, [r1], #4
    mov     r0, #0
2:  mcr     p15, 4, r0, c6, c2, 1 /* HPRSELR */
    isb
    ldr     r4, [r1], #4
    ldr     r5, [r1], #4
    mcr     p15, 4, r4, c6, c3, 0 /* HPRBAR */
    mcr     p15, 4, r5, c6, c3, 1 /* HPRLAR */
    add     r0, r0, #1
    cmp     r0, r2
    blo     2b
    ldr     r0, =HMAIR0_VALUE
    mcr     p15, 4, r0, c10, c2, 0
    mov     r0, #0
    mcr     p15, 0, r0, c7, c5, 0 /* ICIALLU */
    dsb     sy
    isb
    ldr     r0, =HSCTLR_ON
    mcr     p15, 4, r0, c1, c0, 0 /* HSCTLR */
    isb
    bx      lr
    .ltorg

    .section .rodata.a32_head, "a"
    .balign 4
image_regions:
    .word   2
    .word   arm_image_start + CODE, arm_rodata_end - LAST
    .word   arm_rodata_end + DATA, arm_image_end - LAST
