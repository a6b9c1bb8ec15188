/* A budget that runs out moves traffic inside before it refuses.
 *
 * `request.budget-left` is what the caller may still spend, of the operator's [[limits]] in
 * dollars. Three thresholds, in dollars, each optional:
 *   prefer_below   what is cheapest is preferred
 *   inside_below   only targets inside, or that cost nothing
 *   refuse_below   nowhere, unless a target costs nothing
 * `inside` says how far inside reaches: "process" or "premises" (the default). */

#include "ringfence.h"

#include <string.h>

static double prefer_below, inside_below, refuse_below;
static rf_zone inside = RF_PREMISES;

const char *policy_configure(const cJSON *config, rf_declaration *declaration) {
  const char *zone = "premises";
  const char *wrong =
      rf_only_keys(config, "prefer_below", "inside_below", "refuse_below", "inside", NULL);
  if (wrong == NULL) wrong = rf_number(config, "prefer_below", &prefer_below);
  if (wrong == NULL) wrong = rf_number(config, "inside_below", &inside_below);
  if (wrong == NULL) wrong = rf_number(config, "refuse_below", &refuse_below);
  if (wrong == NULL) wrong = rf_text_of(config, "inside", &zone);
  if (wrong != NULL) return wrong;
  if (strcmp(zone, "process") == 0) {
    inside = RF_PROCESS;
  } else if (strcmp(zone, "premises") != 0) {
    return "`inside` is \"process\" or \"premises\"";
  }
  if (prefer_below < 0 || inside_below < 0 || refuse_below < 0) return "a threshold is below 0";
  if (prefer_below == 0 && inside_below == 0 && refuse_below == 0) {
    return "set some of `prefer_below`, `inside_below` and `refuse_below`";
  }
  rf_declare_code(declaration, "budget_low");
  rf_declare_code(declaration, "budget_spent");
  rf_declare_label(declaration, "budget-steered");
  return NULL;
}

static bool is_free(const rf_target *target) {
  return target->input_price == 0 && target->output_price == 0;
}

static bool is_inside_or_free(const rf_target *target) {
  return rf_is_within(target, inside) || is_free(target);
}

/* Dollars for an answer to this request, by the million tokens: what it reads, and as much
 * again written. */
static double cost(const rf_target *target, const rf_request *request) {
  double written = request->max_output_tokens.is_some ? request->max_output_tokens.val
                                                      : request->input_tokens;
  return request->input_tokens * target->input_price + written * target->output_price;
}

/* Every target that stands, the cheapest first; of the same cost in the operator's order. */
static void prefer_cheapest(const rf_request *request, rf_judgement *judgement) {
  size_t count = request->targets.len;
  for (size_t place = 0; place < count; place++) {
    const rf_target *next = NULL;
    for (size_t at = 0; at < count; at++) {
      const rf_target *target = &request->targets.ptr[at];
      bool is_placed = rf_among(judgement->prefer, target->name);
      if (!is_placed && (next == NULL || cost(target, request) < cost(next, request))) {
        next = target;
      }
    }
    rf_prefer(judgement, next->name);
  }
}

const char *policy_judge(const rf_request *request, rf_judgement *judgement) {
  if (!request->budget_left.is_some) return NULL;
  double left = request->budget_left.val;
  if (left < refuse_below) {
    rf_only(judgement, request, is_free);
    rf_because(judgement, "budget_spent");
  } else if (left < inside_below) {
    rf_only(judgement, request, is_inside_or_free);
    rf_because(judgement, "budget_low");
  } else if (left < prefer_below) {
    prefer_cheapest(request, judgement);
    rf_because(judgement, "budget_low");
  } else {
    return NULL;
  }
  rf_label(judgement, "budget-steered");
  return NULL;
}
