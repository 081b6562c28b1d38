/* The C ABI: figures over a time. */
#include "tests/bindings/c_abi.h"
#include "tests/bindings/c_abi_checks.h"

typedef struct {
  int parts;
  uint64_t submitted;
  uint64_t of_type;
  uint64_t of_queue;
  int64_t resolution_ms;
  int in_order;
} seen;

static int see(const pqd_metrics_info* info, void* user) {
  seen* all = user;
  if (all->parts == 0) all->in_order = info->by == PQD_METRICS_ALL && info->name[0] == '\0';
  ++all->parts;
  if (info->by == PQD_METRICS_ALL) all->submitted = info->submitted;
  if (info->by == PQD_METRICS_TYPE && strcmp(info->name, "counted") == 0) all->of_type = info->submitted;
  if (info->by == PQD_METRICS_QUEUE && strcmp(info->name, "default") == 0) all->of_queue = info->submitted;
  all->resolution_ms = info->resolution_ms;
  return 0;
}

static int stop(const pqd_metrics_info* info, void* user) {
  (void)info;
  ++*(int*)user;
  return 1;
}

const char* c_submits_what_is_counted(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  const pqd_submit_options job = job_of("counted", NULL);
  for (int i = 0; i < 3; ++i) CHECK_OK(client, pqd_submit(client, &job, NULL, NULL));
  CHECK_OK(client, pqd_flush(client, PATIENCE_MS, NULL));
  pqd_close(client);
  return NULL;
}

/* `counted`: whether all that was submitted is. */
const char* c_counts(const char* socket, int* counted) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  pqd_metrics_options options = PQD_METRICS_OPTIONS_INIT;
  options.by_queue = 1;
  options.by_type = 1;
  seen all;
  memset(&all, 0, sizeof all);
  CHECK_OK(client, pqd_metrics(client, &options, see, &all));
  *counted = all.submitted == 3 && all.of_type == 3 && all.of_queue == 3 && all.parts == 3;
  CHECK(all.parts >= 1 && all.in_order);
  CHECK(all.resolution_ms == 3600000);
  int calls = 0;
  CHECK_OK(client, pqd_metrics(client, NULL, stop, &calls));
  CHECK(calls == 1);
  options.since_ms = 2;
  options.until_ms = 1;
  CHECK_IS(client, pqd_metrics(client, &options, see, &all), PQD_INVALID_REQUEST);
  options.until_ms = 0;
  options.queue = "nowhere";
  CHECK_IS(client, pqd_metrics(client, &options, see, &all), PQD_NOT_FOUND);
  options.queue = NULL;
  options.by_type = 2;
  CHECK_IS(client, pqd_metrics(client, &options, see, &all), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_metrics(client, NULL, NULL, NULL), PQD_INVALID_REQUEST);
  pqd_close(client);
  return NULL;
}
