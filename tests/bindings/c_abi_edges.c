/* The C ABI at its edges: sized structs of other versions, event loops, misuse, texts. */
#include <poll.h>

#include "tests/bindings/c_abi.h"
#include "tests/bindings/c_abi_checks.h"

/* A caller that was compiled with a later header: more fields, which it left zero or did not. */
typedef struct later_submit_options {
  pqd_submit_options now;
  uint64_t later[4];
} later_submit_options;

static int no_job(const pqd_job_info* job, void* user) {
  (void)job;
  (void)user;
  return 1;
}

const char* c_sized_structs(const char* socket) {
  pqd_client* client = NULL;
  pqd_connect_options options = PQD_CONNECT_OPTIONS_INIT;
  options.socket = socket;
  /* An earlier caller knew the first three fields: what it has in place of the others is not read. */
  memset((char*)&options + offsetof(pqd_connect_options, connect_timeout_ms), 0xFF,
         sizeof options - offsetof(pqd_connect_options, connect_timeout_ms));
  options.size = offsetof(pqd_connect_options, connect_timeout_ms);
  CHECK_OK(NULL, pqd_connect(&options, &client));

  later_submit_options later;
  memset(&later, 0, sizeof later);
  later.now = job_of("t", "x");
  later.now.size = sizeof later;
  CHECK_OK(client, pqd_submit(client, &later.now, NULL, NULL));
  later.later[3] = 1;
  CHECK_IS(client, pqd_submit(client, &later.now, NULL, NULL), PQD_INVALID_REQUEST);
  pqd_submit_options earlier = job_of("t", "x");
  earlier.size = offsetof(pqd_submit_options, idempotency_key);
  earlier.priority = 99; /* not there for a caller of this size */
  pqd_ticket ticket;
  CHECK_OK(client, pqd_submit(client, &earlier, NULL, &ticket));
  CHECK_OK(client, pqd_wait(client, &ticket, PATIENCE_MS, NULL));
  earlier.size = sizeof earlier;
  CHECK_IS(client, pqd_submit(client, &earlier, NULL, NULL), PQD_INVALID_PRIORITY);
  for (size_t size = 0; size < sizeof(size_t); ++size) {
    earlier.size = size;
    CHECK_IS(client, pqd_submit(client, &earlier, NULL, NULL), PQD_INVALID_REQUEST);
  }
  earlier.size = SIZE_MAX; /* what was never set: nothing beyond the struct may be read for it */
  CHECK_IS(client, pqd_submit(client, &earlier, NULL, NULL), PQD_INVALID_REQUEST);

  /* A zero in what is reserved today is what a later version can rely on. */
  pqd_submit_options reserved = job_of("t", "x");
  reserved.reserved[1] = 1;
  CHECK_IS(client, pqd_submit(client, &reserved, NULL, NULL), PQD_INVALID_REQUEST);
  reserved = job_of("t", "x");
  reserved.reserved2 = 1;
  CHECK_IS(client, pqd_submit(client, &reserved, NULL, NULL), PQD_INVALID_REQUEST);
  reserved = job_of("t", "x");
  reserved.flags = 0x80;
  CHECK_IS(client, pqd_submit(client, &reserved, NULL, NULL), PQD_INVALID_REQUEST);
  pqd_client* none = NULL;
  pqd_connect_options with_reserved = PQD_CONNECT_OPTIONS_INIT;
  with_reserved.socket = socket;
  with_reserved.reserved[6] = 1;
  CHECK_IS(NULL, pqd_connect(&with_reserved, &none), PQD_INVALID_REQUEST);
  pqd_list_options list = PQD_LIST_OPTIONS_INIT;
  list.reserved = 1;
  CHECK_IS(client, pqd_list(client, &list, no_job, NULL), PQD_INVALID_REQUEST);
  pqd_subscribe_options subscription = PQD_SUBSCRIBE_OPTIONS_INIT;
  subscription.reserved = 1;
  CHECK_IS(client, pqd_subscribe(client, &subscription, NULL), PQD_INVALID_REQUEST);

  /* Out: as much as the caller has room for, and not a byte more. */
  pqd_health_info health;
  memset(&health, 0x5A, sizeof health);
  health.size = offsetof(pqd_health_info, pending);
  CHECK_OK(client, pqd_health(client, &health));
  CHECK(health.size == offsetof(pqd_health_info, pending) && health.queue_depth == 2);
  CHECK(health.pending == UINT64_C(0x5A5A5A5A5A5A5A5A));
  struct {
    pqd_job_info now;
    uint64_t later;
  } info;
  memset(&info, 0, sizeof info);
  info.now.size = sizeof info;
  CHECK_OK(client, pqd_get(client, &ticket.id, &info.now));
  CHECK(info.now.size == sizeof info && info.later == 0 && info.now.priority == 5);
  pqd_close(client);
  return NULL;
}

const char* c_event_loop(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  const int fd = pqd_get_fd(client);
  CHECK(fd >= 0 && pqd_get_fd(client) == fd);
  const pqd_subscribe_options all = PQD_SUBSCRIBE_OPTIONS_INIT;
  CHECK_OK(client, pqd_subscribe(client, &all, NULL));
  enum { JOBS = 50 };
  const pqd_submit_options job = job_of("t", "x");
  pqd_ticket tickets[JOBS];
  for (int i = 0; i < JOBS; ++i) CHECK_OK(client, pqd_submit(client, &job, NULL, &tickets[i]));
  int worked = 0;
  int decided = 0;
  while (worked < JOBS || decided < JOBS) {
    pqd_delivery* delivery = NULL;
    while (pqd_next(client, 0, &delivery) == PQD_OK) {
      CHECK_OK(client, pqd_complete(client, delivery, NULL, 0, NULL));
      pqd_delivery_free(delivery);
      ++worked;
    }
    for (pqd_progress progress = PQD_DONE; decided < JOBS; ++decided) {
      CHECK_OK(client, pqd_poll(client, &tickets[decided], &progress, NULL));
      if (progress != PQD_DONE) break;
    }
    if (worked == JOBS && decided == JOBS) break;
    if (pqd_arm(client)) {
      struct pollfd wanted = {fd, POLLIN, 0};
      CHECK(poll(&wanted, 1, PATIENCE_MS) == 1);
    }
    CHECK_OK(client, pqd_process(client));
  }
  CHECK_OK(client, pqd_flush(client, PATIENCE_MS, NULL));
  pqd_close(client);
  return NULL;
}

const char* c_misuse(const char* socket) {
  pqd_client* client = connected(socket);
  CHECK(client != NULL);
  CHECK(pqd_last_error(client)[0] == '\0');
  pqd_submit_options job = job_of("t", NULL);
  pqd_ticket ticket;
  CHECK(pqd_submit(NULL, &job, NULL, NULL) == PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_submit(client, NULL, NULL, NULL), PQD_INVALID_REQUEST);
  job.payload_bytes = 5;
  CHECK_IS(client, pqd_submit(client, &job, NULL, NULL), PQD_INVALID_REQUEST);
  CHECK(strstr(pqd_last_error(client), "payload") != NULL);
  const pqd_submit_options* jobs[1] = {NULL};
  CHECK_IS(client, pqd_submit_many(client, NULL, 1, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_submit_many(client, jobs, 1, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_submit_many(client, jobs, 0, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_submit_many(client, jobs, SIZE_MAX, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_wait(client, NULL, 0, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_poll(client, NULL, NULL, NULL), PQD_INVALID_REQUEST);
  memset(&ticket, 0xFF, sizeof ticket);
  CHECK_IS(client, pqd_wait(client, &ticket, PATIENCE_MS, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_get(client, NULL, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_list(client, NULL, NULL, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_dlq(client, NULL, NULL, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_queues(client, NULL, NULL, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_health(client, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_cancel(client, NULL, 0), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_queue_control(client, NULL, PQD_QUEUE_PAUSE), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_queue_control(client, "default", (pqd_queue_action)9), PQD_INVALID_REQUEST);
  const pqd_queue_setting settings[] = {{"max_depth", 7}, {"max_depht", 3}, {"max_depth", 0}, {NULL, 0}};
  CHECK_IS(client, pqd_queue_set(client, "default", settings + 1, 1), PQD_INVALID_REQUEST);
  CHECK(strstr(pqd_last_error(client), "max_depht") != NULL);
  CHECK_IS(client, pqd_queue_set(client, "default", settings, 3), PQD_INVALID_REQUEST);
  CHECK(strstr(pqd_last_error(client), "max_depht") != NULL);
  CHECK_IS(client, pqd_queue_set(client, "default", settings + 2, 1), PQD_INVALID_REQUEST);
  CHECK(strstr(pqd_last_error(client), "max_depth is 1 to 100000000, not 0") != NULL);
  CHECK_IS(client, pqd_queue_set(client, "default", settings + 3, 1), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_queue_set(client, "default", settings, 0), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_queue_set(client, "default", NULL, 1), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_queue_set(client, NULL, settings, 1), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_queue_reset(client, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_subscribe(client, NULL, NULL), PQD_INVALID_REQUEST);
  pqd_subscribe_options subscription = PQD_SUBSCRIBE_OPTIONS_INIT;
  subscription.type_count = 2;
  CHECK_IS(client, pqd_subscribe(client, &subscription, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_next(client, 0, NULL), PQD_INVALID_REQUEST);
  CHECK_IS(client, pqd_complete(client, NULL, NULL, 0, NULL), PQD_INVALID_REQUEST);
  CHECK(pqd_delivery_cancel_requested(client, NULL) == 0);
  CHECK(pqd_get_fd(NULL) == -1 && pqd_arm(NULL) == 0 && pqd_max_payload_bytes(NULL) == 0);

  job.payload_bytes = 0;
  CHECK_OK(client, pqd_submit(client, &job, NULL, NULL));
  subscription.type_count = 0;
  CHECK_OK(client, pqd_subscribe(client, &subscription, NULL));
  pqd_delivery* delivery = NULL;
  CHECK_OK(client, pqd_next(client, PATIENCE_MS, &delivery));
  CHECK_IS(client, pqd_complete(client, delivery, NULL, 5, NULL), PQD_INVALID_REQUEST);
  CHECK_OK(client, pqd_complete(client, delivery, NULL, 0, NULL));
  pqd_delivery_free(delivery);
  pqd_close(client);
  pqd_close(NULL);
  return NULL;
}

const char* c_without_a_daemon(const char* no_socket) {
  pqd_connect_options options;
  pqd_connect_options_init(&options);
  options.socket = no_socket;
  pqd_client* client = (pqd_client*)&options;
  CHECK_IS(NULL, pqd_connect(&options, &client), PQD_UNAVAILABLE);
  CHECK(client == NULL);
  CHECK(strstr(pqd_last_error(NULL), no_socket) != NULL);
  CHECK(pqd_last_retry_after_ms(NULL) > 0);
  options.lane_bytes = 12345;
  CHECK_IS(NULL, pqd_connect(&options, &client), PQD_INVALID_REQUEST);
  options.size = 0;
  CHECK_IS(NULL, pqd_connect(&options, &client), PQD_INVALID_REQUEST);
  CHECK(pqd_connect(&options, NULL) == PQD_INVALID_REQUEST);
  return NULL;
}

const char* c_texts(void) {
  CHECK(strcmp(pqd_status_name(PQD_OK), "OK") == 0);
  CHECK(pqd_status_of_reason(PQD_REASON_LEASE_EXPIRED) == PQD_PROCESSING_TIMEOUT);
  CHECK(pqd_status_of_reason(PQD_REASON_CONSUMER_DIED) == PQD_WORKER_UNAVAILABLE);
  CHECK(pqd_status_of_reason(PQD_REASON_QUEUE_TIMEOUT) == PQD_REQUEST_TIMEOUT);
  CHECK(pqd_status_of_reason(PQD_REASON_FAILED_BY_CONSUMER) == PQD_OK);
  CHECK(strcmp(pqd_status_name(PQD_QUEUE_FULL), "QUEUE_FULL") == 0);
  for (int status = 1; status <= PQD_SYSTEM_ERROR; ++status) {
    const char* name = pqd_status_name((pqd_status)status);
    const char* text = pqd_status_text((pqd_status)status);
    CHECK(strlen(name) > 5 && strlen(text) > 20 && text[strlen(text) - 1] == '.');
    for (int other = 0; other < status; ++other) CHECK(strcmp(name, pqd_status_name((pqd_status)other)) != 0);
  }
  CHECK(strcmp(pqd_status_name((pqd_status)99), "SYSTEM_ERROR") == 0);
  CHECK(strcmp(pqd_status_name((pqd_status)256), "SYSTEM_ERROR") == 0);
  pqd_id id;
  char text[PQD_ID_TEXT_BYTES];
  CHECK(pqd_id_parse("0199F3A2-5b1c-7000-8000-0000000000ff", &id) == PQD_OK);
  CHECK(id.bytes[0] == 0x01 && id.bytes[1] == 0x99 && id.bytes[15] == 0xFF);
  pqd_id_to_string(&id, text);
  CHECK(strcmp(text, "0199f3a2-5b1c-7000-8000-0000000000ff") == 0);
  CHECK(pqd_id_parse("0199f3a2-5b1c-4000-8000-0000000000ff", &id) == PQD_INVALID_REQUEST);
  CHECK(pqd_id_parse("", &id) == PQD_INVALID_REQUEST);
  CHECK(pqd_id_parse(NULL, &id) == PQD_INVALID_REQUEST);
  CHECK(strncmp(pqd_version(), "0.", 2) == 0);
  return NULL;
}
