/* The main paths of the C ABI: submit, look, work, settle, command. */
#include "tests/bindings/c_abi.h"

#include "tests/bindings/c_abi_checks.h"

const char* c_submit_work_and_look(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  CHECK(pqd_max_payload_bytes(client) == 256 * 1024);
  pqd_submit_options job = job_of("mail", "hello");
  job.metadata = "{\"a\":1}";
  job.traceparent = "00-1-2-01";
  job.mode = PQD_MODE_PRIORITY;
  job.priority = PQD_PRIORITY_HIGH;
  pqd_id id = {{0}};
  pqd_ticket ticket;
  CHECK_OK(client, pqd_submit(client, &job, &id, &ticket));
  CHECK(memcmp(&id, &ticket.id, sizeof id) == 0);
  pqd_outcome outcome = PQD_OUTCOME_INIT;
  CHECK_OK(client, pqd_wait(client, &ticket, PATIENCE_MS, &outcome));
  CHECK(memcmp(&outcome.id, &id, sizeof id) == 0 && outcome.duplicate == 0);

  const char* types[] = {"mail"};
  pqd_subscribe_options subscription = PQD_SUBSCRIBE_OPTIONS_INIT;
  subscription.types = types;
  subscription.type_count = 1;
  uint32_t number = 0;
  CHECK_OK(client, pqd_subscribe(client, &subscription, &number));
  pqd_delivery* delivery = NULL;
  CHECK_OK(client, pqd_next(client, PATIENCE_MS, &delivery));
  size_t bytes = 0;
  const void* payload = pqd_delivery_payload(delivery, &bytes);
  CHECK(bytes == 5 && memcmp(payload, "hello", 5) == 0);
  const pqd_id delivered = pqd_delivery_id(delivery);
  CHECK(memcmp(&delivered, &id, sizeof id) == 0);
  CHECK(strcmp(pqd_delivery_queue(delivery), "default") == 0);
  CHECK(strcmp(pqd_delivery_type(delivery), "mail") == 0);
  CHECK(strcmp(pqd_delivery_metadata(delivery), "{\"a\":1}") == 0);
  CHECK(strcmp(pqd_delivery_traceparent(delivery), "00-1-2-01") == 0);
  CHECK(strcmp(pqd_delivery_subject(delivery), "") == 0);
  CHECK(strcmp(pqd_delivery_ordering_key(delivery), "") == 0);
  CHECK(pqd_delivery_attempt(delivery) == 1 && pqd_delivery_max_attempts(delivery) == 3);
  CHECK(pqd_delivery_priority(delivery) == 10 && pqd_delivery_get_mode(delivery) == PQD_MODE_PRIORITY);
  CHECK(pqd_delivery_subscription(delivery) == number);
  CHECK(pqd_delivery_lease_until_ms(delivery) > 0);
  CHECK(pqd_delivery_cancel_requested(client, delivery) == 0);

  CHECK_OK(client, pqd_start(client, delivery, NULL));
  CHECK_OK(client, pqd_complete(client, delivery, "done", 4, &ticket));
  CHECK_OK(client, pqd_wait(client, &ticket, PATIENCE_MS, NULL));
  pqd_job_info info;
  pqd_job_info_init(&info);
  CHECK_OK(client, pqd_get(client, &id, &info));
  CHECK(info.state == PQD_STATE_COMPLETED && info.attempts == 1 && info.payload == NULL);
  CHECK(info.payload_bytes == 5 && info.finished_ms >= info.created_ms);
  CHECK(info.result_bytes == 4 && memcmp(info.result, "done", 4) == 0);
  CHECK(strcmp(info.queue, "default") == 0 && strcmp(info.type, "mail") == 0);

  pqd_counters counters = {sizeof counters, 0, 0, 0, 0, 0, 0};
  pqd_get_counters(client, &counters);
  CHECK(counters.submitted == 1 && counters.deliveries == 1 && counters.settlements_refused == 0);
  pqd_close(client);
  /* A delivery is valid until it is freed, whatever became of its client. */
  CHECK(strcmp(pqd_delivery_type(delivery), "mail") == 0);
  pqd_delivery_free(delivery);
  return NULL;
}

const char* c_settles_in_every_way(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  pqd_submit_options job = job_of("t", NULL);
  job.backoff_first_ms = 1;
  CHECK_OK(client, pqd_submit(client, &job, NULL, NULL));
  CHECK_OK(client, pqd_flush(client, PATIENCE_MS, NULL));
  const pqd_subscribe_options all = PQD_SUBSCRIBE_OPTIONS_INIT;
  CHECK_OK(client, pqd_subscribe(client, &all, NULL));
  pqd_delivery* delivery = NULL;
  pqd_ticket ticket;

  CHECK_OK(client, pqd_next(client, PATIENCE_MS, &delivery));
  CHECK_OK(client, pqd_extend(client, delivery, 120000, 50, "half", &ticket));
  CHECK_OK(client, pqd_wait(client, &ticket, PATIENCE_MS, NULL));
  const pqd_id id = pqd_delivery_id(delivery);
  pqd_job_info info;
  pqd_job_info_init(&info);
  CHECK_OK(client, pqd_get(client, &id, &info));
  CHECK(info.progress == 50 && strcmp(info.note, "half") == 0);
  CHECK_IS(client, pqd_extend(client, delivery, 0, 101, NULL, NULL), PQD_INVALID_REQUEST);
  CHECK_OK(client, pqd_release(client, delivery, &ticket));
  CHECK_OK(client, pqd_wait(client, &ticket, PATIENCE_MS, NULL));
  CHECK_OK(client, pqd_complete(client, delivery, NULL, 0, &ticket));
  CHECK_IS(client, pqd_wait(client, &ticket, PATIENCE_MS, NULL), PQD_LEASE_LOST);
  pqd_delivery_free(delivery);

  CHECK_OK(client, pqd_next(client, PATIENCE_MS, &delivery));
  CHECK(pqd_delivery_attempt(delivery) == 1);
  CHECK_OK(client, pqd_fail(client, delivery, "again", 1, NULL));
  pqd_delivery_free(delivery);
  CHECK_OK(client, pqd_next(client, PATIENCE_MS, &delivery));
  CHECK(pqd_delivery_attempt(delivery) == 2);
  CHECK_OK(client, pqd_fail(client, delivery, NULL, 0, &ticket));
  CHECK_OK(client, pqd_wait(client, &ticket, PATIENCE_MS, NULL));
  pqd_delivery_free(delivery);
  CHECK_OK(client, pqd_get(client, &id, &info));
  CHECK(info.state == PQD_STATE_FAILED && info.failures == 2 && info.dlq == 1);
  CHECK(info.reason == PQD_REASON_DO_NOT_RETRY);

  CHECK_IS(client, pqd_next(client, 0, &delivery), PQD_REQUEST_TIMEOUT);
  CHECK(delivery == NULL);
  pqd_delivery_free(NULL);
  CHECK_OK(client, pqd_unsubscribe(client, 1));
  CHECK_IS(client, pqd_unsubscribe(client, 1), PQD_NOT_FOUND);
  pqd_close(client);
  return NULL;
}

static int count_job(const pqd_job_info* job, void* user) {
  if (job->size == sizeof *job && job->queue[0] != '\0') ++*(int*)user;
  return 0;
}

static int count_first_job(const pqd_job_info* job, void* user) { return count_job(job, user) + 1; }

static int keep_queue(const pqd_queue_info* queue, void* user) {
  if (strcmp(queue->name, "default") == 0) {
    *(pqd_queue_info*)user = *queue;
    ((pqd_queue_info*)user)->name = NULL; /* valid during the call only */
  }
  return 0;
}

const char* c_commands_queues_and_dead_letters(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  const pqd_submit_options job = job_of("t", "dead");
  pqd_id ids[3];
  for (int i = 0; i < 3; ++i) CHECK_OK(client, pqd_submit(client, &job, &ids[i], NULL));
  CHECK_OK(client, pqd_flush(client, PATIENCE_MS, NULL));
  CHECK_OK(client, pqd_cancel(client, &ids[2], 0));
  CHECK_IS(client, pqd_cancel(client, &ids[2], 0), PQD_INVALID_STATUS);

  const pqd_subscribe_options all = PQD_SUBSCRIBE_OPTIONS_INIT;
  CHECK_OK(client, pqd_subscribe(client, &all, NULL));
  pqd_delivery* delivery = NULL;
  CHECK_OK(client, pqd_next(client, PATIENCE_MS, &delivery));
  CHECK_OK(client, pqd_fail(client, delivery, "broken", 0, NULL));
  pqd_delivery_free(delivery);
  CHECK_OK(client, pqd_next(client, PATIENCE_MS, &delivery));
  CHECK_OK(client, pqd_cancel(client, &ids[1], 1));
  /* pqd_next() waits for what comes; the notice is among it. */
  pqd_delivery* other = NULL;
  for (int looks = 0; pqd_delivery_cancel_requested(client, delivery) == 0; ++looks) {
    CHECK(looks < PATIENCE_MS / 10);
    CHECK_IS(client, pqd_next(client, 10, &other), PQD_REQUEST_TIMEOUT);
  }
  pqd_ticket ticket;
  CHECK_OK(client, pqd_complete(client, delivery, NULL, 0, &ticket));
  CHECK_OK(client, pqd_wait(client, &ticket, PATIENCE_MS, NULL));
  pqd_delivery_free(delivery);
  CHECK_OK(client, pqd_unsubscribe(client, 1));

  pqd_job_info info;
  pqd_job_info_init(&info);
  CHECK_OK(client, pqd_dlq_get(client, &ids[0], &info));
  CHECK(info.payload_bytes == 4 && memcmp(info.payload, "dead", 4) == 0);
  CHECK(info.history_count == 1 && strcmp(info.history[0].error, "broken") == 0);
  CHECK(info.history[0].reason == PQD_REASON_DO_NOT_RETRY && info.history[0].attempt == 1);
  int letters = 0;
  CHECK_OK(client, pqd_dlq(client, NULL, count_job, &letters));
  CHECK(letters == 1);
  CHECK(info.reviewed == 0 && strcmp(info.resolution, "") == 0);
  CHECK_IS(client, pqd_review(client, &ids[0], NULL), PQD_INVALID_REQUEST);
  CHECK_OK(client, pqd_review(client, &ids[0], "typo in the address"));
  CHECK_OK(client, pqd_dlq_get(client, &ids[0], &info));
  CHECK(info.reviewed == 1 && info.reviewed_ms > 0 && strcmp(info.resolution, "typo in the address") == 0);
  CHECK_IS(client, pqd_purge(client, &ids[1]), PQD_INVALID_STATUS);
  CHECK_OK(client, pqd_redrive(client, &ids[0]));
  letters = 0;
  CHECK_OK(client, pqd_dlq(client, NULL, count_job, &letters));
  CHECK(letters == 0);

  int jobs = 0;
  CHECK_OK(client, pqd_list(client, NULL, count_job, &jobs));
  CHECK(jobs == 3);
  jobs = 0;
  CHECK_OK(client, pqd_list(client, NULL, count_first_job, &jobs));
  CHECK(jobs == 1);
  pqd_list_options filter = PQD_LIST_OPTIONS_INIT;
  filter.states = 1u << PQD_STATE_PENDING;
  jobs = 0;
  CHECK_OK(client, pqd_list(client, &filter, count_job, &jobs));
  CHECK(jobs == 1);
  filter.limit = 0;
  CHECK_IS(client, pqd_list(client, &filter, count_job, &jobs), PQD_INVALID_REQUEST);

  CHECK_OK(client, pqd_queue_control(client, "default", PQD_QUEUE_PAUSE));
  pqd_queue_info queue;
  memset(&queue, 0, sizeof queue);
  CHECK_OK(client, pqd_queues(client, NULL, keep_queue, &queue));
  CHECK(queue.size == sizeof queue && queue.paused == 1 && queue.ready == 1 && queue.max_depth == 10000);
  CHECK_OK(client, pqd_queue_control(client, "default", PQD_QUEUE_RESUME));
  CHECK_OK(client, pqd_queues(client, "default", keep_queue, &queue));
  CHECK(queue.paused == 0);
  CHECK_IS(client, pqd_queue_control(client, "nowhere", PQD_QUEUE_DRAIN), PQD_NOT_FOUND);
  const pqd_queue_setting settings[] = {{"max_depth", 7}, {"max_active", 3}, {"fair", 1}};
  CHECK_OK(client, pqd_queue_set(client, "default", settings, 3));
  CHECK_OK(client, pqd_queues(client, "default", keep_queue, &queue));
  CHECK(queue.max_depth == 7 && queue.max_active == 3);
  CHECK_IS(client, pqd_queue_set(client, "nowhere", settings, 3), PQD_NOT_FOUND);
  const pqd_queue_setting backoff = {"backoff", 7200000};
  CHECK_IS(client, pqd_queue_set(client, "default", &backoff, 1), PQD_INVALID_REQUEST);
  CHECK(strstr(pqd_last_error(client), "backoff would be longer than backoff_cap") != NULL);
  CHECK_OK(client, pqd_queue_reset(client, "default"));
  CHECK_OK(client, pqd_queues(client, "default", keep_queue, &queue));
  CHECK(queue.max_depth == 10000 && queue.max_active == 10);
  CHECK_IS(client, pqd_queues(client, "nowhere", keep_queue, &queue), PQD_NOT_FOUND);

  pqd_health_info health;
  pqd_health_info_init(&health);
  CHECK_OK(client, pqd_health(client, &health));
  CHECK(health.status == 0 && health.pending == 1 && health.degraded_reasons[0] == '\0');
  pqd_close(client);
  return NULL;
}

const char* c_submits_many(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  const pqd_submit_options job = job_of("t", "x");
  pqd_submit_options other = job;
  const pqd_submit_options* jobs[3] = {&job, &job, &other};
  pqd_ticket tickets[3];
  other.priority = 0;
  CHECK_IS(client, pqd_submit_many(client, jobs, 3, tickets), PQD_INVALID_PRIORITY);
  other = job;
  other.queue = "another";
  CHECK_IS(client, pqd_submit_many(client, jobs, 3, tickets), PQD_INVALID_REQUEST);
  other = job;
  CHECK_OK(client, pqd_submit_many(client, jobs, 3, tickets));
  for (int i = 0; i < 3; ++i) CHECK_OK(client, pqd_wait(client, &tickets[i], PATIENCE_MS, NULL));
  CHECK_OK(client, pqd_submit_many(client, jobs, 3, NULL));
  uint64_t refused = 1;
  CHECK_OK(client, pqd_flush(client, PATIENCE_MS, &refused));
  CHECK(refused == 0);
  int listed = 0;
  CHECK_OK(client, pqd_list(client, NULL, count_job, &listed));
  CHECK(listed == 6);
  pqd_close(client);
  return NULL;
}
