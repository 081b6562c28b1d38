/* What the scenarios in C check with: the first thing that does not hold ends the scenario and names itself.
 */
#ifndef PQD_TESTS_C_ABI_CHECKS_H
#define PQD_TESTS_C_ABI_CHECKS_H

#include <stdio.h>
#include <string.h>

#include "bindings/c/pqd.h"

enum { PATIENCE_MS = 60000 };

static char complaint[512];

#define CHECK(what)                                                                        \
  do {                                                                                     \
    if (!(what)) {                                                                         \
      (void)snprintf(complaint, sizeof complaint, "%s:%d: %s", __FILE__, __LINE__, #what); \
      return complaint;                                                                    \
    }                                                                                      \
  } while (0)

#define CHECK_IS(client, call, wanted)                                                               \
  do {                                                                                               \
    const pqd_status got = (call);                                                                   \
    if (got != (wanted)) {                                                                           \
      (void)snprintf(complaint, sizeof complaint, "%s:%d: %s is %s (%s)", __FILE__, __LINE__, #call, \
                     pqd_status_name(got), pqd_last_error(client));                                  \
      return complaint;                                                                              \
    }                                                                                                \
  } while (0)

#define CHECK_OK(client, call) CHECK_IS(client, call, PQD_OK)

static inline pqd_client* connected(const char* socket) {
  pqd_connect_options options = PQD_CONNECT_OPTIONS_INIT;
  options.socket = socket;
  options.name = "c";
  pqd_client* client = NULL;
  if (pqd_connect(&options, &client) != PQD_OK) return NULL;
  return client;
}

static inline pqd_submit_options job_of(const char* type, const char* payload) {
  pqd_submit_options job = PQD_SUBMIT_OPTIONS_INIT;
  job.type = type;
  job.payload = payload;
  job.payload_bytes = payload == NULL ? 0 : strlen(payload);
  return job;
}

#endif
