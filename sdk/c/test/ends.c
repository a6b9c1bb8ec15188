/* Never ends, or crashes, as the model of the request asks. */

#include "ringfence.h"

static volatile unsigned turns;

const char *policy_configure(const cJSON *config, rf_declaration *declaration) {
  (void)config, (void)declaration;
  return NULL;
}

const char *policy_judge(const rf_request *request, rf_judgement *judgement) {
  (void)judgement;
  while (rf_is(request->model, "spins")) turns++;
  if (rf_is(request->model, "crashes")) __builtin_trap();
  return NULL;
}
