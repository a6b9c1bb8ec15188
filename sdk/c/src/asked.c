/* The request of a case. */

#include "cases.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const rf_roles[] = {"system", "user", "assistant", "tool", NULL};
const char *const rf_kinds[] = {"text",     "reasoning", "tool-call", "tool-result", "tool-definition",
                                "name",     "metadata",  "link",      "attachment",  NULL};
const char *const rf_zones[] = {"process", "premises", "cloud", NULL};

static rf_segment segment_of(const cJSON *piece, uint32_t id);
static rf_finding finding_of(const cJSON *written, const rf_request *request);
static rf_target target_of(const cJSON *place);
static void caller_of(const cJSON *written, rf_request *request);
static int by_place(const void *one, const void *other);
static int by_name(const void *one, const void *other);

_Noreturn void rf_wrong(const char *what, const char *name) {
  fprintf(stderr, "cases: %s%s%s\n", what, *name ? ": " : "", name);
  exit(2);
}

void rf_members(const cJSON *object, const char *what, ...) {
  if (!cJSON_IsObject(object)) rf_wrong(what, "is no object");
  const cJSON *member;
  cJSON_ArrayForEach(member, object) {
    bool known = false;
    va_list names;
    va_start(names, what);
    for (const char *name; (name = va_arg(names, const char *)) != NULL;) {
      known = known || strcmp(name, member->string) == 0;
    }
    va_end(names);
    if (!known) rf_wrong(what, member->string);
  }
}

static const cJSON *member(const cJSON *object, const char *name) {
  const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);
  return found == NULL || cJSON_IsNull(found) ? NULL : found;
}

static rf_string string(const char *text) {
  size_t len = strlen(text);
  rf_string copy = {malloc(len + 1), len};
  memcpy(copy.ptr, text, len + 1);
  return copy;
}

static rf_string string_in(const cJSON *object, const char *name, const char *otherwise) {
  const cJSON *found = member(object, name);
  if (found != NULL && !cJSON_IsString(found)) rf_wrong("no text", name);
  return string(found == NULL ? otherwise : found->valuestring);
}

static made_option_string_t maybe_in(const cJSON *object, const char *name) {
  made_option_string_t maybe = {member(object, name) != NULL, {NULL, 0}};
  if (maybe.is_some) maybe.val = string_in(object, name, "");
  return maybe;
}

static double number_in(const cJSON *object, const char *name, double otherwise) {
  const cJSON *found = member(object, name);
  if (found != NULL && !cJSON_IsNumber(found)) rf_wrong("no number", name);
  return found == NULL ? otherwise : found->valuedouble;
}

static uint32_t count_in(const cJSON *object, const char *name, uint32_t otherwise) {
  double number = number_in(object, name, otherwise);
  bool is_count = number >= 0 && number <= UINT32_MAX && number == (double)(uint32_t)number;
  if (!is_count) rf_wrong("no whole number from 0", name);
  return (uint32_t)number;
}

static bool truth_in(const cJSON *object, const char *name, bool otherwise) {
  const cJSON *found = member(object, name);
  if (found != NULL && !cJSON_IsBool(found)) rf_wrong("neither true nor false", name);
  return found == NULL ? otherwise : cJSON_IsTrue(found);
}

static uint8_t word_in(const cJSON *object, const char *name, const char *otherwise,
                       const char *const words[]) {
  const cJSON *found = member(object, name);
  const char *word = found == NULL ? otherwise : cJSON_GetStringValue(found);
  for (uint8_t at = 0; word != NULL && words[at] != NULL; at++) {
    if (strcmp(words[at], word) == 0) return at;
  }
  rf_wrong("unknown word", name);
}

/* The member as a list, or NULL without it. */
static const cJSON *list_in(const cJSON *object, const char *name) {
  const cJSON *found = member(object, name);
  if (found != NULL && !cJSON_IsArray(found)) rf_wrong("no list", name);
  return found;
}

/* The member as an object, or NULL without it. */
static const cJSON *object_in(const cJSON *object, const char *name) {
  const cJSON *found = member(object, name);
  if (found != NULL && !cJSON_IsObject(found)) rf_wrong("no object", name);
  return found;
}

/* A text that has to be there. */
static rf_string needed_in(const cJSON *object, const char *name) {
  if (member(object, name) == NULL) rf_wrong("missing", name);
  return string_in(object, name, "");
}

static rf_strings strings_in(const cJSON *object, const char *name) {
  rf_strings list = {NULL, 0};
  const cJSON *item;
  cJSON_ArrayForEach(item, list_in(object, name)) {
    if (!cJSON_IsString(item)) rf_wrong("no list of texts", name);
    list.ptr = realloc(list.ptr, (list.len + 1) * sizeof *list.ptr);
    list.ptr[list.len++] = string(item->valuestring);
  }
  return list;
}

static made_list_tuple2_string_string_t pairs_in(const cJSON *object, const char *name) {
  made_list_tuple2_string_string_t list = {NULL, 0};
  const cJSON *item;
  cJSON_ArrayForEach(item, object_in(object, name)) {
    list.ptr = realloc(list.ptr, (list.len + 1) * sizeof *list.ptr);
    char *value = cJSON_IsString(item) ? item->valuestring : cJSON_PrintUnformatted(item);
    list.ptr[list.len++] = (made_tuple2_string_string_t){string(item->string), string(value)};
  }
  return list;
}

static made_option_u32_t maybe_count_in(const cJSON *object, const char *name) {
  return (made_option_u32_t){member(object, name) != NULL, count_in(object, name, 0)};
}

rf_request rf_asked(const cJSON *written) {
  if (written != NULL) {
    rf_members(written, "a request has no member", "model", "streamed", "needs", "input_tokens",
               "max_output_tokens", "latency_wanted_ms", "budget_left", "previous_target", "caller",
               "now_ms", "seed", "segments", "findings", "targets", "scores", "models", NULL);
  }
  rf_request request;
  memset(&request, 0, sizeof request);
  request.id = string("r-1");
  request.conversation = string("c-1");
  request.dialect = string("openai-chat");
  request.model = string_in(written, "model", "auto");
  request.streamed = truth_in(written, "streamed", false);
  request.needs = strings_in(written, "needs");
  request.input_tokens = count_in(written, "input_tokens", 0);
  request.max_output_tokens = maybe_count_in(written, "max_output_tokens");
  request.latency_wanted_ms = maybe_count_in(written, "latency_wanted_ms");
  request.budget_left.is_some = member(written, "budget_left") != NULL;
  request.budget_left.val = number_in(written, "budget_left", 0);
  request.previous_target = maybe_in(written, "previous_target");
  caller_of(member(written, "caller"), &request);
  request.now_ms = number_in(written, "now_ms", 0);
  request.seed = count_in(written, "seed", 0);

  const cJSON *item;
  cJSON_ArrayForEach(item, list_in(written, "segments")) {
    size_t len = request.segments.len;
    request.segments.ptr = realloc(request.segments.ptr, (len + 1) * sizeof(rf_segment));
    request.segments.ptr[len] = segment_of(item, (uint32_t)len);
    request.segments.len++;
  }
  rf_findings *findings = &request.findings.val;
  request.findings.is_some = true;
  cJSON_ArrayForEach(item, list_in(written, "findings")) {
    findings->ptr = realloc(findings->ptr, (findings->len + 1) * sizeof(rf_finding));
    findings->ptr[findings->len++] = finding_of(item, &request);
  }
  if (findings->len > 1) qsort(findings->ptr, findings->len, sizeof(rf_finding), by_place);
  cJSON_ArrayForEach(item, object_in(written, "scores")) {
    if (!cJSON_IsNumber(item)) rf_wrong("no probability", item->string);
    size_t len = request.scores.len;
    request.scores.ptr = realloc(request.scores.ptr, (len + 1) * sizeof *request.scores.ptr);
    request.scores.ptr[len].f0 = string(item->string);
    request.scores.ptr[len].f1 = (float)item->valuedouble;
    request.scores.len++;
  }
  if (request.scores.len > 1) {
    qsort(request.scores.ptr, request.scores.len, sizeof *request.scores.ptr, by_name);
  }
  const cJSON *places = list_in(written, "targets");
  if (places == NULL) {
    places = cJSON_Parse("[{\"name\":\"local\",\"zone\":\"process\"},"
                         "{\"name\":\"premises\",\"zone\":\"premises\"},"
                         "{\"name\":\"cloud\",\"zone\":\"cloud\"}]");
  }
  cJSON_ArrayForEach(item, places) {
    size_t len = request.targets.len;
    request.targets.ptr = realloc(request.targets.ptr, (len + 1) * sizeof(rf_target));
    request.targets.ptr[len] = target_of(item);
    request.targets.len++;
  }
  return request;
}

static void caller_of(const cJSON *written, rf_request *request) {
  if (written == NULL) return;
  rf_members(written, "a caller has no member", "tenant", "key", "labels", NULL);
  request->caller.is_some = true;
  request->caller.val.tenant = string_in(written, "tenant", "");
  request->caller.val.key = string_in(written, "key", "");
  request->caller.val.labels = pairs_in(written, "labels");
}

static rf_segment segment_of(const cJSON *piece, uint32_t id) {
  rf_segment segment;
  memset(&segment, 0, sizeof segment);
  segment.id = segment.turn = id;
  if (cJSON_IsString(piece)) {
    char path[64];
    snprintf(path, sizeof path, "/messages/%u/content", (unsigned)id);
    segment.role = 1;
    segment.path = string(path);
    segment.readable = true;
    segment.text = (made_option_string_t){true, string(piece->valuestring)};
  } else {
    rf_members(piece, "a segment has no member", "text", "role", "kind", "path", "tool",
               "media_type", "readable", NULL);
    segment.role = word_in(piece, "role", "user", rf_roles);
    segment.kind = word_in(piece, "kind", "text", rf_kinds);
    segment.path = string_in(piece, "path", "");
    segment.tool = maybe_in(piece, "tool");
    segment.media_type = maybe_in(piece, "media_type");
    segment.text = maybe_in(piece, "text");
    segment.readable = truth_in(piece, "readable", segment.text.is_some);
  }
  segment.bytes = (uint32_t)segment.text.val.len;
  return segment;
}

static rf_finding finding_of(const cJSON *written, const rf_request *request) {
  rf_members(written, "a finding has no member", "segment", "text", "entity", "score", NULL);
  uint32_t id = count_in(written, "segment", 0);
  rf_string text = needed_in(written, "text");
  const rf_segment *segment = rf_segment_of(request, id);
  int64_t at = segment == NULL ? -1 : rf_find(segment->text.val, (char *)text.ptr, 0);
  if (at < 0) rf_wrong("a segment does not hold the text of a finding", "");
  return (rf_finding){id, (uint32_t)at, (uint32_t)(at + (int64_t)text.len),
                      needed_in(written, "entity"), (float)number_in(written, "score", 1)};
}

static rf_target target_of(const cJSON *place) {
  rf_members(place, "a target has no member", "name", "zone", "region", "attributes", "capabilities",
             "healthy", "in_flight", "queued", "capacity", "first_token_ms", "p50_ms", "p99_ms",
             "error_rate", "input_price", "output_price", NULL);
  return (rf_target){
      .name = needed_in(place, "name"),
      .zone = word_in(place, "zone", "", rf_zones),
      .region = string_in(place, "region", ""),
      .attributes = pairs_in(place, "attributes"),
      .capabilities = strings_in(place, "capabilities"),
      .context_tokens = 8192,
      .healthy = truth_in(place, "healthy", true),
      .in_flight = count_in(place, "in_flight", 0),
      .queued = count_in(place, "queued", 0),
      .capacity = count_in(place, "capacity", 64),
      .first_token_ms = count_in(place, "first_token_ms", 0),
      .p50_ms = count_in(place, "p50_ms", 0),
      .p99_ms = count_in(place, "p99_ms", 0),
      .error_rate = (float)number_in(place, "error_rate", 0),
      .input_price = number_in(place, "input_price", 0),
      .output_price = number_in(place, "output_price", 0),
  };
}

static int by_place(const void *one, const void *other) {
  const rf_finding *a = one, *b = other;
  if (a->segment != b->segment) return a->segment < b->segment ? -1 : 1;
  return (a->start > b->start) - (a->start < b->start);
}

static int by_name(const void *one, const void *other) {
  const made_tuple2_string_f32_t *a = one, *b = other;
  return strcmp((char *)a->f0.ptr, (char *)b->f0.ptr);
}
