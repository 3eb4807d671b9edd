/* Included before everything else in a program that boots the product again and again: all its variables go
 * where state.c finds them. */
#pragma clang section bss = "fuzz_bss" data = "fuzz_data"
