/* The version that the banner and the tools name. */
#ifndef LIB_VERSION_H
#define LIB_VERSION_H

#define HV_VERSION "0.1.0"

#endif
