/* v0 to v31 get numbers from a seed, and are compared with them: register n holds seed * (2n + 1) and its
 * complement. */
    .text
    .macro each operation
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    \operation \n
    .endr
    .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \operation \n
    .endr
    .endm

    .macro fill n
    ins     v\n\().d[0], x1
    mvn     x3, x1
    ins     v\n\().d[1], x3
    add     x1, x1, x2
    .endm

    .global fp_fill
fp_fill:
    mov     x1, x0
    lsl     x2, x0, #1
    each    fill
    ret

    .macro compare n
    umov    x3, v\n\().d[0]
    umov    x4, v\n\().d[1]
    mvn     x4, x4
    cmp     x3, x1
    ccmp    x4, x1, #0, eq
    cset    x5, ne
    orr     x0, x0, x5, lsl #\n
    add     x1, x1, x2
    .endm

    .global fp_differ
fp_differ:
    mov     x1, x0
    lsl     x2, x0, #1
    mov     x0, #0
    each    compare
    ret
