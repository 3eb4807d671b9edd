/* What a function that can fail answers. Guest input and configuration end here, never in panic(). */
#ifndef LIB_STATUS_H
#define LIB_STATUS_H

#define HV_MUST_CHECK __attribute__((warn_unused_result))

enum hv_status {
    HV_OK = 0,
    HV_INVALID,   /* an argument or a piece of input is malformed or out of range */
    HV_NO_MEMORY, /* the pool that pays for this is empty */
    HV_NOT_FOUND,
    HV_EXISTS,        /* it is there already */
    HV_BUSY,          /* the object is in a state that forbids it now */
    HV_DENIED,        /* the caller may not do this */
    HV_NOT_SUPPORTED, /* known, but this build or this machine cannot */
    HV_LIMIT,         /* a written bound is reached */
    HV_FAULT,         /* a guest address is not accessible */
    HV_CORRUPT        /* data fails its own consistency check */
};

#endif
