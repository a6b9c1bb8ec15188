/* What the SDK says of texts and spans, and what it builds. Exits with 0 when all of it holds. */

#include "ringfence.h"

#include <stdio.h>
#include <string.h>

/* A policy has to be there; nobody asks it. */
const char *policy_configure(const cJSON *config, rf_declaration *declaration) {
  (void)config, (void)declaration;
  return NULL;
}

const char *policy_judge(const rf_request *request, rf_judgement *judgement) {
  (void)request, (void)judgement;
  return NULL;
}

static int wrong;

static void holds(bool it, const char *what) {
  if (it) return;
  wrong++;
  fprintf(stderr, "does not hold: %s\n", what);
}

static rf_string text_of(const char *text) {
  return (rf_string){(uint8_t *)text, strlen(text)};
}

int main(void) {
  /* a, two bytes, b, four bytes, c: boundaries at 0 1 3 4 8 9. */
  rf_string text = text_of("a\xc3\xa9" "b\xf0\x9f\x98\x80" "c"), none = {NULL, 0};
  static const uint32_t before[] = {0, 1, 1, 3, 4, 4, 4, 4, 8, 9, 9};
  static const uint32_t after[] = {0, 1, 3, 3, 4, 8, 8, 8, 8, 9, 9};
  for (uint32_t at = 0; at <= 10; at++) {
    holds(rf_character_before(text, at) == before[at], "rf_character_before");
    holds(rf_character_after(text, at) == after[at], "rf_character_after");
  }
  holds(rf_character_before(none, 3) == 0 && rf_character_after(none, 3) == 0, "no text");
  holds(rf_is(rf_part(text, 1, 3), "\xc3\xa9"), "a part");
  holds(rf_is(rf_part(text, 4, 9), "\xf0\x9f\x98\x80" "c"), "a part up to the end");
  static const uint32_t bad[][2] = {{1, 2}, {2, 3}, {3, 1}, {4, 4}, {8, 10}, {5, 9}, {9, 10}};
  for (size_t at = 0; at < sizeof bad / sizeof *bad; at++) {
    holds(rf_part(text, bad[at][0], bad[at][1]).len == 0, "a span that is none");
  }
  holds(rf_find(text, "b", 0) == 3 && rf_find(text, "b", 3) == 3, "rf_find");
  holds(rf_find(text, "b", 4) == -1 && rf_find(text, "", 0) == -1, "rf_find without a place");
  holds(rf_find(text, "c", 100) == -1 && rf_find(none, "c", 0) == -1, "rf_find beyond the end");
  holds(rf_is(none, "") && rf_same(none, text_of("")) && !rf_is(text, "a"), "rf_is");

  rf_segment segments[] = {{.id = 7, .text = {true, text}}, {.id = 8}};
  rf_request request = {.segments = {segments, 2}};
  rf_finding finding = {.segment = 7, .start = 1, .end = 3, .entity = text_of("X")};
  holds(rf_is(rf_finding_text(&request, &finding), "\xc3\xa9"), "the text of a finding");
  finding.segment = 8;
  holds(rf_finding_text(&request, &finding).len == 0, "a text that is not granted");
  finding.segment = 9;
  holds(rf_finding_text(&request, &finding).len == 0, "a segment that is not there");
  holds(rf_found(&request) == NULL, "findings that are not granted");

  rf_target busy = {.healthy = true, .in_flight = UINT32_MAX, .queued = 1, .capacity = 64};
  holds(!rf_has_room(&busy), "what waits and what is answered add up");

  rf_judgement judgement = {0};
  rf_edit *edit = rf_hide(&judgement, 7, 1, 3, "WORD");
  rf_outside(rf_replace(edit, "[x]"), RF_PREMISES);
  rf_towards(rf_towards(rf_hide(&judgement, 7, 3, 4, "WORD"), text_of("one")), text_of("two"));
  holds(judgement.edits.len == 2, "two edits");
  holds(rf_is(judgement.edits.ptr[0].action.val.replace, "[x]"), "what takes its place");
  holds(judgement.edits.ptr[0].scope.val.outside == RF_PREMISES, "outside");
  holds(judgement.edits.ptr[1].scope.val.towards.len == 2, "towards two");
  return wrong != 0;
}
