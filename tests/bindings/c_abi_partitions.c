/* A daemon with two partitions through the C ABI: as if there were one. */
#include "tests/bindings/c_abi.h"
#include "tests/bindings/c_abi_checks.h"

enum { JOBS = 6 };

/* One in each, see tests/core/partition_test.cpp. */
static const char* const kQueues[2] = {"mail.urgent", "default"};

static int count_job(const pqd_job_info* job, void* user) {
  if (job->state == PQD_STATE_COMPLETED) ++*(int*)user;
  return 0;
}

static int count_queue(const pqd_queue_info* queue, void* user) {
  (void)queue;
  ++*(int*)user;
  return 0;
}

const char* c_uses_all_partitions(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  pqd_ticket tickets[JOBS];
  for (int i = 0; i < JOBS; ++i) {
    pqd_submit_options job = job_of("t", "hello");
    job.queue = kQueues[i % 2];
    CHECK_OK(client, pqd_submit(client, &job, NULL, &tickets[i]));
  }
  CHECK(tickets[0].partition == 0 && tickets[1].partition == 1);
  for (int i = 0; i < JOBS; ++i) {
    pqd_outcome outcome = PQD_OUTCOME_INIT;
    CHECK_OK(client, pqd_wait(client, &tickets[i], PATIENCE_MS, &outcome));
    CHECK(memcmp(&outcome.id, &tickets[i].id, sizeof outcome.id) == 0);
  }
  pqd_ticket foreign = tickets[0];
  foreign.partition = 200;
  CHECK_IS(client, pqd_wait(client, &foreign, PATIENCE_MS, NULL), PQD_INVALID_REQUEST);

  pqd_client* worker = connected(socket);
  CHECK(worker != NULL);
  uint32_t numbers[2] = {0, 0};
  for (int i = 0; i < 2; ++i) {
    pqd_subscribe_options options = PQD_SUBSCRIBE_OPTIONS_INIT;
    options.queue = kQueues[i];
    CHECK_OK(worker, pqd_subscribe(worker, &options, &numbers[i]));
  }
  CHECK(numbers[0] != numbers[1]);
  for (int i = 0; i < JOBS; ++i) {
    pqd_delivery* delivery = NULL;
    CHECK_OK(worker, pqd_next(worker, PATIENCE_MS, &delivery));
    pqd_ticket settled;
    CHECK_OK(worker, pqd_complete(worker, delivery, NULL, 0, &settled));
    CHECK_OK(worker, pqd_wait(worker, &settled, PATIENCE_MS, NULL));
    pqd_delivery_free(delivery);
  }
  pqd_close(worker);

  pqd_job_info info;
  pqd_job_info_init(&info);
  CHECK_OK(client, pqd_get(client, &tickets[1].id, &info));
  CHECK(info.state == PQD_STATE_COMPLETED && strcmp(info.queue, kQueues[1]) == 0);
  int completed = 0;
  const pqd_list_options all = PQD_LIST_OPTIONS_INIT;
  CHECK_OK(client, pqd_list(client, &all, count_job, &completed));
  CHECK(completed == JOBS);
  int queues = 0;
  CHECK_OK(client, pqd_queues(client, NULL, count_queue, &queues));
  CHECK(queues == 2);
  pqd_health_info health;
  memset(&health, 0, sizeof health);
  health.size = sizeof health;
  CHECK_OK(client, pqd_health(client, &health));
  CHECK(health.completed_recent == JOBS);
  pqd_close(client);
  return NULL;
}
