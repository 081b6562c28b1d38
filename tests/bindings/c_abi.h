/* Scenarios of the C ABI, in C. Each gets the daemon's socket and returns NULL, or what went wrong. */
#ifndef PQD_TESTS_C_ABI_H
#define PQD_TESTS_C_ABI_H

#ifdef __cplusplus
extern "C" {
#endif

const char* c_submit_work_and_look(const char* socket);
const char* c_settles_in_every_way(const char* socket);
const char* c_works_on_batches(const char* socket);
const char* c_commands_queues_and_dead_letters(const char* socket);
const char* c_keeps_schedules(const char* socket);
const char* c_submits_many(const char* socket);
const char* c_submits_by_default(const char* socket);
const char* c_tells_duplicates(const char* socket);
const char* c_tells_when_to_come_back(const char* socket);
const char* c_sized_structs(const char* socket);
const char* c_event_loop(const char* socket);
const char* c_explains_and_watches(const char* socket);
const char* c_submits_what_is_counted(const char* socket);
const char* c_counts(const char* socket, int* counted);
const char* c_uses_all_partitions(const char* socket);
const char* c_misuse(const char* socket);
const char* c_without_a_daemon(const char* no_socket);
const char* c_texts(void);

#ifdef __cplusplus
}
#endif

#endif
