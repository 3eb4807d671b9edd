/* The version that the banner names. */
#ifndef BOOT_VERSION_H
#define BOOT_VERSION_H

#define BOOT_VERSION "0.1.0"

#endif
