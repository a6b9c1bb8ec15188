/* Data that was found stays in its region: the same policy in every language. */

#include "ringfence.h"

#include <string.h>

static const char *region;
static double most;
static rf_strings hide, words;

const char *policy_configure(const cJSON *config, rf_declaration *declaration) {
  const char *wrong = rf_only_keys(config, "region", "most", "hide", "words", NULL);
  if (wrong == NULL) wrong = rf_text_of(config, "region", &region);
  if (wrong == NULL && region == NULL) wrong = "`region` is missing";
  if (wrong == NULL) wrong = rf_number(config, "most", &most);
  if (wrong == NULL) wrong = rf_list_of(config, "hide", &hide);
  if (wrong == NULL) wrong = rf_list_of(config, "words", &words);
  if (wrong != NULL) return wrong;
  rf_declare_code(declaration, "residency");
  rf_declare_label(declaration, "resident");
  rf_needs(declaration, "findings");
  if (words.len > 0) rf_needs(declaration, "text");
  return NULL;
}

static bool in_region(const rf_target *target) {
  return rf_is_within(target, RF_PROCESS) || rf_is(target->region, region);
}

static void hide_words(const rf_request *request, const rf_segment *segment,
                       rf_judgement *judgement) {
  for (size_t at = 0; at < words.len; at++) {
    const char *word = (const char *)words.ptr[at].ptr;
    size_t len = words.ptr[at].len;
    int64_t start = rf_find(segment->text.val, word, 0);
    for (; start >= 0; start = rf_find(segment->text.val, word, (size_t)start + len)) {
      uint32_t end = (uint32_t)start + (uint32_t)len;
      rf_edit *edit = rf_hide(judgement, segment->id, (uint32_t)start, end, "WORD");
      rf_replace(edit, "[…]");
      for (size_t target = 0; target < request->targets.len; target++) {
        if (request->targets.ptr[target].zone == RF_CLOUD) {
          rf_towards(edit, request->targets.ptr[target].name);
        }
      }
    }
  }
}

const char *policy_judge(const rf_request *request, rf_judgement *judgement) {
  const rf_findings *found = rf_found(request);
  if (found == NULL) return "the grant `findings` is missing";
  if ((double)found->len > most) {
    rf_only(judgement, request, in_region);
    rf_label(judgement, "resident");
    rf_because(judgement, "residency");
  }
  for (size_t at = 0; at < found->len; at++) {
    if (rf_among(hide, found->ptr[at].entity)) {
      rf_outside(rf_pseudonymise(rf_hide_finding(judgement, &found->ptr[at])), RF_PROCESS);
    }
  }
  for (size_t at = 0; at < request->segments.len && words.len > 0; at++) {
    if (request->segments.ptr[at].text.is_some) {
      hide_words(request, &request->segments.ptr[at], judgement);
    }
  }
  return NULL;
}
