/* Schedules through the C ABI. */
#include "tests/bindings/c_abi.h"
#include "tests/bindings/c_abi_checks.h"

static int look(const pqd_cron_info* schedule, void* user) {
  int* seen = user;
  const int good = strcmp(schedule->name, "tick") == 0 && strcmp(schedule->spec, "@every 1s") == 0 &&
                   strcmp(schedule->zone, "UTC") == 0 && strcmp(schedule->queue, "default") == 0 &&
                   strcmp(schedule->type, "t") == 0 && schedule->next_ms > schedule->set_ms &&
                   schedule->payload_bytes == 1 && schedule->size == sizeof *schedule;
  *seen += good ? 1 : 100;
  return 0;
}

const char* c_keeps_schedules(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  const pqd_submit_options job = job_of("t", "p");
  pqd_cron_options options;
  pqd_cron_options_init(&options);
  options.name = "tick";
  options.spec = "@every 1";
  CHECK_IS(client, pqd_cron_set(client, &options, &job), PQD_INVALID_REQUEST);
  CHECK(strstr(pqd_last_error(client), "@every") != NULL);
  options.spec = "@every 1s";
  CHECK_OK(client, pqd_cron_set(client, &options, &job));
  CHECK_IS(client, pqd_cron_set(client, &options, &job), PQD_DUPLICATE_REQUEST);
  options.replace = 1;
  CHECK_OK(client, pqd_cron_set(client, &options, &job));
  int seen = 0;
  CHECK_OK(client, pqd_cron_list(client, NULL, look, &seen));
  CHECK(seen == 1);
  CHECK_IS(client, pqd_cron_list(client, "tock", look, &seen), PQD_NOT_FOUND);

  const pqd_subscribe_options all = PQD_SUBSCRIBE_OPTIONS_INIT;
  CHECK_OK(client, pqd_subscribe(client, &all, NULL));
  pqd_delivery* delivery = NULL;
  CHECK_OK(client, pqd_next(client, PATIENCE_MS, &delivery));
  CHECK(strcmp(pqd_delivery_type(delivery), "t") == 0);
  CHECK_OK(client, pqd_complete(client, delivery, NULL, 0, NULL));
  pqd_delivery_free(delivery);

  CHECK_OK(client, pqd_cron_remove(client, "tick"));
  CHECK_IS(client, pqd_cron_remove(client, "tick"), PQD_NOT_FOUND);
  CHECK_IS(client, pqd_cron_remove(client, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_cron_set(client, NULL, &job), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_cron_set(client, &options, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_cron_list(client, NULL, NULL, NULL), PQD_INVALID_REQUEST);
  options.size = 0;
  CHECK_IS(client, pqd_cron_set(client, &options, &job), PQD_INVALID_REQUEST);
  options.size = sizeof options;
  options.reserved[6] = 1;
  CHECK_IS(client, pqd_cron_set(client, &options, &job), PQD_INVALID_REQUEST);
  pqd_close(client);
  return NULL;
}
