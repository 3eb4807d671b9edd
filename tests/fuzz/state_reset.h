#ifndef TESTS_STATE_RESET_H
#define TESTS_STATE_RESET_H

/* The first call keeps the product's variables, each further one puts them back. fake_reset() comes
 * before. */
void state_reset(void);

#endif
