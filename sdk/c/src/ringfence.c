#include "ringfence.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* -- memory: strings are copies of their own, because the bindings free what is returned --- */

static void *taken(void *memory) {
  if (memory == NULL) __builtin_trap();
  return memory;
}

static rf_string copied(const void *bytes, size_t len) {
  rf_string copy = {taken(malloc(len + 1)), len};
  memcpy(copy.ptr, bytes, len);
  copy.ptr[len] = 0;
  return copy;
}

static rf_string copied_text(const char *text) { return copied(text, strlen(text)); }

static void push(rf_strings *list, rf_string string) {
  list->ptr = taken(realloc(list->ptr, (list->len + 1) * sizeof *list->ptr));
  list->ptr[list->len++] = string;
}

/* A message that lives as long as the instance. */
static const char *message(const char *before, const char *name, const char *after) {
  size_t len = strlen(before) + strlen(name) + strlen(after) + 1;
  char *text = taken(malloc(len));
  strcpy(text, before);
  strcat(text, name);
  return strcat(text, after);
}

/* The bindings expect an object with the contract in it; `ringfence policy build` puts the
 * contract into the component instead. */
void __component_type_object_force_link_made(void) {}

/* -- what the component exports ------------------------------------------------------------ */

bool exports_ringfence_policy_judge_configure(made_string_t *config, rf_declaration *ret,
                                              made_string_t *err) {
  memset(ret, 0, sizeof *ret);
  const cJSON *json = cJSON_ParseWithLength((const char *)config->ptr, config->len);
  const char *wrong =
      cJSON_IsObject(json) ? policy_configure(json, ret) : "the configuration is no object";
  if (wrong != NULL) *err = copied_text(wrong);
  return wrong == NULL;
}

bool exports_ringfence_policy_judge_judge(rf_request *request, rf_judgement *ret,
                                          made_string_t *err) {
  memset(ret, 0, sizeof *ret);
  const char *wrong = policy_judge(request, ret);
  if (wrong != NULL) *err = copied_text(wrong);
  return wrong == NULL;
}

/* -- the configuration ------------------------------------------------------------------------ */

const char *rf_only_keys(const cJSON *config, ...) {
  const cJSON *member;
  cJSON_ArrayForEach(member, config) {
    bool known = false;
    va_list names;
    va_start(names, config);
    for (const char *name; (name = va_arg(names, const char *)) != NULL;) {
      known = known || strcmp(name, member->string) == 0;
    }
    va_end(names);
    if (!known) return message("unknown key `", member->string, "`");
  }
  return NULL;
}

const char *rf_number(const cJSON *config, const char *name, double *value) {
  const cJSON *member = cJSON_GetObjectItemCaseSensitive(config, name);
  if (member == NULL) return NULL;
  if (!cJSON_IsNumber(member)) return message("`", name, "` is no number");
  *value = member->valuedouble;
  return NULL;
}

const char *rf_text_of(const cJSON *config, const char *name, const char **value) {
  const cJSON *member = cJSON_GetObjectItemCaseSensitive(config, name);
  if (member == NULL) return NULL;
  if (!cJSON_IsString(member)) return message("`", name, "` is no text");
  *value = member->valuestring;
  return NULL;
}

const char *rf_list_of(const cJSON *config, const char *name, rf_strings *value) {
  const cJSON *member = cJSON_GetObjectItemCaseSensitive(config, name), *item;
  if (member == NULL) return NULL;
  if (!cJSON_IsArray(member)) return message("`", name, "` is no list");
  cJSON_ArrayForEach(item, member) {
    if (!cJSON_IsString(item)) return message("`", name, "` holds something that is no text");
    push(value, copied_text(item->valuestring));
  }
  return NULL;
}

/* -- the declaration ---------------------------------------------------------------------------- */

void rf_declare_code(rf_declaration *declaration, const char *code) {
  push(&declaration->codes, copied_text(code));
}

void rf_declare_label(rf_declaration *declaration, const char *label) {
  push(&declaration->labels, copied_text(label));
}

void rf_needs(rf_declaration *declaration, const char *grant) {
  push(&declaration->needs, copied_text(grant));
}

/* -- the request ---------------------------------------------------------------------------------- */

const rf_findings *rf_found(const rf_request *request) {
  return request->findings.is_some ? &request->findings.val : NULL;
}

const rf_segment *rf_segment_of(const rf_request *request, uint32_t id) {
  for (size_t at = 0; at < request->segments.len; at++) {
    if (request->segments.ptr[at].id == id) return &request->segments.ptr[at];
  }
  return NULL;
}

static rf_string value_of(const made_list_tuple2_string_string_t *pairs, const char *name) {
  for (size_t at = 0; at < pairs->len; at++) {
    if (rf_is(pairs->ptr[at].f0, name)) return pairs->ptr[at].f1;
  }
  return (rf_string){NULL, 0};
}

rf_string rf_caller_label(const rf_request *request, const char *name) {
  if (!request->caller.is_some) return (rf_string){NULL, 0};
  return value_of(&request->caller.val.labels, name);
}

rf_string rf_attribute(const rf_target *target, const char *name) {
  return value_of(&target->attributes, name);
}

float rf_score(const rf_request *request, const char *label) {
  for (size_t at = 0; at < request->scores.len; at++) {
    if (rf_is(request->scores.ptr[at].f0, label)) return request->scores.ptr[at].f1;
  }
  return -1;
}

bool rf_is_within(const rf_target *target, rf_zone zone) { return target->zone <= zone; }

bool rf_has_room(const rf_target *target) {
  return target->healthy && (uint64_t)target->in_flight + target->queued < target->capacity;
}

/* -- strings and spans ------------------------------------------------------------------------------ */

bool rf_is(rf_string string, const char *text) {
  return string.len == strlen(text) && (string.len == 0 || memcmp(string.ptr, text, string.len) == 0);
}

bool rf_same(rf_string one, rf_string other) {
  return one.len == other.len && (one.len == 0 || memcmp(one.ptr, other.ptr, one.len) == 0);
}

bool rf_among(rf_strings list, rf_string string) {
  for (size_t at = 0; at < list.len; at++) {
    if (rf_same(list.ptr[at], string)) return true;
  }
  return false;
}

int64_t rf_find(rf_string text, const char *word, size_t from) {
  size_t len = strlen(word);
  for (size_t at = from; len > 0 && at + len <= text.len; at++) {
    if (memcmp(text.ptr + at, word, len) == 0) return (int64_t)at;
  }
  return -1;
}

/* Whether a byte goes on with a character that began before it. */
static bool goes_on(uint8_t byte) { return (byte & 0xc0) == 0x80; }

uint32_t rf_character_before(rf_string text, uint32_t offset) {
  if (offset >= text.len) return (uint32_t)text.len;
  while (offset > 0 && goes_on(text.ptr[offset])) offset--;
  return offset;
}

uint32_t rf_character_after(rf_string text, uint32_t offset) {
  while (offset < text.len && goes_on(text.ptr[offset])) offset++;
  return offset < text.len ? offset : (uint32_t)text.len;
}

rf_string rf_part(rf_string text, uint32_t start, uint32_t end) {
  bool is_part = start < end && end <= text.len && rf_character_before(text, start) == start &&
                 rf_character_before(text, end) == end;
  if (!is_part) return (rf_string){NULL, 0};
  return (rf_string){text.ptr + start, end - start};
}

rf_string rf_finding_text(const rf_request *request, const rf_finding *finding) {
  const rf_segment *segment = rf_segment_of(request, finding->segment);
  if (segment == NULL || !segment->text.is_some) return (rf_string){NULL, 0};
  return rf_part(segment->text.val, finding->start, finding->end);
}

/* -- the judgement ------------------------------------------------------------------------------------ */

void rf_within(rf_judgement *judgement, rf_zone zone) {
  judgement->permit.tag = RINGFENCE_POLICY_TYPES_PERMISSION_WITHIN;
  judgement->permit.val.within = (uint8_t)zone;
}

void rf_nowhere(rf_judgement *judgement) {
  judgement->permit.tag = RINGFENCE_POLICY_TYPES_PERMISSION_NOWHERE;
}

void rf_only(rf_judgement *judgement, const rf_request *request,
             bool (*keep)(const rf_target *target)) {
  rf_strings kept = {NULL, 0};
  for (size_t at = 0; at < request->targets.len; at++) {
    const rf_target *target = &request->targets.ptr[at];
    if (keep(target)) push(&kept, copied(target->name.ptr, target->name.len));
  }
  judgement->permit.tag = RINGFENCE_POLICY_TYPES_PERMISSION_ONLY;
  judgement->permit.val.only = kept;
}

void rf_prefer(rf_judgement *judgement, rf_string target) {
  push(&judgement->prefer, copied(target.ptr, target.len));
}

void rf_label(rf_judgement *judgement, const char *label) {
  push(&judgement->labels, copied_text(label));
}

void rf_because(rf_judgement *judgement, const char *code) { judgement->code = copied_text(code); }

rf_edit *rf_hide(rf_judgement *judgement, uint32_t segment, uint32_t start, uint32_t end,
                 const char *entity) {
  ringfence_policy_types_list_edit_t *edits = &judgement->edits;
  edits->ptr = taken(realloc(edits->ptr, (edits->len + 1) * sizeof *edits->ptr));
  rf_edit *edit = &edits->ptr[edits->len++];
  memset(edit, 0, sizeof *edit);
  edit->segment = segment;
  edit->start = start;
  edit->end = end;
  edit->entity = copied_text(entity);
  edit->action.tag = RINGFENCE_POLICY_TYPES_ACTION_MASK;
  edit->scope.tag = RINGFENCE_POLICY_TYPES_SCOPE_ALWAYS;
  return edit;
}

rf_edit *rf_hide_finding(rf_judgement *judgement, const rf_finding *finding) {
  rf_edit *edit = rf_hide(judgement, finding->segment, finding->start, finding->end, "");
  edit->entity = copied(finding->entity.ptr, finding->entity.len);
  return edit;
}

rf_edit *rf_pseudonymise(rf_edit *edit) {
  edit->action.tag = RINGFENCE_POLICY_TYPES_ACTION_PSEUDONYMISE;
  return edit;
}

rf_edit *rf_remove(rf_edit *edit) {
  edit->action.tag = RINGFENCE_POLICY_TYPES_ACTION_REMOVE;
  return edit;
}

rf_edit *rf_replace(rf_edit *edit, const char *text) {
  edit->action.tag = RINGFENCE_POLICY_TYPES_ACTION_REPLACE;
  edit->action.val.replace = copied_text(text);
  return edit;
}

rf_edit *rf_outside(rf_edit *edit, rf_zone zone) {
  edit->scope.tag = RINGFENCE_POLICY_TYPES_SCOPE_OUTSIDE;
  edit->scope.val.outside = (uint8_t)zone;
  return edit;
}

rf_edit *rf_towards(rf_edit *edit, rf_string target) {
  if (edit->scope.tag != RINGFENCE_POLICY_TYPES_SCOPE_TOWARDS) {
    edit->scope.tag = RINGFENCE_POLICY_TYPES_SCOPE_TOWARDS;
    edit->scope.val.towards = (rf_strings){NULL, 0};
  }
  push(&edit->scope.val.towards, copied(target.ptr, target.len));
  return edit;
}
