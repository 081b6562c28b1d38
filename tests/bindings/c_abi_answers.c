/* The C ABI: what a submit is when it says nothing, and what it is answered when it is not simply taken. */
#include "tests/bindings/c_abi.h"
#include "tests/bindings/c_abi_checks.h"

const char* c_submits_by_default(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  const pqd_submit_options job = job_of("t", NULL);
  pqd_ticket ticket;
  CHECK_OK(client, pqd_submit(client, &job, NULL, &ticket));
  CHECK_OK(client, pqd_wait(client, &ticket, PATIENCE_MS, NULL));
  pqd_job_info info;
  pqd_job_info_init(&info);
  CHECK_OK(client, pqd_get(client, &ticket.id, &info));
  CHECK(strcmp(info.queue, "default") == 0);
  CHECK(info.mode == PQD_MODE_FIFO && info.priority == PQD_PRIORITY_NORMAL);
  CHECK(info.delivery == PQD_AT_LEAST_ONCE && info.durability == PQD_DURABILITY_FSYNC);
  CHECK(info.max_attempts == 3 && info.start_after_ms == 0);
  pqd_close(client);
  return NULL;
}

const char* c_tells_duplicates(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  pqd_submit_options job = job_of("t", "content");
  job.idempotency_key = "order 17";
  pqd_ticket first;
  pqd_ticket again;
  pqd_outcome outcome = PQD_OUTCOME_INIT;
  CHECK_OK(client, pqd_submit(client, &job, NULL, &first));
  CHECK_OK(client, pqd_wait(client, &first, PATIENCE_MS, &outcome));
  CHECK(outcome.duplicate == 0);
  CHECK_OK(client, pqd_submit(client, &job, NULL, &again));
  CHECK_OK(client, pqd_wait(client, &again, PATIENCE_MS, &outcome));
  CHECK(outcome.duplicate == 1 && outcome.state == PQD_STATE_PENDING + 1);
  CHECK(memcmp(&outcome.id, &first.id, sizeof first.id) == 0);
  pqd_job_info info;
  pqd_job_info_init(&info);
  CHECK_IS(client, pqd_get(client, &again.id, &info), PQD_NOT_FOUND);
  job.payload = "another";
  CHECK_OK(client, pqd_submit(client, &job, NULL, &again));
  CHECK_IS(client, pqd_wait(client, &again, PATIENCE_MS, NULL), PQD_DUPLICATE_REQUEST);
  job.idempotency_key = "order 18";
  CHECK_OK(client, pqd_submit(client, &job, NULL, &again));
  CHECK_OK(client, pqd_wait(client, &again, PATIENCE_MS, &outcome));
  CHECK(outcome.duplicate == 0);
  pqd_close(client);
  return NULL;
}

/* Sixty at once, and a minute until there are as many again. */
const char* c_tells_when_to_come_back(const char* socket) {
  enum { LIMIT = 60 };
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  pqd_submit_options job = job_of("t", NULL);
  job.subject = "ann";
  const pqd_submit_options* jobs[LIMIT];
  pqd_ticket tickets[LIMIT];
  for (int i = 0; i < LIMIT; ++i) jobs[i] = &job;
  CHECK_OK(client, pqd_submit_many(client, jobs, LIMIT, tickets));
  CHECK_OK(client, pqd_wait(client, &tickets[LIMIT - 1], PATIENCE_MS, NULL));
  CHECK_OK(client, pqd_submit_many(client, jobs, LIMIT, tickets));
  CHECK_IS(client, pqd_wait(client, &tickets[0], PATIENCE_MS, NULL), PQD_RATE_LIMIT_EXCEEDED);
  CHECK(pqd_last_retry_after_ms(client) > 0 && pqd_last_retry_after_ms(client) <= 60000);
  pqd_close(client);
  return NULL;
}
