/* Runs a file of cases: `cases FILE`, 0 when every case holds. Each case runs in a process of
 * its own, because a policy keeps what it was configured with. */

#include "cases.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds that one case may take: what a policy does in milliseconds, or never. */
#define CASE_SECONDS 10

static int held(const cJSON *one);
static cJSON *said_of(const cJSON *one);
static cJSON *judged(const rf_judgement *judgement, const rf_declaration *declaration,
                     const rf_request *request);
static const char *nonsense(const rf_judgement *judgement, const rf_declaration *declaration,
                            const rf_request *request);
static cJSON *complete(const cJSON *expect);

int main(int count, char **arguments) {
  const char *path = count > 1 ? arguments[1] : "cases.json";
  FILE *file = fopen(path, "rb");
  if (file == NULL) rf_wrong("cannot be read", path);
  char *text = NULL;
  size_t len = 0, got;
  do {
    text = realloc(text, len + 65537);
    got = fread(text + len, 1, 65536, file);
    len += got;
  } while (got > 0);
  text[len] = 0;
  const cJSON *cases = cJSON_Parse(text), *one;
  if (text[0] != 0 && cases == NULL) {
    int line = 1;
    for (const char *at = text; at < cJSON_GetErrorPtr(); at++) line += *at == '\n';
    char place[32];
    snprintf(place, sizeof place, "line %d", line);
    rf_wrong("this is no JSON", place);
  }
  if (!cJSON_IsArray(cases) || cJSON_GetArraySize(cases) == 0) {
    rf_wrong("expected a list of cases", path);
  }
  int failed = 0, all = 0;
  cJSON_ArrayForEach(one, cases) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
      alarm(CASE_SECONDS);
      exit(held(one));
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) rf_wrong("no process for a case", "");
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, "name"));
    const char *why = NULL;
    if (!WIFEXITED(status)) {
      why = WTERMSIG(status) == SIGALRM ? "the policy did not end" : "the policy trapped";
    } else if (WEXITSTATUS(status) > 1) {
      why = "the case is written wrongly: see above";
    }
    if (why != NULL) {
      fprintf(stderr, "FAILED  %s\n        %s\n", name == NULL ? "" : name, why);
    }
    failed += !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    all++;
  }
  printf("%d of %d cases hold\n", all - failed, all);
  return failed != 0;
}

static int held(const cJSON *one) {
  rf_members(one, "a case has no member", "name", "config", "grants", "request", "expect", NULL);
  const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, "name"));
  const cJSON *expect = cJSON_GetObjectItemCaseSensitive(one, "expect");
  if (name == NULL || !cJSON_IsObject(expect)) rf_wrong("a case has a name and expect", "");
  cJSON *said = said_of(one), *expected = complete(expect);
  if (cJSON_Compare(said, expected, true)) return 0;
  fprintf(stderr, "FAILED  %s\n        said      %s\n        expected  %s\n", name,
          cJSON_PrintUnformatted(said), cJSON_PrintUnformatted(expected));
  return 1;
}

static cJSON *instead(const char *name, cJSON *value) {
  cJSON *said = cJSON_CreateObject();
  cJSON_AddItemToObject(said, name, value);
  return said;
}

static bool granted(const cJSON *grants, const char *grant) {
  if (grants == NULL || cJSON_IsNull(grants)) return true;
  const cJSON *one;
  cJSON_ArrayForEach(one, grants) {
    if (cJSON_IsString(one) && strcmp(one->valuestring, grant) == 0) return true;
  }
  return false;
}

static const char SCORE[] = "score:";

/* The classifier that a need names, or NULL. */
static const char *classifier(rf_string need) {
  bool is_score = need.len > sizeof SCORE - 1 && memcmp(need.ptr, SCORE, sizeof SCORE - 1) == 0;
  return is_score ? (const char *)need.ptr + sizeof SCORE - 1 : NULL;
}

static bool is_of(rf_string label, const char *name) {
  size_t len = strlen(name);
  return label.len > len && memcmp(label.ptr, name, len) == 0 && label.ptr[len] == '/';
}

static int by_text(const void *one, const void *other) {
  return strcmp((char *)((const rf_string *)one)->ptr, (char *)((const rf_string *)other)->ptr);
}

/* Leaves of the scores those that are declared; false when one is missing. */
static bool scored(rf_request *request, const rf_declaration *declaration) {
  size_t kept = 0;
  for (size_t need = 0; need < declaration->needs.len; need++) {
    const char *name = classifier(declaration->needs.ptr[need]);
    bool found = name == NULL;
    for (size_t at = 0; name != NULL && at < request->scores.len; at++) {
      found = found || is_of(request->scores.ptr[at].f0, name);
    }
    if (!found) return false;
  }
  for (size_t at = 0; at < request->scores.len; at++) {
    bool wanted = false;
    for (size_t need = 0; need < declaration->needs.len; need++) {
      const char *name = classifier(declaration->needs.ptr[need]);
      wanted = wanted || (name != NULL && is_of(request->scores.ptr[at].f0, name));
    }
    if (wanted) request->scores.ptr[kept++] = request->scores.ptr[at];
  }
  request->scores.len = kept;
  return true;
}

static cJSON *said_of(const cJSON *one) {
  const cJSON *config = cJSON_GetObjectItemCaseSensitive(one, "config");
  const cJSON *grants = cJSON_GetObjectItemCaseSensitive(one, "grants");
  if (config == NULL) config = cJSON_CreateObject();
  rf_declaration declaration;
  memset(&declaration, 0, sizeof declaration);
  if (policy_configure(config, &declaration) != NULL) {
    return instead("refused", cJSON_CreateTrue());
  }
  rf_strings *needs = &declaration.needs;
  if (needs->len > 1) qsort(needs->ptr, needs->len, sizeof *needs->ptr, by_text);
  cJSON *missing = cJSON_CreateArray();
  for (size_t at = 0; at < needs->len; at++) {
    const char *grant = classifier(needs->ptr[at]) != NULL ? "model" : (char *)needs->ptr[at].ptr;
    bool repeats = at > 0 && rf_same(needs->ptr[at], needs->ptr[at - 1]);
    if (repeats || granted(grants, grant)) continue;
    cJSON_AddItemToArray(missing, cJSON_CreateString((char *)needs->ptr[at].ptr));
  }
  if (cJSON_GetArraySize(missing) > 0) return instead("ungranted", missing);

  rf_request whole = rf_asked(cJSON_GetObjectItemCaseSensitive(one, "request")), shown = whole;
  size_t bytes = whole.segments.len * sizeof(rf_segment);
  shown.segments.ptr = malloc(bytes + 1);
  if (bytes > 0) memcpy(shown.segments.ptr, whole.segments.ptr, bytes);
  for (size_t at = 0; at < shown.segments.len && !granted(grants, "text"); at++) {
    shown.segments.ptr[at].text = (made_option_string_t){false, {NULL, 0}};
  }
  shown.findings.is_some = granted(grants, "findings");
  shown.caller.is_some = whole.caller.is_some && granted(grants, "caller");
  if (!scored(&shown, &declaration)) return instead("failed", cJSON_CreateString("model"));
  rf_judgement judgement;
  memset(&judgement, 0, sizeof judgement);
  if (policy_judge(&shown, &judgement) != NULL) return instead("error", cJSON_CreateTrue());
  return judged(&judgement, &declaration, &whole);
}

static cJSON *text_of(rf_string string) {
  char *copy = calloc(string.len + 1, 1);
  if (string.len > 0) memcpy(copy, string.ptr, string.len);
  return cJSON_CreateString(copy);
}

static cJSON *texts_of(rf_strings list) {
  cJSON *array = cJSON_CreateArray();
  for (size_t at = 0; at < list.len; at++) cJSON_AddItemToArray(array, text_of(list.ptr[at]));
  return array;
}

/* In the order of their places: they do not overlap. */
static int by_span(const void *one, const void *other) {
  const rf_edit *a = one, *b = other;
  if (a->segment != b->segment) return a->segment < b->segment ? -1 : 1;
  return (a->start > b->start) - (a->start < b->start);
}

static cJSON *judged(const rf_judgement *judgement, const rf_declaration *declaration,
                     const rf_request *request) {
  if (judgement->edits.len > 1) {
    qsort(judgement->edits.ptr, judgement->edits.len, sizeof(rf_edit), by_span);
  }
  const char *wrong = nonsense(judgement, declaration, request);
  if (wrong != NULL) return instead("nonsense", cJSON_CreateString(wrong));
  cJSON *said = cJSON_CreateObject(), *edits = cJSON_CreateArray();
  cJSON *permit = cJSON_CreateString("any");
  if (judgement->permit.tag == RINGFENCE_POLICY_TYPES_PERMISSION_WITHIN) {
    permit = cJSON_CreateString(rf_zones[judgement->permit.val.within]);
  } else if (judgement->permit.tag == RINGFENCE_POLICY_TYPES_PERMISSION_ONLY) {
    permit = texts_of(judgement->permit.val.only);
  } else if (judgement->permit.tag == RINGFENCE_POLICY_TYPES_PERMISSION_NOWHERE) {
    permit = cJSON_CreateString("nowhere");
  }
  for (size_t at = 0; at < judgement->edits.len; at++) {
    const rf_edit *edit = &judgement->edits.ptr[at];
    const char *const actions[] = {"mask", "replace", "pseudonymise", "remove"};
    rf_string text = rf_segment_of(request, edit->segment)->text.val;
    cJSON *shown = cJSON_CreateObject(), *action = cJSON_CreateString(actions[edit->action.tag]);
    if (edit->action.tag == RINGFENCE_POLICY_TYPES_ACTION_REPLACE) {
      action = instead("replace", text_of(edit->action.val.replace));
    }
    cJSON *scope = cJSON_CreateString("always");
    if (edit->scope.tag == RINGFENCE_POLICY_TYPES_SCOPE_TOWARDS) {
      scope = instead("towards", texts_of(edit->scope.val.towards));
    } else if (edit->scope.tag == RINGFENCE_POLICY_TYPES_SCOPE_OUTSIDE) {
      char outside[32];
      snprintf(outside, sizeof outside, "outside %s", rf_zones[edit->scope.val.outside]);
      scope = cJSON_CreateString(outside);
    }
    cJSON_AddNumberToObject(shown, "segment", edit->segment);
    cJSON_AddItemToObject(shown, "text",
                          text_of((rf_string){text.ptr + edit->start, edit->end - edit->start}));
    cJSON_AddItemToObject(shown, "entity", text_of(edit->entity));
    cJSON_AddItemToObject(shown, "action", action);
    cJSON_AddItemToObject(shown, "scope", scope);
    cJSON_AddItemToArray(edits, shown);
  }
  cJSON_AddItemToObject(said, "permit", permit);
  cJSON_AddItemToObject(said, "prefer", texts_of(judgement->prefer));
  cJSON_AddItemToObject(said, "edits", edits);
  cJSON_AddItemToObject(said, "labels", texts_of(judgement->labels));
  cJSON_AddItemToObject(said, "code", text_of(judgement->code));
  return complete(said);
}

static bool are_targets(rf_strings names, const rf_request *request) {
  for (size_t at = 0; at < names.len; at++) {
    bool known = false;
    for (size_t target = 0; target < request->targets.len; target++) {
      known = known || rf_same(names.ptr[at], request->targets.ptr[target].name);
    }
    if (!known) return false;
  }
  return true;
}

static bool is_entity(rf_string entity) {
  for (size_t at = 0; at < entity.len; at++) {
    uint8_t byte = entity.ptr[at];
    bool fits = (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
    if (!fits) return false;
  }
  return entity.len >= 1 && entity.len <= 64;
}

/* What the host would refuse, or NULL. The edits are in order. */
static const char *nonsense(const rf_judgement *judgement, const rf_declaration *declaration,
                            const rf_request *request) {
  bool is_only = judgement->permit.tag == RINGFENCE_POLICY_TYPES_PERMISSION_ONLY;
  if (!are_targets(judgement->prefer, request) ||
      (is_only && !are_targets(judgement->permit.val.only, request))) {
    return "an unknown target";
  }
  for (size_t at = 0; at < judgement->labels.len; at++) {
    if (!rf_among(declaration->labels, judgement->labels.ptr[at])) return "an undeclared label";
  }
  if (judgement->code.len > 0 && !rf_among(declaration->codes, judgement->code)) {
    return "an undeclared code";
  }
  for (size_t at = 0; at < judgement->edits.len; at++) {
    const rf_edit *edit = &judgement->edits.ptr[at], *before = at > 0 ? edit - 1 : NULL;
    const rf_segment *segment = rf_segment_of(request, edit->segment);
    if (segment == NULL || !segment->text.is_some) return "an unknown segment";
    rf_string text = segment->text.val;
    bool is_span = edit->start < edit->end && edit->end <= text.len &&
                   rf_character_before(text, edit->start) == edit->start &&
                   rf_character_before(text, edit->end) == edit->end;
    if (!is_span || !is_entity(edit->entity)) return "a bad span or entity";
    if (edit->scope.tag == RINGFENCE_POLICY_TYPES_SCOPE_TOWARDS &&
        !are_targets(edit->scope.val.towards, request)) {
      return "an unknown target";
    }
    if (before != NULL && before->segment == edit->segment && before->end > edit->start) {
      return "edits that overlap";
    }
  }
  return NULL;
}

static int by_print(const void *one, const void *other) {
  return strcmp(cJSON_PrintUnformatted(*(cJSON *const *)one),
                cJSON_PrintUnformatted(*(cJSON *const *)other));
}

/* What is said or expected, with every member, and with edits in an order of their own: the
 * order in which they were given does not count. */
static cJSON *complete(const cJSON *expect) {
  const char *const alone[] = {"refused", "error", "ungranted"};
  for (size_t at = 0; at < sizeof alone / sizeof *alone; at++) {
    if (cJSON_HasObjectItem(expect, alone[at])) {
      if (cJSON_GetArraySize(expect) > 1) rf_wrong("refused, error and ungranted stand alone", "");
      return cJSON_Duplicate(expect, true);
    }
  }
  rf_members(expect, "expect has no member", "permit", "prefer", "edits", "labels", "code", NULL);
  cJSON *whole = cJSON_Duplicate(expect, true);
  if (!cJSON_HasObjectItem(whole, "permit")) cJSON_AddStringToObject(whole, "permit", "any");
  if (!cJSON_HasObjectItem(whole, "code")) cJSON_AddStringToObject(whole, "code", "");
  for (const char *const *name = (const char *const[]){"prefer", "edits", "labels", NULL}; *name; name++) {
    if (!cJSON_HasObjectItem(whole, *name)) cJSON_AddArrayToObject(whole, *name);
  }
  cJSON *edits = cJSON_DetachItemFromObject(whole, "edits");
  int count = cJSON_GetArraySize(edits);
  cJSON **list = calloc((size_t)count + 1, sizeof *list);
  for (int at = 0; at < count; at++) {
    const cJSON *edit = cJSON_GetArrayItem(edits, at);
    rf_members(edit, "an edit has no member", "segment", "text", "entity", "action", "scope", NULL);
    list[at] = cJSON_CreateObject();
    for (const char *const *name =
             (const char *const[]){"segment", "text", "entity", "action", "scope", NULL};
         *name; name++) {
      const cJSON *value = cJSON_GetObjectItemCaseSensitive(edit, *name);
      if (value == NULL) rf_wrong("an edit lacks", *name);
      cJSON_AddItemToObject(list[at], *name, cJSON_Duplicate(value, true));
    }
  }
  if (count > 1) qsort(list, (size_t)count, sizeof *list, by_print);
  cJSON *sorted = cJSON_AddArrayToObject(whole, "edits");
  for (int at = 0; at < count; at++) cJSON_AddItemToArray(sorted, list[at]);
  return whole;
}
