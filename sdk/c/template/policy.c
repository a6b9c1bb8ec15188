/* Requests with more than so many e-mail addresses stay on the premises. */

#include "ringfence.h"

static double most = 3;

const char *policy_configure(const cJSON *config, rf_declaration *declaration) {
  const char *wrong = rf_only_keys(config, "most", NULL);
  if (wrong == NULL) wrong = rf_number(config, "most", &most);
  if (wrong != NULL) return wrong;
  rf_declare_code(declaration, "too_many_addresses");
  rf_needs(declaration, "findings");
  return NULL;
}

const char *policy_judge(const rf_request *request, rf_judgement *judgement) {
  const rf_findings *found = rf_found(request);
  if (found == NULL) return "the grant `findings` is missing";
  size_t addresses = 0;
  for (size_t at = 0; at < found->len; at++) {
    if (rf_is(found->ptr[at].entity, "EMAIL")) addresses++;
  }
  if ((double)addresses > most) {
    rf_within(judgement, RF_PREMISES);
    rf_because(judgement, "too_many_addresses");
  }
  return NULL;
}
