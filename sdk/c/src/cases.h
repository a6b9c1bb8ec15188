/* Cases: requests and what a policy is to say of them, run natively. The same file is held
 * against the component by `ringfence policy test`, which is what counts. */
#ifndef RINGFENCE_CASES_H
#define RINGFENCE_CASES_H

#include "ringfence.h"

/* The request of a case, whole. Ends the program with a message when the case is written
 * wrongly. */
rf_request rf_asked(const cJSON *written);

/* Ends the program unless every member of an object is among the names, which end with NULL. */
void rf_members(const cJSON *object, const char *what, ...);

/* Ends the program. */
_Noreturn void rf_wrong(const char *what, const char *name);

/* The contract's words, in the order of their numbers; they end with NULL. */
extern const char *const rf_roles[], *const rf_kinds[], *const rf_zones[];

#endif
