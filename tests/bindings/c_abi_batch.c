/* Batches through the C ABI. */
#include "tests/bindings/c_abi.h"
#include "tests/bindings/c_abi_checks.h"

enum { JOBS = 3 };

const char* c_works_on_batches(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  const pqd_subscribe_options all = PQD_SUBSCRIBE_OPTIONS_INIT;
  CHECK_OK(client, pqd_subscribe(client, &all, NULL));
  pqd_batch* batch = NULL;
  CHECK_IS(client, pqd_next_batch(client, 0, &batch), PQD_REQUEST_TIMEOUT);
  CHECK(batch == NULL && strstr(pqd_last_error(client), "batch") != NULL);
  CHECK_IS(client, pqd_next_batch(client, 0, NULL), PQD_INVALID_REQUEST);
  CHECK(pqd_next_batch(NULL, 0, &batch) == PQD_INVALID_REQUEST);
  CHECK(pqd_batch_size(NULL) == 0 && pqd_batch_delivery(NULL, 0) == NULL);
  pqd_batch_free(NULL);

  pqd_submit_options job = job_of("t", "hello");
  job.mode = PQD_MODE_BATCH;
  const pqd_submit_options* jobs[JOBS] = {&job, &job, &job};
  pqd_ticket tickets[JOBS];
  CHECK_OK(client, pqd_submit_many(client, jobs, JOBS, tickets));
  CHECK_OK(client, pqd_next_batch(client, PATIENCE_MS, &batch));
  CHECK(pqd_batch_size(batch) == JOBS && pqd_batch_delivery(batch, JOBS) == NULL);
  for (size_t i = 0; i < JOBS; ++i) {
    const pqd_delivery* delivery = pqd_batch_delivery(batch, i);
    const pqd_id id = pqd_delivery_id(delivery);
    CHECK(memcmp(&id, &tickets[i].id, sizeof id) == 0);
    size_t bytes = 0;
    CHECK(memcmp(pqd_delivery_payload(delivery, &bytes), "hello", 5) == 0 && bytes == 5);
    CHECK(pqd_delivery_get_mode(delivery) == PQD_MODE_BATCH && strcmp(pqd_delivery_type(delivery), "t") == 0);
  }
  CHECK_OK(client, pqd_complete(client, pqd_batch_delivery(batch, 0), "r", 1, NULL));
  CHECK_OK(client, pqd_fail(client, pqd_batch_delivery(batch, 1), "no", 0, NULL));
  CHECK_OK(client, pqd_complete(client, pqd_batch_delivery(batch, 2), NULL, 0, NULL));
  uint64_t refused = 1;
  CHECK_OK(client, pqd_flush(client, PATIENCE_MS, &refused));
  CHECK(refused == 0);
  pqd_job_info info;
  pqd_job_info_init(&info);
  CHECK_OK(client, pqd_get(client, &tickets[1].id, &info));
  CHECK(info.state == PQD_STATE_FAILED);
  CHECK_OK(client, pqd_get(client, &tickets[2].id, &info));
  CHECK(info.state == PQD_STATE_COMPLETED);

  job.mode = PQD_MODE_FIFO;
  pqd_batch* one = NULL;
  CHECK_OK(client, pqd_submit(client, &job, NULL, NULL));
  CHECK_OK(client, pqd_next_batch(client, PATIENCE_MS, &one));
  CHECK(pqd_batch_size(one) == 1 && pqd_delivery_attempt(pqd_batch_delivery(one, 0)) == 1);
  pqd_batch_free(one);
  pqd_close(client);
  CHECK(strcmp(pqd_delivery_queue(pqd_batch_delivery(batch, 2)), "default") == 0);
  pqd_batch_free(batch);
  return NULL;
}
