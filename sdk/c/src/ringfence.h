/* Write Ringfence policies in C.
 *
 * A policy is two functions, policy_configure and policy_judge, which your file defines.
 * Every call runs in an instance of its own that is thrown away afterwards: nothing has to be
 * freed, and what policy_judge changes is not there for the next request. Offsets are UTF-8
 * byte offsets, as in C's own strings. What the entry does not grant is absent (`is_some` is
 * false), never empty. A trap, or an error that is returned, is a failure of the policy. */
#ifndef RINGFENCE_H
#define RINGFENCE_H

#include "bindings/made.h"
#include "vendor/cJSON.h"

/* The contract's types, by short names. Their fields are explained in bindings/made.h. */
typedef made_string_t rf_string;
typedef made_list_string_t rf_strings;
typedef ringfence_policy_types_request_t rf_request;
typedef ringfence_policy_types_segment_t rf_segment;
typedef ringfence_policy_types_finding_t rf_finding;
typedef ringfence_policy_types_list_finding_t rf_findings;
typedef ringfence_policy_types_target_t rf_target;
typedef ringfence_policy_types_declaration_t rf_declaration;
typedef ringfence_policy_types_judgement_t rf_judgement;
typedef ringfence_policy_types_edit_t rf_edit;

typedef enum { RF_PROCESS, RF_PREMISES, RF_CLOUD } rf_zone;

/* -- what you write ------------------------------------------------------------------ */

/* Called once, when the file is loaded. `config` is the entry's own table. Keep what you need
 * of it in static variables: every request starts with them as they are then. Returns NULL, or
 * what is wrong with the configuration, for the operator; the file is not loaded then. */
const char *policy_configure(const cJSON *config, rf_declaration *declaration);

/* Called once for each request, with a judgement that permits everything and says nothing.
 * Returns NULL, or an error, which is a failure of the policy. */
const char *policy_judge(const rf_request *request, rf_judgement *judgement);

/* -- the configuration ----------------------------------------------------------------- */

/* NULL when every member of `config` is among the names, which end with NULL: a misspelt rule
 * that is silently ignored protects nobody. Otherwise what is wrong. */
const char *rf_only_keys(const cJSON *config, ...);

/* Read a member that may be absent, and leave `value` alone then. NULL, or what is wrong. */
const char *rf_number(const cJSON *config, const char *name, double *value);
const char *rf_text_of(const cJSON *config, const char *name, const char **value);
const char *rf_list_of(const cJSON *config, const char *name, rf_strings *value);

/* -- the declaration --------------------------------------------------------------------- */

/* A judgement may carry no code and no label that was not declared. */
void rf_declare_code(rf_declaration *declaration, const char *code);
void rf_declare_label(rf_declaration *declaration, const char *label);
/* A grant without which the policy cannot work: `text`, `findings`, `caller`, `score:NAME`. */
void rf_needs(rf_declaration *declaration, const char *grant);

/* -- the request -------------------------------------------------------------------------- */

/* What the detectors found. NULL without the grant `findings`: nothing is known then, which is
 * not the same as nothing being there. */
const rf_findings *rf_found(const rf_request *request);
/* The segment that a finding or an edit names, or NULL. */
const rf_segment *rf_segment_of(const rf_request *request, uint32_t id);
/* A label of the caller; an empty string without it, and without the grant `caller`. */
rf_string rf_caller_label(const rf_request *request, const char *name);
/* One of the operator's own words about a target, or an empty string. */
rf_string rf_attribute(const rf_target *target, const char *name);
/* What a classifier says: the probability of `NAME/LABEL`; -1 where it is not known. */
float rf_score(const rf_request *request, const char *label);
/* Whether a target is in the zone or a nearer one. */
bool rf_is_within(const rf_target *target, rf_zone zone);
/* Whether a target is well and would take one more request at once. */
bool rf_has_room(const rf_target *target);

/* -- strings and spans ---------------------------------------------------------------------- */

bool rf_is(rf_string string, const char *text);
bool rf_same(rf_string one, rf_string other);
bool rf_among(rf_strings list, rf_string string);
/* Where `word` stands in `text` at or after `from`; -1 where it does not. */
int64_t rf_find(rf_string text, const char *word, size_t from);
/* The nearest beginning of a character at or before an offset, and at or after it: a span that
 * ends inside a character fails the whole judgement. */
uint32_t rf_character_before(rf_string text, uint32_t offset);
uint32_t rf_character_after(rf_string text, uint32_t offset);
/* A part of a text, which is not copied: an empty string for a span that is not in it or that
 * ends inside a character. */
rf_string rf_part(rf_string text, uint32_t start, uint32_t end);
/* The text of a finding, not copied; an empty string without the grant `text`. */
rf_string rf_finding_text(const rf_request *request, const rf_finding *finding);

/* -- the judgement ---------------------------------------------------------------------------- */

/* Only targets of this zone or a nearer one. */
void rf_within(rf_judgement *judgement, rf_zone zone);
/* Nowhere: the request is refused. */
void rf_nowhere(rf_judgement *judgement);
/* Only the targets that `keep` keeps; with none kept, nowhere. */
void rf_only(rf_judgement *judgement, const rf_request *request,
             bool (*keep)(const rf_target *target));
/* Targets in the order of preference. */
void rf_prefer(rf_judgement *judgement, rf_string target);
void rf_label(rf_judgement *judgement, const char *label);
/* Why: a declared code. */
void rf_because(rf_judgement *judgement, const char *code);

/* Hides a span, or what was found: by default masked, from everybody. The functions below
 * change that, and may follow each other. The edit moves with the next one. */
rf_edit *rf_hide(rf_judgement *judgement, uint32_t segment, uint32_t start, uint32_t end,
                 const char *entity);
rf_edit *rf_hide_finding(rf_judgement *judgement, const rf_finding *finding);
rf_edit *rf_pseudonymise(rf_edit *edit);
rf_edit *rf_remove(rf_edit *edit);
rf_edit *rf_replace(rf_edit *edit, const char *text);
/* Only from targets farther away than the zone. */
rf_edit *rf_outside(rf_edit *edit, rf_zone zone);
/* Only from this target, and from others that are named in the same way. */
rf_edit *rf_towards(rf_edit *edit, rf_string target);

#endif
