/* For Linux guests: `mark N` begins phase N of bench/plugin/elmeter.c and a sample in it, `mark 0` ends them,
 * `mark 99` asks for the report. No C library. */
    .globl  _start
_start:
    ldr     x1, [sp, #16]               /* argv[1] */
    mov     x0, #0
    mov     x3, #10
1:  ldrb    w2, [x1], #1
    subs    w2, w2, #'0'
    b.lo    2f
    madd    x0, x0, x3, x2
    b       1b
2:  cmp     x0, #99
    b.eq    4f
    cbz     x0, 3f
    eor     xzr, x0, xzr, lsl #1
    eor     xzr, x0, xzr, lsl #3
    b       5f
3:  eor     xzr, x0, xzr, lsl #4
    eor     xzr, x0, xzr, lsl #1
    b       5f
4:  eor     xzr, x0, xzr, lsl #2
5:  mov     x0, #0
    mov     x8, #93                     /* exit */
    svc     #0
