/* Xen's public headers as a 4.20 guest or tool for arm64 sees them. They choose the architecture by the
 * compiler's macros; these programs run on the host. */
#ifndef TESTS_ABI_XEN_HEADERS_H
#define TESTS_ABI_XEN_HEADERS_H

#undef __x86_64__
#undef __i386__
#ifndef __aarch64__
#define __aarch64__ 1
#endif
#define __XEN_INTERFACE_VERSION__ 0x00041400
#define __XEN_TOOLS__             1
#include <xen/xen.h>

#endif
