/* Explanations, events and pages of lists through the C ABI. */
#include "tests/bindings/c_abi.h"
#include "tests/bindings/c_abi_checks.h"

static int count_event(const pqd_event* event, void* user) {
  if (event->size == sizeof *event && event->change == PQD_CHANGE_SUBMITTED) ++*(int*)user;
  return 0;
}

static int count_job(const pqd_job_info* job, void* user) {
  (void)job;
  ++*(int*)user;
  return 0;
}

const char* c_explains_and_watches(const char* socket) {
  pqd_client* watcher = connected(socket);
  pqd_client* client = connected(socket);
  CHECK(watcher != NULL && client != NULL);
  uint32_t number = 0;
  pqd_watch_options wanted = PQD_WATCH_OPTIONS_INIT;
  wanted.type = "mail";
  CHECK_OK(watcher, pqd_watch(watcher, &wanted, &number));
  CHECK(number != 0);

  const pqd_submit_options job = job_of("mail", "hello");
  pqd_id id;
  CHECK_OK(client, pqd_submit(client, &job, &id, NULL));
  CHECK_OK(client, pqd_flush(client, PATIENCE_MS, NULL));
  pqd_event event;
  pqd_event_init(&event);
  CHECK_OK(watcher, pqd_next_event(watcher, PATIENCE_MS, &event));
  CHECK(event.change == PQD_CHANGE_SUBMITTED && event.state == PQD_STATE_PENDING);
  CHECK(memcmp(&event.id, &id, sizeof id) == 0 && event.number == 1 && event.watch == number);
  CHECK(strcmp(event.queue, "default") == 0 && strcmp(event.type, "mail") == 0);
  CHECK(event.when_ms > 0 && event.lost == 0);
  CHECK_IS(watcher, pqd_next_event(watcher, 0, &event), PQD_REQUEST_TIMEOUT);
  event.size = 0;
  CHECK_IS(watcher, pqd_next_event(watcher, 0, &event), PQD_INVALID_REQUEST);
  CHECK_OK(watcher, pqd_unwatch(watcher, number));
  CHECK_IS(watcher, pqd_unwatch(watcher, number), PQD_NOT_FOUND);
  wanted.reserved = 1;
  CHECK_IS(watcher, pqd_watch(watcher, &wanted, NULL), PQD_INVALID_REQUEST);

  int events = 0;
  pqd_watch_options last = PQD_WATCH_OPTIONS_INIT;
  last.last = 10;
  CHECK_OK(client, pqd_recent_events(client, &last, count_event, &events));
  CHECK(events == 1);

  pqd_explanation why;
  pqd_explanation_init(&why);
  CHECK_OK(client, pqd_explain(client, &id, &why));
  CHECK(why.awaits == PQD_AWAITS_CONSUMER && why.state == PQD_STATE_PENDING);
  CHECK(strcmp(why.type, "mail") == 0 && why.text[0] != '\0' && why.max_attempts == 3);
  const pqd_id nobody = {{1}};
  CHECK_IS(client, pqd_explain(client, &nobody, &why), PQD_NOT_FOUND);

  int jobs = 0;
  pqd_list_options page = PQD_LIST_OPTIONS_INIT;
  page.until_ms = 1;
  CHECK_OK(client, pqd_list(client, &page, count_job, &jobs));
  CHECK(jobs == 0);
  page.until_ms = 0;
  page.older_than = id;
  CHECK_OK(client, pqd_list(client, &page, count_job, &jobs));
  CHECK(jobs == 0);
  pqd_close(watcher);
  pqd_close(client);
  return NULL;
}
